"""The panel's prompt: editing, completion, paste, type-ahead, io.read - at rest and under trainings; the output above it."""
import os
import random
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import TIMEOUT, Panel  # noqa: E402

NETWORK = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g, seed=1 };"
TRAINING = "net:train{ from=g, solver='gd', n=3000, steps=9000, steps_per_second=40%s };"
UP, DOWN, RIGHT, LEFT, HOME, END, DELETE = ("\x1b[" + key for key in ("A", "B", "C", "D", "H", "F", "3~"))


def paste(text):
    return "\x1b[200~" + text + "\x1b[201~"


class Editing(unittest.TestCase):
    """The same keys at rest, while a training runs in the background, and while one runs in the foreground."""

    def edit(self, s):
        def line(text, column):
            s.wait(lambda: s.line() == ("rhm> " + text).rstrip() and s.screen.cursor.x == column, text)

        s.send("abc def")
        line("abc def", 12)
        s.send("\x01x" + RIGHT + "y")  # Ctrl-A
        line("xaybc def", 8)
        s.send("\x05\x17")  # Ctrl-E, Ctrl-W
        line("xaybc", 11)
        s.send("\x19" + LEFT + LEFT + "\x0b")  # Ctrl-Y, Ctrl-K
        line("xaybc d", 12)
        s.send("\x15")  # Ctrl-U
        line("", 5)
        # characters of one and of two columns, and an accent of none
        s.send("'ä日本e\u0301'")
        line("'ä日本\u00e9'", 13)
        s.send(LEFT)
        line("'ä日本\u00e9'", 12)
        s.send(LEFT)
        line("'ä日本\u00e9'", 11)
        s.send(LEFT)
        line("'ä日本\u00e9'", 9)
        s.send("ö")
        line("'ä日ö本\u00e9'", 10)
        s.send("\x7f" + "\x7f")
        line("'ä本\u00e9'", 7)
        s.send(DELETE)
        line("'ä\u00e9'", 7)
        s.send(END + "\x7f" * 3)
        line("'", 6)
        s.send("\x15")
        line("", 5)

    def wrap(self, s):
        s.send("x" * 74 + "日本")  # the wide one does not fit behind column 79
        s.wait(lambda: s.line() == "日本" and s.screen.cursor.x == 4, "the second row")
        self.assertEqual(s.rows()[s.screen.cursor.y - 1], "rhm> " + "x" * 74)
        s.send("\x01")
        s.wait(lambda: s.line().startswith("rhm> xx") and s.screen.cursor.x == 5, "the first row")
        s.send("\x0b")
        s.wait(lambda: s.line() == "rhm>" and "日" not in s.text(), "an empty line")

    def search(self, s):
        s.send("\x12dle = ")  # Ctrl-R
        s.wait(lambda: "(reverse-i-search)`dle = ': --[[1]] needle = 'hay'" in s.line(), "the entry found")
        s.send("\x07")  # Ctrl-G
        s.wait(lambda: s.line() == "rhm>", "an empty line")
        s.send(UP)
        s.wait(lambda: s.line() != "rhm>", "the last entry")
        s.send(DOWN)
        s.wait(lambda: s.line() == "rhm>", "an empty line")

    def complete(self, s):
        s.send("rhm.gram\t")
        s.wait(lambda: "rhm.grammar" in s.line(), "rhm.grammar")
        s.send("\x15needle_\t\t")
        s.wait(lambda: re.search(r"\nneedle_one +needle_two\nrhm> needle_$", s.console()), "the list")
        s.send("o\t")
        s.wait(lambda: s.line().startswith("rhm> needle_one"), "needle_one")
        s.send("\x15")
        s.wait(lambda: s.line() == "rhm>", "an empty line")

    def all(self, training):
        with Panel() as s:
            s.run("needle = 'hay'")
            s.run("needle_one, needle_two = 1, 2")
            if training is not None:
                s.run(NETWORK)
                s.send(TRAINING % training + "\r")
                s.wait(lambda: "step" in s.state(), "a training")
                s.wait_prompt() if training else s.wait_busy()
            for part in (self.edit, self.wrap, self.search, self.complete):
                part(s)
                self.assertEqual(s.rows()[-1][:8], "F1 keys ")
                self.assertIn("layers", s.title())
            if training is not None:
                seen = s.state()
                s.wait(lambda: s.state() != seen and "step" in s.state(), "the training to go on")
            self.assertEqual(s.screen.unknown, [])

    def test_at_rest(self):
        self.all(None)

    def test_background_training(self):
        self.all(", background=true")

    def test_foreground_training(self):
        self.all("")


