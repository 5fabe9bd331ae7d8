"""The panel on terminals of all sizes and kinds: resizes, colours, other terminals, ASCII, pipes."""
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import RHM, Panel, Session  # noqa: E402

NETWORK = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g, seed=1 };"
TRAINING = "job = net:train{ from=g, solver='gd', n=3000, steps=9000, steps_per_second=40, background=true };"
VIEWS = ("layers", "distances", "curves", "histogram", "synonyms", "grammar", "jobs")


def train(s):
    s.run(NETWORK)
    s.send(TRAINING + "\r")
    s.wait(lambda: re.search(r"step \d", s.text()) and s.line() == "rhm>", "a training")


def colours(raw):
    """The colours that were ever set: "8", "16" and "256" for the ways to name them."""
    found = set()
    for codes in re.findall(rb"\x1b\[([\d;]*)m", raw):
        codes = [int(code or 0) for code in codes.split(b";")]
        while codes:
            code = codes.pop(0)
            if code in (38, 48):
                found.add("256")
                del codes[:2]
            elif 30 <= code <= 37 or 40 <= code <= 47:
                found.add("8")
            elif 90 <= code <= 97 or 100 <= code <= 107:
                found.add("16")
    return found


def described(term):
    """The terminal's description, or None where this machine has none."""
    try:
        if subprocess.run(["tput", "-T", term, "longname"], capture_output=True).returncode:
            return None
    except FileNotFoundError:
        return None
    return {name: subprocess.run(["tput", "-T", term, name], capture_output=True).stdout for name in ("smcup", "kf3", "kf4")}


class Resize(unittest.TestCase):
    def fresh(self, s):
        self.assertEqual(s.stale_rows(), [], s.text())

    def storm(self, s):
        text = "x = 'ä日本 " + "0123456789" * 9 + "'"
        typed = 0
        for i in range(100):
            s.resize(2 + i * 37 % 60, 4 + i * 53 % 190)
            if i % 2 and typed < len(text):
                s.send(text[typed:typed + 2])
                typed += 2
            s.pump(0)
        s.send(text[typed:])
        s.resize(24, 80)
        s.wait(lambda: s.console().endswith("'") and s.rows()[-1].startswith("F1 keys"), "the last size")
        self.assertIn("\nrhm> x = 'ä日本 0123456789", s.console())

    def test_storm_while_typing(self):
        with Panel() as s:
            s.send("for i = 1, 30 do print(('word '):rep(i)) end i = 1\r")
            s.wait_console("word\nrhm>")
            self.storm(s)
            self.fresh(s)
            s.send("\r")
            s.wait(lambda: s.idle(), "the prompt")
            self.assertEqual(s.run("#x"), "99")

    def test_storm_while_training(self):
        with Panel() as s:
            train(s)
            self.storm(s)
            s.send("\x18p")
            s.wait(lambda: "paused" in s.text(), "a training that is paused")
            self.fresh(s)
            self.assertIn("paused", s.state())
            for name in VIEWS:
                s.send("\x18%d" % (1 + VIEWS.index(name)))
                self.fresh(s)

    def test_storm_while_a_command_prints(self):
        with Panel() as s:
            s.send("for i = 1, 1e9 do print('line ' .. i) end\r")
            s.wait_console("line")
            for i in range(100):
                s.resize(2 + i * 37 % 60, 4 + i * 53 % 190)
                s.pump(0)
            s.resize(24, 80)
            s.send("\x03")
            s.wait(lambda: s.console().endswith("interrupted\nrhm>") and s.rows()[-1].startswith("F1 keys"), "the prompt")
            self.fresh(s)
            s.send("\x1b[5~")
            s.wait(lambda: "rows below" in s.rows()[-1], "older rows")
            self.fresh(s)

    def test_the_prompt_wraps_anew(self):
        with Panel() as s:
            s.send("x" * 100)
            s.wait(lambda: s.line() == "x" * 25, "two rows")
            s.resize(24, 50)
            s.wait(lambda: s.line() == "x" * 5, "three rows")
            s.resize(24, 120)
            s.wait(lambda: s.line() == "rhm> " + "x" * 100 and s.screen.cursor.x == 105, "one row")
            self.fresh(s)

    def test_output_wraps_anew(self):
        with Panel() as s:
            s.run("print(('0123456789'):rep(12))")
            s.resize(24, 50)
            s.wait_console("\n" + "0123456789" * 5 + "\n" + "0123456789" * 5 + "\n" + "0123456789" * 2 + "\nrhm>")
            s.resize(24, 130)
            s.wait_console("\n" + "0123456789" * 12 + "\nrhm>")
            self.assertEqual(s.run("rhm.width()"), "130")

    def test_two_rows_of_twenty(self):
        with Panel("-q", lines=2, columns=20) as s:
            s.send("6 * 7\r")
            s.wait(lambda: s.rows() == ["42", "rhm>"], "the result above the prompt")
            s.send("'a long line of text'")
            s.wait(lambda: s.line() == " text'" and s.screen.cursor.x == 6, "the second row")
            s.send("\x15")
            s.wait(lambda: s.rows()[-1] == "rhm>", "the prompt")
            for key in ("\x1bOQ", "\x1b[21~", "\x1b[24~", "\x1b[24~", "\x1b[24~", "\x1b[5~", "\x1b[6~", "\x0c"):
                s.send(key)  # nothing of these has room
            s.send(NETWORK + "\r" + TRAINING + "\rprint(12345)\r")
            s.wait(lambda: s.rows() == ["12345", "rhm>"], "the result above the prompt")
            s.resize(24, 80)
            s.wait(lambda: s.rows()[-1].startswith("F1 keys") and "layers" in s.title(), "the panel")
            s.wait_view("solving")
            self.assertIn("12345", s.text())

    def test_smaller_than_usable(self):
        with Panel() as s:
            for lines, columns in ((1, 20), (1, 1), (5, 1), (3, 2), (4, 9), (9, 10), (12, 3)):
                s.resize(lines, columns)
                s.send("ab\x15")
                s.settle(0.1)
                self.assertLessEqual(max(map(len, s.rows())), columns)
            s.resize(1, 40)
            s.send("\x0c12 * 12")
            s.wait(lambda: s.rows() == ["rhm> 12 * 12"], "the prompt alone")
            s.resize(24, 80)
            s.wait(lambda: s.rows()[-1].startswith("F1 keys"), "the panel")
            s.send("\r")
            s.wait_console("rhm> 12 * 12\n144\nrhm>")
            self.fresh(s)


