"""README's examples, run in its order in one session: what they print is what the page says.

An example is a block indented by four columns that begins with a prompt, or a Python program that begins with an import.
The prompts are rhm> and, for commands of the shell, $: those of rhm are run, unless a # follows, as they take long. A block
that begins with the panel's title is its whole screen of 80 x 24, after the lines at its prompts were typed. Times may
differ, and numbers by what another BLAS rounds otherwise. `make readme` writes the present output into the page.
"""
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import RHM, Session, environment  # noqa: E402

SOURCE = os.environ.get("srcdir") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
README = os.path.join(SOURCE, "README")
PYTHON = os.environ.get("PYTHON") or sys.executable
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
TIME = re.compile(r"\d+(?:\.\d+)? (?:s|ms|us)\b")


def blocks(text):
    """The indented blocks: (first line, after the last, lines without the indent). Blank lines inside belong to them."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        if not lines[at].startswith("    "):
            at += 1
            continue
        end = last = at
        while end < len(lines) and (not lines[end].strip() or lines[end].startswith("    ")):
            if lines[end].strip():
                last = end
            end += 1
        yield at, last + 1, textwrap.dedent("\n".join(lines[at:last + 1])).split("\n")
        at = end


def commands(lines, prompts):
    """[[typed lines], [output lines]] of a session."""
    found = []
    for line in lines:
        prompt = next((p for p in prompts if line.startswith(p)), None)
        if prompt is None:
            found[-1][1].append(line)
        elif prompt == "...> ":
            found[-1][0].append(line[len(prompt):])
        else:
            found.append([[line[len(prompt):]], []])
    return found


def words(output):
    """What must agree: words and signs one by one, numbers as numbers, neither times nor blanks."""
    text = TIME.sub("TIME", "\n".join(output))
    found, at = [], 0
    for number in NUMBER.finditer(text):
        found += text[at:number.start()].split()
        found.append(int(number[0]) if number[0].lstrip("+-").isdigit() else float(number[0]))
        at = number.end()
    return found + text[at:].split()


def agree(told, printed):
    """Whether two outputs, lists of lines, are the same but for times and rounding."""
    def same(a, b):
        if {type(a), type(b)} in ({float}, {int, float}):  # counts are exact
            return abs(a - b) <= 1e-3 * max(abs(a), abs(b)) + 1e-6
        return a == b
    a, b = words(told), words(printed)
    return len(a) == len(b) and all(map(same, a, b))


class Replay:
    """Runs the examples of a text; gives the text with what they print now, and calls `compare` for each."""

    def __init__(self, text, compare=None):
        self.lines = text.split("\n")
        self.compare = compare or (lambda typed, told, printed: None)
        self.ran = 0

    def typed(self, session, lines):
        out = []
        for typed, told in commands(lines, ("rhm> ", "...> ")):
            for line in typed[:-1]:
                session.run(line, prompt="...> ")
            printed = session.run(typed[-1])
            printed = printed.split("\n") if printed else []
            out += ["rhm> " + typed[0]] + ["...> " + line for line in typed[1:]]
            out += self.check("\n".join(typed), told, printed)
        return out

    def shell(self, folder, lines):
        out = []
        for (line,), told in commands(lines, ("$ ",)):
            printed = told
            if line.startswith("rhm ") and " # " not in line:
                env = environment(folder, COLUMNS="96", PATH=os.path.dirname(RHM) + ":" + os.environ["PATH"])
                run = subprocess.run(line, shell=True, cwd=folder, env=env, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=300)
                printed = self.check(line, told, run.stdout.decode().rstrip("\n").split("\n"))
            out += ["$ " + line] + printed
        return out

    def screen(self, folder, lines):
        """The panel's screen after the lines at its prompts; the view may come a few frames later."""
        typed = [line[len("rhm> "):] for line in lines if line.startswith("rhm> ") and line != "rhm> "]
        with Session("-q", panel=True, lines=24, columns=80, cwd=folder, home=folder) as session:
            for line in typed:
                session.send(line + "\r")
                session.wait(lambda: line in session.text() and session.line() == "rhm>", "the prompt after " + line)
            end = time.monotonic() + 3
            while time.monotonic() < end and not agree(lines, session.text().split("\n")):
                session.pump(0.1)
            return self.check("screen", lines, session.text().split("\n"))

    def python(self, folder, lines):
        if importlib.util.find_spec("numpy") is None:
            raise unittest.SkipTest("numpy is missing")
        subprocess.run([PYTHON, "-c", "\n".join(lines)], cwd=folder, check=True, timeout=60)

    def check(self, typed, told, printed):
        """What the page shall say: what it says, unless that differs by more than times."""
        self.ran += 1
        if any(re.match(r"(error|rhm): |.*error in __tostring", line) for line in printed):
            raise AssertionError("README's %s fails: %s" % (typed, "\n".join(printed)))
        self.compare(typed, told, printed)
        return told if agree(told, printed) else printed

    def run(self):
        result, at = [], 0
        with tempfile.TemporaryDirectory() as folder, \
                Session("-q", lines=100, columns=96, cwd=folder, home=folder) as session:
            for start, end, lines in blocks("\n".join(self.lines)):
                if lines[0].startswith("import "):
                    self.python(folder, lines)
                if lines[0].lstrip().startswith("F2 layers"):
                    new = self.screen(folder, lines)
                elif lines[0].startswith("rhm> "):
                    new = self.typed(session, lines)
                elif lines[0].startswith("$ "):
                    new = self.shell(folder, lines)
                else:
                    continue
                result += self.lines[at:start] + [("    " + line).rstrip() for line in new]
                at = end
        return "\n".join(result + self.lines[at:])


class Readme(unittest.TestCase):
    def setUp(self):
        with open(README, encoding="utf-8") as file:
            self.text = file.read()

    def test_examples(self):
        def compare(typed, told, printed):
            self.assertTrue(agree(told, printed),
                            "README says that %s prints\n%s\nbut it prints\n%s\n(make readme updates the page)"
                            % (typed, "\n".join(told), "\n".join(printed)))
        replay = Replay(self.text, compare)
        replay.run()
        self.assertGreaterEqual(replay.ran, 10)

    def test_width(self):
        for line in self.text.split("\n"):
            self.assertLessEqual(len(line), 100, line)
            self.assertEqual(line, line.rstrip())

    def test_files_named_exist(self):
        """Folders and files that the page names."""
        paths = re.findall(r"(?<![\w./$~-])(?:src|lua|scripts|tests|man)/[\w./-]*\w/?", self.text)
        self.assertGreater(len(paths), 10)
        for path in paths:
            if not re.search(r"NAME|OBJECT", path):
                self.assertTrue(os.path.exists(os.path.join(SOURCE, path)), path)

    def test_targets_named_exist(self):
        with open(os.path.join(os.path.dirname(RHM), "Makefile")) as file:
            makefile = file.read()
        targets = set(re.findall(r"(?:`|    (?:\$ )?)(?:make|\./bootstrap) ([a-z][a-z-]+)", self.text))
        self.assertGreater(len(targets), 5)
        for target in targets:
            self.assertRegex(makefile, r"(?m)^(?:\.PHONY:.*\s)?%s(?:\s*:|\s|$)" % re.escape(target), target)


def update():
    with open(README, encoding="utf-8") as file:
        old = file.read()
    new = Replay(old).run()
    if new != old:
        with open(README, "w", encoding="utf-8") as file:
            file.write(new)


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        unittest.main(verbosity=2)