class Lines(unittest.TestCase):
    def test_multi_line(self):
        with Panel() as s:
            s.send("for i = 1, 2 do\r")
            s.wait_prompt("...> ")
            s.send("print(i * 11)\r")
            s.wait(lambda: "...> print(i * 11)\n...>" in s.console() and s.idle("...> "), "a third line")
            s.send("end\r")
            s.wait_console("...> end\n11\n22\nrhm>")
            s.send(UP)  # one entry of the history
            s.wait_console("rhm> for i = 1, 2 do\nprint(i * 11)\nend")

    def test_multi_line_given_up(self):
        with Panel() as s:
            for key in ("\x03", "\x04"):
                s.send("for i = 1, 2 do\r")
                s.wait_prompt("...> ")
                s.send(key)
                s.wait_prompt()
            self.assertEqual(s.run("1 + 1"), "2")

    def test_paste_of_several_lines(self):
        with Panel() as s:
            s.send(paste("1 + 1\nfor i = 5, 6 do\nprint(i)\nend\n"))
            s.wait_console("print(i)")
            self.assertNotIn("\n2\n", s.console())  # nothing runs before Enter
            s.send("\r")
            s.wait_console("2\n5\n6\nrhm>")

    def test_paste_into_a_line(self):
        with Panel() as s:
            s.send("tostring()" + LEFT)
            s.wait(lambda: s.screen.cursor.x == 14, "the cursor between the parentheses")
            s.send(paste("'a\tb' .. 7"))
            s.wait(lambda: "7)" in s.line(), "what was pasted")
            s.send("\r")
            s.wait_console('"a\\9b7"')

    def test_paste_of_ten_kilobytes(self):
        with Panel() as s:
            s.send(paste("#'" + "0123456789" * 1000 + "'"))
            s.wait(lambda: s.line().endswith("'"), "the end of what was pasted")
            s.send("\r")
            s.wait_console("\n10000\nrhm>")

    def test_paste_under_a_training(self):
        with Panel() as s:
            s.run(NETWORK)
            s.send(TRAINING % "" + "\r")
            s.wait_busy()
            s.send(paste("x = 20\nx + 1\n"))
            s.wait_console("x + 1")
            s.send("\r")
            s.wait(lambda: s.line() == "rhm>", "the lines to be taken")
            s.wait(lambda: re.search(r"\^C stop  \d+ lines? waits?$", s.rows()[-1].rstrip()), "how many wait")
            s.send("\x03")  # what waits goes with the command
            s.wait_console("interrupted: net:resume() goes on with the training")
            s.wait_prompt()
            self.assertEqual(s.run("x"), "nil")

    def test_typed_ahead(self):
        with Panel() as s:
            s.send("for i = 1, 3e7 do end print 'first'\r" + "a = 5\r" + "print(a + 1)\r" + "print(a +\r" + "2)\r" + "half")
            s.wait_console("rhm> a = 5\nrhm> print(a + 1)\n6\nrhm> print(a +\n...> 2)\n7\nrhm> half")
            self.assertLess(s.console().index("first"), s.console().index("rhm> a = 5"))
            s.wait_line("rhm> half")

    def test_typed_ahead_of_a_training(self):
        with Panel() as s:
            s.run(NETWORK)
            s.send("net:train{ from=g, solver='gd', n=2000, steps=10, steps_per_second=30 };\r" + "'after'\r")
            s.wait_console("rhm> 'after'\n\"after\"\nrhm>")
            self.assertEqual(s.run("net.job.state"), '"done"')

    def test_read(self):
        with Panel() as s:
            s.send("name = io.read() print('<' .. name .. '>')\r")
            s.wait(lambda: s.line() == "input:", "a question")
            s.send("größe 日x\x7f\r")
            s.wait_console("größe 日\n<größe 日>\nrhm>")
            s.send("io.read('n', 'L')\r")
            s.wait(lambda: s.line() == "input:", "a question")
            s.send("12\rapples\r")
            s.wait_console('12  "apples\\n"')
            s.send("{ io.read() }\r")
            s.wait(lambda: s.line() == "input:", "a question")
            s.send("\x04")
            s.wait_console("{}\nrhm>")
            s.send("io.read()\r")
            s.wait(lambda: s.line() == "input:", "a question")
            s.send("\x03")
            s.wait_console("interrupted\nrhm>")
            self.assertEqual(s.run("1"), "1")

    def test_history_survives(self):
        with Panel() as s:
            s.send("'kept'\r")
            s.wait_console('"kept"\nrhm>')
            s.send("\x04")
            self.assertEqual(s.end(), 0)
            with Panel(home=s.home) as t:
                t.send(UP)
                t.wait_line("rhm> 'kept'")