class Colours(unittest.TestCase):
    def all_views(self, **env):
        with Panel(**env) as s:
            train(s)
            for i, name in enumerate(VIEWS):
                s.send("\x18%d" % (i + 1))
                s.wait(lambda: name in s.title() and s.view().strip(), name)
                s.pump(0.2)
            s.run("print('\\27[31mred\\27[0m')")
            return s.raw

    def test_no_color(self):
        raw = self.all_views(NO_COLOR="1", TERM="xterm-256color")
        self.assertEqual(colours(raw), set())
        self.assertIn(b"\x1b[", raw)

    def test_eight(self):
        self.assertEqual(colours(self.all_views(TERM="xterm")), {"8"})

    def test_sixteen(self):
        if not described("xterm-16color"):
            self.skipTest("no description of xterm-16color")
        self.assertLessEqual(colours(self.all_views(TERM="xterm-16color")), {"8", "16"})

    def test_256(self):
        self.assertIn("256", colours(self.all_views(TERM="xterm-256color")))

    def test_empty_no_color_is_none(self):
        with Panel(NO_COLOR="") as s:
            s.run("print('\\27[31mred\\27[0m')")
            self.assertEqual(colours(s.raw), {"8"})


class Terminals(unittest.TestCase):
    def use(self, term, known):
        with Panel(TERM=term) as s:
            train(s)
            self.assertIn("layers", s.title())
            self.assertEqual(s.rows()[-1][:8], "F1 keys ")
            for key, name in ((b"\x183", "curves"), (known["kf3"], "distances"), (known["kf4"], "curves")):
                if key:
                    s.send(key)
                    s.wait(lambda: name == "distances" and "patches" in s.view() or name == "curves" and "loss" in s.view(),
                           name)
            s.send("'größe 日本'\r")
            s.wait_console('"größe 日本"\nrhm>')
            s.send("for i = 1, 40 do print(i) end i = 1\r")
            s.wait_console("40\nrhm>")
            self.assertEqual(s.screen.unknown, [])
            s.send("\x18p")
            s.wait(lambda: "paused" in s.state(), "a training that is paused")
            s.settle()
            seen = s.rows()
            s.repaint()
            self.assertEqual(seen, s.rows())
            s.send("\x04")
            while s.pump(0.1) and s.child.isalive():
                pass
            self.assertEqual(s.end(), 0)
            self.assertEqual(s.private(1049), False if b"?1049h" in known["smcup"] else None)
            self.assertIs(s.private(2004), False)
            self.assertFalse(s.screen.cursor.hidden)


