"""A real terminal for tests: rhm on a pty, its screen kept by pyte. Tests wait for what the screen shows, never sleep."""
import os
import re
import shutil
import tempfile
import termios
import time

import pexpect
import pyte

RHM = os.path.abspath(os.environ.get("RHM", "./rhm"))
TIMEOUT = 15


def environment(home, **changes):
    """What a user's shell would have, and nothing of the machine's own configuration."""
    env = {k: v for k, v in os.environ.items() if not re.match(r"LUA|XDG_|RHM|INPUTRC|COLUMNS|LINES", k)}
    env.update(HOME=home, TERM="xterm", LC_ALL="C.UTF-8", INPUTRC="/dev/null")
    env.update(changes)
    return {k: v for k, v in env.items() if v is not None}


class Session:
    """rhm in a terminal of `lines` x `columns` with its own home folder; --plain unless panel=True."""

    def __init__(self, *words, home=None, lines=40, columns=100, prompt=True, command=None, cwd=None, panel=False, **env):
        self.owned = None if home else tempfile.mkdtemp(prefix="rhm-test-")
        self.home = home or self.owned
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        argv = command or [RHM, *([] if panel else ["--plain"]), *words]
        self.child = pexpect.spawn(argv[0], argv[1:], env=environment(self.home, **env), cwd=cwd or self.home,
                                   dimensions=(lines, columns), timeout=TIMEOUT, echo=True)
        self.child.delaybeforesend = None
        if prompt:
            self.wait_prompt()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.child.close(force=True)
        if self.owned:
            shutil.rmtree(self.owned, ignore_errors=True)

    def pump(self, seconds):
        """Reads what comes within the time, at least once. False at the end of the output."""
        try:
            data = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self.stream.feed(data)
        return True

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def line(self):
        """The line with the cursor."""
        return self.screen.display[self.screen.cursor.y].rstrip()

    def wait(self, condition, what):
        end = time.monotonic() + TIMEOUT
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("%s did not come; the screen:\n%s" % (what, self.text()))
            if not self.pump(0.05) and not condition():
                raise AssertionError("rhm ended before %s came; the screen:\n%s" % (what, self.text()))

    def wait_text(self, text):
        self.wait(lambda: text in self.text(), repr(text))

    def wait_line(self, text):
        """The line with the cursor reads `text`, and the cursor stands at its end."""
        self.wait(lambda: self.line() == text.rstrip() and self.screen.cursor.x >= len(text.rstrip()), repr(text))

    def wait_prompt(self, prompt="rhm> "):
        self.wait(lambda: self.line() == prompt.rstrip() and self.screen.cursor.x == len(prompt), "the prompt")

    def send(self, text):
        self.child.send(text)

    def run(self, line, prompt="rhm> "):
        """Types a line; returns what came on the screen between it and the next prompt."""
        self.screen.reset()
        self.send(line + "\r")
        self.wait(lambda: line.strip()[-20:] in self.text() and self.line() == prompt.rstrip()
                  and self.screen.cursor.x == len(prompt), "the prompt after " + line)
        rows = self.text().split("\n")
        if prompt.rstrip() != rows[-1]:
            raise AssertionError("more after the prompt:\n" + self.text())
        return "\n".join(rows[1:-1])

    def end(self):
        """Waits for the end; returns the exit code, or minus the signal."""
        deadline = time.monotonic() + TIMEOUT
        while self.pump(0.1):
            if time.monotonic() > deadline:
                raise AssertionError("rhm did not end; the screen:\n" + self.text())
        self.child.close()
        return -self.child.signalstatus if self.child.signalstatus else self.child.exitstatus

    def modes(self):
        """The settings of the terminal that matter: echo, line input, signals."""
        flags = termios.tcgetattr(self.child.child_fd)[3]
        return bool(flags & termios.ECHO), bool(flags & termios.ICANON), bool(flags & termios.ISIG)

    def history(self):
        with open(os.path.join(self.home, ".local/state/rhm/history")) as file:
            return file.read().splitlines()