class Output(unittest.TestCase):
    def test_many_lines(self):
        with Panel() as s:
            s.send("for i = 1, 100000 do print('line', i) end\r")
            s.send("1 + 4")  # typed meanwhile
            s.wait_console("line\t100000".expandtabs() + "\nrhm> 1 + 4")
            s.wait_line("rhm> 1 + 4")
            s.send("\r")
            s.wait_console("rhm> 1 + 4\n5\nrhm>")
            self.assertIn("layers", s.title())
            self.assertEqual(s.rows()[-1][:8], "F1 keys ")

    def test_meter_with_returns(self):
        with Panel() as s:
            out = s.run("for i = 0, 100, 20 do io.write('\\r', i, ' %') end print(' done')")
            self.assertEqual(out, "100 % done")

    def test_backspaces_and_tabs(self):
        with Panel() as s:
            self.assertEqual(s.run("io.write('abx\\bc\\td\\n');"), "abc     d")

    def test_without_a_line_end(self):
        with Panel() as s:
            s.send("io.write('tail');\r")
            s.wait_console("\ntail\nrhm>")
            self.assertEqual(s.run("1"), "1")

    def test_standard_error_and_children(self):
        with Panel() as s:
            self.assertEqual(s.run("io.stderr:write('to stderr\\n');"), "to stderr")
            self.assertEqual(s.run("os.execute 'echo child; echo trouble >&2; printf no-end';"), "child\ntrouble\nno-end")
            self.assertEqual(s.run("io.popen('echo popped'):read()"), '"popped"')
            self.assertEqual(s.run("1"), "1")

    def test_wide_lines_wrap(self):
        with Panel() as s:
            out = s.run("print(('0123456789'):rep(20) .. 'e')").split("\n")
            self.assertEqual(out, ["0123456789" * 8, "0123456789" * 8, "0123456789" * 4 + "e"])
            out = s.run("print(('日'):rep(41) .. '.')").split("\n")
            self.assertEqual(out, ["日" * 40, "日."])

    def test_colours_of_print(self):
        with Panel() as s:
            s.run("print('\\27[31mred\\27[0m plain \\27[1mbold\\27[0m')")
            row = [y for y, text in enumerate(s.rows()) if text == "red plain bold"][0]
            cells = s.screen.buffer[row]
            self.assertEqual([cells[x].fg for x in (0, 2, 4)], ["red", "red", "default"])
            self.assertEqual([cells[x].bold for x in (0, 4, 10)], [False, False, True])

    def test_escapes_do_not_reach_the_terminal(self):
        with Panel() as s:
            before = len(s.raw)
            s.run("print('\\27]0;title\\7\\27[2J\\27[5;5H\\27[?' .. 1049 .. 'l\\27c\\27P$q\\27\\\\x\\155y\\14z\\7')")
            s.run("'\\27[2J'")
            s.wait_prompt()
            sent = s.raw[before:]
            for bad in (b"\x1b]", b"\x1b[2J", b"1049l", b"\x1bc", b"\x1bP", b"\x0e", b"\x0c"):
                self.assertNotIn(bad, sent)
            self.assertEqual(s.screen.title, "")
            self.assertIn("layers", s.title())
            self.assertEqual(s.run("1"), "1")

    def test_bytes_that_are_no_text(self):
        with Panel() as s:
            s.run("print('a\\xff\\xc3(\\0b')")
            self.assertRegex(s.console(), r"(?m)^a[^\n]+b$")
            self.assertEqual(s.run("1"), "1")

    def test_job_that_ends_while_typing(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("job = net:train{ from=g, solver='gd', n=2000, steps=20, steps_per_second=20, background=true };")
            s.send("12 + 日本" + LEFT)
            s.wait(lambda: s.line() == "rhm> 12 + 日本", "the line")
            s.wait_console("done, accuracy")
            s.wait(lambda: s.line() == "rhm> 12 + 日本" and s.screen.cursor.x == 12, "the line as it was")
            s.send("\x7f\x0b30\r")
            s.wait_console("\n42\nrhm>")


class Scrollback(unittest.TestCase):
    def fill(self, s):
        s.send("for i = 1, 60 do print('line ' .. i) end\r")
        s.wait_console("line 60\nrhm>")

    def test_pages(self):
        with Panel() as s:
            self.fill(s)
            s.send("\x1b[5~")
            s.wait(lambda: "rows below" in s.rows()[-1] and "line 60" not in s.console(), "older rows")
            while "Free software" not in s.console():
                top = s.rows()[s.status + 1]
                s.send("\x1b[5~")
                s.wait(lambda: s.rows()[s.status + 1] != top, "older rows")
            s.wait_line("rhm>")  # the prompt stays
            s.send("7")  # typing does not lose the place
            s.wait_line("rhm> 7")
            self.assertIn("Free software", s.console())
            while "line 60" not in s.console():
                top = s.rows()[s.status + 1]
                s.send("\x1b[6~")
                s.wait(lambda: s.rows()[s.status + 1] != top, "newer rows")
            self.assertIn("F1 keys", s.rows()[-1])
            s.send("\r")
            s.wait_console("rhm> 7\n7\nrhm>")

    def test_a_command_comes_back_to_the_end(self):
        with Panel() as s:
            self.fill(s)
            s.send("\x1b[5~\x1b[5~")
            s.wait(lambda: "rows below" in s.rows()[-1], "older rows")
            s.send("'here'\r")
            s.wait_console("line 60\nrhm> 'here'\n\"here\"\nrhm>")

    def test_place_stays_while_output_comes(self):
        with Panel() as s:
            self.fill(s)
            s.send("for k = 1, 1000 do local t = rhm.clock() + 0.02 repeat until rhm.clock() > t print('more ' .. k) end\r")
            s.wait_console("more 3")
            s.send("\x1b[5~" * 3)
            s.wait(lambda: "rows below" in s.rows()[-1] and "\nmore" not in s.console(), "older rows")
            seen = s.console()
            below = int(re.match(r"\d+", s.rows()[-1])[0])
            s.wait(lambda: int((re.match(r"\d+", s.rows()[-1]) or "0")[0]) > below + 5, "more rows below")
            self.assertEqual(s.console(), seen)
            s.send("\x03")
            s.wait_prompt()
            self.assertEqual(s.console(), seen)
            s.send("\x03")
            s.wait_console("interrupted\nrhm>")

    def test_search(self):
        with Panel() as s:
            s.send("for i = 1, 200 do print(i == 77 and 'a Needle' or i == 33 and 'needle too' or 'straw ' .. i) end\r")
            s.wait_console("straw 200\nrhm>")
            s.send("keep")
            s.wait_line("rhm> keep")
            s.send("\x18/needle\r")
            s.wait_console("a Needle")
            row = [y for y, text in enumerate(s.rows()) if text == "a Needle"][0]
            self.assertTrue(s.screen.buffer[row][0].reverse)
            s.wait_line("rhm> keep")
            s.send("\x18/\r")  # again, further up
            s.wait_console("needle too")
            bells = s.screen.bells
            s.send("\x18/absent\r")
            s.wait(lambda: s.screen.bells > bells and s.line() == "rhm> keep", "a bell")
            s.send("\x03")
            s.wait(lambda: s.idle() and "straw 200" in s.console(), "the end of the output")

    def test_save(self):
        with Panel() as s:
            s.send("for i = 1, 200 do print('line ' .. i) end\r")
            s.wait_console("line 200\nrhm>")
            path = os.path.join(s.home, "output.txt")
            s.send("\x18s~/output.txt\r")
            s.wait_console("the output is in ")
            with open(path) as file:
                text = file.read()
            self.assertIn("rhm> for i = 1, 200 do", text)
            self.assertIn("line 1\nline 2\n", text)
            self.assertTrue(text.endswith("line 200\n"))
            s.send("\x18s" + path + "\r")  # never over a file that is there
            s.wait_console("error: cannot save the output to")
            with open(path) as file:
                self.assertEqual(file.read(), text)


class AnyKeys(unittest.TestCase):
    """Keys in no order, in all states: nothing ends the program, and the screen is what it should be."""
    KEYS = (["\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[18~", "\x1b[19~", "\x1b[20~", "\x1b[21~",
             "\x1b[24~", "\x1b[5~", "\x1b[6~", UP, DOWN, RIGHT, LEFT, HOME, END, DELETE, "\x1b", "\x1bb", "\x1bf", "\x1b5", "\t"]
            + list("\x01\x05\x0b\x19\x15\x17\x12\x07\x0c\r\x7f\x14\x1f\x0f") + ["\x18" + c for c in "oz/p1234567h"]
            + ["\x03"] * 4 + list("sSrpn[]+-/?cwmlxyf<>qq 0ou('äö日") + ["e\u0301", paste("ab\ncd\n")]
            + ["net:layer(3):begin{ from=g, n=500 };\r", "net:layer(3):step(3);\r", "print(('x '):rep(300))\r", "error 'x'\r",
               "job = rhm.network{ grammar=g }:train{ from=g, solver='gd', n=500, steps=300, steps_per_second=100, "
               "background=true };\r", "view 'layers'\r", "for i = 1, 50 do print(i) end\r", None, None])

    def press(self, seed, count):
        order = random.Random(seed)
        with Panel() as s:
            s.run(NETWORK)
            for _ in range(count):
                key = order.choice(self.KEYS)
                if key:
                    s.send(key)
                else:
                    s.resize(order.randint(1, 60), order.randint(1, 170))
                self.assertTrue(s.pump(0.02), "rhm ended; seed %d:\n%s" % (seed, s.text()))
            s.resize(24, 80)

            def at_rest():
                return s.idle() and re.match(r"F1 keys|\d", s.rows()[-1])
            end = time.monotonic() + 4 * TIMEOUT
            while "\nalive" not in s.text():  # out of a command, a question, a search, the view
                self.assertLess(time.monotonic(), end, "no answer, seed %d; the screen:\n%s" % (seed, s.text()))
                s.send("\x03")
                s.pump_for(0.3)
                if at_rest():  # or so it looks: keys of before may still wait to be read
                    s.send("\x05\x15for _, j in ipairs(rhm.jobs()) do if j.stop then j:stop() end end print('al' .. 'ive')\r")
                    s.pump_for(5, lambda: "\nalive" in s.text())
            s.settle()
            if "layers" not in s.title():
                s.send("\x181")
                s.wait(lambda: "layers" in s.title(), "the panel, seed %d" % seed)
            self.assertEqual(s.stale_rows(), [], "seed %d\n%s" % (seed, s.text()))
            self.assertEqual(s.screen.unknown, [])

    def test_any_keys(self):
        for seed in (1, 2):
            self.press(seed, 300)


if __name__ == "__main__":
    unittest.main(verbosity=2)