def add(term):
    def test(self):
        known = described(term)
        if not known:
            self.skipTest("no description of " + term)
        self.use(term, known)
    setattr(Terminals, "test_" + re.sub(r"\W", "_", term), test)


for each in ("linux", "screen", "screen-256color", "tmux-256color", "xterm", "xterm-256color", "vt100", "vt220", "rxvt"):
    add(each)


class Plain(unittest.TestCase):
    def test_dumb(self):
        with Session("-q", panel=True, TERM="dumb") as s:
            self.assertEqual(s.text(), "rhm>")
            s.send("6 * 7\r")
            s.wait_text("\n42\nrhm>")
            s.send("\x04")
            self.assertEqual(s.end(), 0)
            self.assertNotIn(b"\x1b", s.raw)

    def test_unknown_terminal(self):
        with Session("-q", panel=True, TERM="no-such-terminal") as s:
            rows = s.text().split("\n")
            self.assertEqual(len(rows), 2, rows)
            self.assertRegex(rows[0], "^rhm: .*no-such-terminal")
            s.send("6 * 7\r")
            s.wait_text("\n42\nrhm>")

    def test_asked_for(self):
        with Session("-q", "--plain", panel=True) as s:
            self.assertEqual(s.text(), "rhm>")
            self.assertNotIn(b"?1049h", s.raw)

    def test_ascii(self):
        for term in ("xterm-256color", "linux"):
            with self.subTest(term), Panel(LC_ALL="C", TERM=term) as s:
                train(s)
                for i, name in enumerate(VIEWS):
                    s.send("\x18%d" % (i + 1))
                    s.wait(lambda: name in s.title() and s.view().strip(), name)
                    s.pump(0.2)
                s.send("\x18h")
                s.wait_view("anywhere")
                s.run("print('gr\\xc3\\xb6\\xc3\\x9fe')")
                self.assertEqual(re.findall(rb"[\x80-\xff]", s.raw), [])
                self.assertEqual(s.screen.unknown, [])
                self.assertNotIn(b"\x0e", s.raw)

    def test_pipes(self):
        """Without a terminal on both sides there is no panel."""
        for words in ("printf '6 * 7\\n' | '%s' -i -q -E", "'%s' -i -q -E -e 'print(6 * 7) os.exit()' | cat",
                      "printf 'print(6 * 7)\\n' | '%s'", "printf 'print(6 * 7)\\n' | '%s' - | cat"):
            with self.subTest(words), Session(command=["/bin/sh", "-c", words % RHM], prompt=False) as s:
                self.assertEqual(s.end(), 0)
                self.assertIn("42", s.text())
                self.assertNotIn(b"?1049", s.raw)
                self.assertNotIn(b"\x1b[2J", s.raw)

    def test_errors_to_a_file(self):
        with Session(command=["/bin/sh", "-c", "'%s' -q 2>errors" % RHM], prompt=False, lines=24, columns=80) as s:
            s.wait(lambda: s.line() == "rhm>" and s.private(1049), "the panel")
            s.send("io.stderr:write('told\\n') error 'trouble'\r")
            s.wait(lambda: s.line() == "rhm>" and s.text().count("rhm>") == 2, "the prompt")
            s.send("\x04")
            self.assertEqual(s.end(), 0)
            with open(os.path.join(s.home, "errors")) as file:
                self.assertIn("told\n", file.read())


if __name__ == "__main__":
    unittest.main(verbosity=2)
