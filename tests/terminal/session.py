"""A real terminal for tests: rhm on a pty, its screen kept by pyte. Tests wait for what the screen shows, never sleep."""
import itertools
import os
import re
import shutil
import signal
import tempfile
import termios
import time

import pexpect
import pyte

RHM = os.path.abspath(os.environ.get("RHM", "./rhm"))
SANITIZED = os.path.exists(RHM) and b"__asan_init" in open(RHM, "rb").read()
TIMEOUT = 45 if SANITIZED else 15
# For sessions that a test ends by SIGSEGV: a sanitizer's report, begun at any moment, may wait for ever for a lock of its
# own, and would count as found.
CRASHES = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0"}


def default_signals():
    """As a terminal's shell starts its commands; what a script started with & ignores these two."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def environment(home, **changes):
    """What a user's shell would have, and nothing of the machine's own configuration."""
    env = {k: v for k, v in os.environ.items() if not re.match(r"LUA|XDG_|RHM|INPUTRC|COLUMNS|LINES", k)}
    env.update(HOME=home, TERM="xterm", LC_ALL="C.UTF-8", INPUTRC="/dev/null")
    env.update(changes)
    return {k: v for k, v in env.items() if v is not None}


class Screen(pyte.Screen):
    """pyte's screen with what xterm's description promises and pyte lacks. Dim stands in `strikethrough`."""

    def __init__(self, columns, lines):
        self.last, self.unknown, self.bells, self.clears, self.first = " ", [], 0, 0, None
        super().__init__(columns, lines)

    def resize(self, lines=None, columns=None):
        super().resize(lines, columns)
        self.ensure_hbounds()
        self.ensure_vbounds()

    def draw(self, data):
        self.last = data[-1:] or self.last
        super().draw(data)

    def repeat(self, count=1):
        super().draw(self.last * max(1, count))

    def scroll_up(self, count=1):
        self.scroll(count, lambda top: top, self.delete_lines)

    def scroll_down(self, count=1):
        self.scroll(count, lambda top: top, self.insert_lines)

    def scroll(self, count, where, change):
        kept = self.cursor.y, self.cursor.x
        self.cursor.y = self.margins.top if self.margins else 0
        change(max(1, count))
        self.cursor.y, self.cursor.x = kept

    def back_tab(self, count=1):
        for _ in range(max(1, count)):
            self.cursor.x = max([stop for stop in self.tabstops if stop < self.cursor.x], default=0)

    def set_mode(self, *modes, **private):
        super().set_mode(*modes, **private)
        if private and 1049 in modes and not self.first:  # the second screen
            self.first = {y: dict(line) for y, line in self.buffer.items()}, self.cursor.y, self.cursor.x
            self.buffer.clear()

    def reset_mode(self, *modes, **private):
        super().reset_mode(*modes, **private)
        if private and 1049 in modes and self.first:
            lines, self.cursor.y, self.cursor.x = self.first
            self.buffer.clear()
            for y, line in lines.items():
                self.buffer[y].update(line)
            self.first = None

    def erase_in_display(self, how=0, *rest, **private):
        self.clears += how == 2 or how == 0 and self.cursor.y == self.cursor.x == 0
        super().erase_in_display(how)

    def select_graphic_rendition(self, *codes, **private):
        if private:  # xterm's keyboard settings
            return
        known, rest = [], list(codes)
        while rest:
            n = 3 if rest[0] in (38, 48) else 1
            known += rest[:n] if n > 1 else {2: [9], 22: [22, 29]}.get(rest[0], rest[:1])
            rest = rest[n:]
        super().select_graphic_rendition(*known)

    def title_stack(self, *codes):
        pass

    def bell(self, *arguments):
        self.bells += 1

    def debug(self, *arguments, **private):
        self.unknown.append((arguments, private))


class Stream(pyte.ByteStream):
    csi = dict(pyte.ByteStream.csi, b="repeat", S="scroll_up", T="scroll_down", Z="back_tab", t="title_stack")
    events = pyte.ByteStream.events | {"repeat", "scroll_up", "scroll_down", "back_tab", "title_stack"}


class Session:
    """rhm in a terminal of `lines` x `columns` with its own home folder; --plain unless panel=True."""

    def __init__(self, *words, home=None, lines=40, columns=100, prompt=True, command=None, cwd=None, panel=False, **env):
        self.owned = None if home else tempfile.mkdtemp(prefix="rhm-test-")
        self.home = home or self.owned
        self.screen = Screen(columns, lines)
        self.stream = Stream(self.screen)
        self.raw = b""
        argv = command or [RHM, *([] if panel else ["--plain"]), *words]
        self.child = pexpect.spawn(argv[0], argv[1:], env=environment(self.home, **env), cwd=cwd or self.home,
                                   dimensions=(lines, columns), timeout=TIMEOUT, echo=True, preexec_fn=default_signals)
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

    def pump_for(self, seconds, enough=lambda: False):
        """Reads for so long, or until it is enough."""
        end = time.monotonic() + seconds
        while not enough() and time.monotonic() < end and self.pump(0.05):
            pass

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

    def private(self, number):
        """Whether the program left a private mode of the terminal on: 1049 second screen, 2004 paste, 25 cursor."""
        on, off = (self.raw.rfind(b"\x1b[?%d%c" % (number, c)) for c in b"hl")
        return on > off if max(on, off) >= 0 else None

    def modes(self):
        """The settings of the terminal that matter: echo, line input, signals."""
        flags = termios.tcgetattr(self.child.child_fd)[3]
        return bool(flags & termios.ECHO), bool(flags & termios.ICANON), bool(flags & termios.ISIG)

    def history(self):
        with open(os.path.join(self.home, ".local/state/rhm/history")) as file:
            return file.read().splitlines()


class Panel(Session):
    """rhm with its panel. Rows from above: title, view, status, console (output and prompt), help."""

    def __init__(self, *words, lines=24, columns=80, **rest):
        self.numbers = itertools.count(1)
        super().__init__(*words, panel=True, lines=lines, columns=columns, **rest)
        self.status = self.screen.cursor.y - (0 if "-q" in words else 2) - 1  # the banner has two lines

    def busy(self):
        """The prompt is dim while a command runs."""
        return self.screen.buffer[self.screen.cursor.y][0].strikethrough

    def idle(self, prompt="rhm> "):
        return self.line() == prompt.rstrip() and self.screen.cursor.x == len(prompt) and not self.busy()

    def wait_prompt(self, prompt="rhm> "):
        self.wait(lambda: self.idle(prompt), "the prompt")

    def wait_busy(self):
        self.wait(lambda: self.line().startswith("rhm>") and self.busy(), "a prompt that waits")

    def rows(self, first=0, last=None):
        return [line.rstrip() for line in self.screen.display[first:last]]

    def title(self):
        return self.rows()[0]

    def view(self):
        return "\n".join(self.rows(1, self.status))

    def state(self):
        return self.rows()[self.status]

    def console(self):
        """Output and prompt, without the help below."""
        return "\n".join(self.rows(self.status + 1, self.screen.lines - 1)).rstrip()

    def wait_console(self, text):
        self.wait(lambda: text in self.console(), repr(text) + " in the output")

    def wait_view(self, text):
        self.wait(lambda: text in self.view(), repr(text) + " in the view")

    def run(self, line, prompt="rhm> "):
        """Types a line; returns what it wrote, all of which must fit on the screen, when the prompt is back."""
        typed = "--[[%d]] %s" % (next(self.numbers), line)
        self.send(typed + "\r")
        self.wait(lambda: "[[%d]]" % (int(typed[4:typed.index("]")])) in self.console() and self.idle(prompt),
                  "the prompt after " + line)
        return self.after(typed)

    def after(self, typed):
        """The output below the last echo of a line, up to the prompt."""
        rows = self.rows(self.status + 1, self.screen.cursor.y)
        columns = self.screen.columns
        start = max(i for i, row in enumerate(rows) if row.endswith(" " + typed[:columns - 5].rstrip()))
        return "\n".join(rows[start - (-(5 + len(typed)) // columns):])

    def settle(self, quiet=0.2):
        """Reads until nothing has come for so long."""
        end = time.monotonic() + TIMEOUT
        length = -1
        while length != len(self.raw):
            length = len(self.raw)
            if time.monotonic() > end:
                raise AssertionError("the screen does not come to rest:\n" + self.text())
            self.pump(quiet)

    def cells(self):
        """What the user sees, cell by cell: blanks differ by their background only."""
        empty = self.screen.default_char

        def cell(c):
            if c.data == " " and not c.reverse and not c.underscore:
                return empty._replace(bg=c.bg)
            return c
        return [[cell(self.screen.buffer[y][x]) for x in range(self.screen.columns)] for y in range(self.screen.lines)]

    def repaint(self):
        """Ctrl-L; the screen is drawn from nothing."""
        clears = self.screen.clears
        self.send("\x0c")
        self.wait(lambda: self.screen.clears > clears, "a cleared screen")
        self.settle()

    def stale_rows(self):
        """Rows, as text, that differ from what drawing the screen from nothing gives; the last one is the cursor."""
        self.settle()
        seen, cursor = self.cells(), (self.screen.cursor.y, self.screen.cursor.x)
        texts = self.rows()
        self.repaint()
        fresh = self.cells()
        stale = [texts[y] for y in range(self.screen.lines) if seen[y] != fresh[y]]
        if cursor != (self.screen.cursor.y, self.screen.cursor.x):
            stale.append("cursor at %d, %d instead of %d, %d" % (*cursor, self.screen.cursor.y, self.screen.cursor.x))
        return stale

    def resize(self, lines, columns):
        self.screen.resize(lines, columns)
        self.child.setwinsize(lines, columns)
