"""The shell at a real terminal: prompt, results, input, history, Ctrl-C, signals."""
import os
import signal
import sqlite3
import stat
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import CRASHES, RHM, Session  # noqa: E402


class Evaluation(unittest.TestCase):
    def test_result_without_return(self):
        with Session() as s:
            self.assertEqual(s.run("1 + 1"), "2")
            self.assertEqual(s.run("'a', nil, 2.5"), '"a"  nil  2.5')
            self.assertEqual(s.run("{ 1, 2, x = { 'y' } }"), '{1, 2, x = {"y"}}')

    def test_statement_shows_nothing(self):
        with Session() as s:
            self.assertEqual(s.run("x = 41"), "")
            self.assertEqual(s.run("x + 1"), "42")

    def test_semicolon_silences(self):
        with Session() as s:
            self.assertEqual(s.run("6 * 7;"), "")

    def test_line_runs_once(self):
        with Session() as s:
            self.assertEqual(s.run("n = 0"), "")
            self.assertEqual(s.run("(function() n = n + 1 return n end)()"), "1")
            self.assertEqual(s.run("n"), "1")

    def test_multi_line(self):
        with Session() as s:
            self.assertEqual(s.run("for i = 1, 2 do", prompt="...> "), "")
            self.assertEqual(s.run("print(i) end"), "1\n2")

    def test_multi_line_call_shows_result(self):
        with Session() as s:
            s.run("tostring(", prompt="...> ")
            self.assertEqual(s.run("12)"), '"12"')

    def test_error_is_one_line(self):
        with Session() as s:
            self.assertEqual(s.run("error('boo')"), "error: boo")
            self.assertEqual(s.run("foo bar"), "error: syntax error near 'bar'")
            self.assertEqual(s.run("1 + * 2"), "error: unexpected symbol near '*'")
            self.assertEqual(s.run("nothing.here"), "error: attempt to index a nil value (global 'nothing')")

    def test_out_of_memory_is_an_error(self):
        with Session(ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":allocator_may_return_null=1") as s:
            self.assertTrue(s.run("io.open('/dev/zero'):read(1 << 44)").endswith("error: not enough memory"))
            self.assertEqual(s.run("1"), "1")

    def test_error_object(self):
        with Session() as s:
            self.assertEqual(s.run("error(setmetatable({}, {__tostring = function() return 'own text' end}))"),
                             "error: own text")
            self.assertEqual(s.run("error({})"), "error: (the error object is a table value)")

    def test_traceback_only_where_deep(self):
        with Session() as s:
            s.run("function f() error('deep') end")
            self.assertEqual(s.run("f()"), "error: deep")
            s.run("function g() f() return 1 end")
            out = s.run("g()").split("\n")
            self.assertEqual(out[:2], ["error: deep", "  at input:1 in function 'f'"])
            self.assertEqual(len(out), 3, out)

    def test_help(self):
        with Session(lines=120) as s:
            self.assertIn("rho^(l)", s.run("help 'grammar:gap'"))
            self.assertIn("rho^(l)", s.run("? grammar:gap"))
            self.assertIn("rho^(l)", s.run("help grammar:gap"))
            self.assertIn("objects and their methods", s.run("help()"))
            self.assertEqual(s.run("help 'grammr'"), 'error: no help on "grammr": did you mean grammar, rhm.grammar?')

    def test_apropos(self):
        with Session() as s:
            for line in "apropos 'perplexity'", "apropos perplexity", 'apropos("perplexity")':
                self.assertIn("network:refine", s.run(line))
            self.assertEqual(s.run("apropos zzzz"), 'error: apropos: no page of the help mentions "zzzz"')

    def test_the_module(self):
        with Session() as s:
            text = s.run("rhm")
            self.assertIn("help() tells what these are", text)
            self.assertLess(len(text.split("\n")), 8)

    def test_unfinished_string(self):
        with Session() as s:
            self.assertIn("unfinished string", s.run("print 'a"))
            s.run("x = 'a\\", prompt="...> ")
            s.run("b'")
            self.assertEqual(s.run("#x"), "3")
            s.run("y = [[a", prompt="...> ")
            s.run("b]]")
            self.assertEqual(s.run("#y"), "3")

    def test_who(self):
        with Session() as s:
            self.assertEqual(s.run("who()"), "no globals yet")
            s.run("alpha = 3")
            s.run("words = { 'one' }")
            self.assertEqual(s.run("who()"), 'alpha  number  3\nwords  table  {"one"}')

    def test_timing(self):
        with Session() as s:
            self.assertEqual(s.run("timing()"), "false")
            s.run("timing(true)")
            self.assertRegex(s.run("1 + 1"), r"^2\n\([\d.]+ [mu]s\)$")
            s.run("timing(false)")
            self.assertEqual(s.run("1 + 1"), "2")

    def test_output_without_a_line_end_stays(self):
        with Session() as s:
            s.send("io.write('tail');\r")
            s.wait_text("\ntailrhm>")
            s.send("1\r")
            s.wait_text("\n1\nrhm>")
            self.assertIn("\ntailrhm> 1\n1\nrhm>", s.text())

    def test_interactive_after_code(self):
        with Session("-i", "-e", "y = 5") as s:
            self.assertEqual(s.run("y"), "5")

    def test_interactive_after_a_script_that_fails(self):
        with Session() as s:
            with open(os.path.join(s.home, "bad.lua"), "w") as file:
                file.write("z = 3 error 'half way'")
            with Session("-q", "-i", "bad.lua", home=s.home) as t:
                self.assertIn("rhm: bad.lua:1: half way", t.text())
                self.assertEqual(t.run("z"), "3")

    def test_hook_of_the_user_stays(self):
        with Session() as s:
            s.run("debug.sethook(function() count = (count or 0) + 1 end, 'l')")
            s.run("1")
            self.assertEqual(s.run("debug.gethook() ~= nil"), "true")

    def test_banner(self):
        with Session() as s:
            self.assertIn("help()", s.text())
            self.assertIn("GPL", s.text())
        with Session("-q") as s:
            self.assertEqual(s.text(), "rhm>")

    def test_utf8(self):
        with Session() as s:
            self.assertEqual(s.run("'größe ρ'"), '"größe ρ"')
            s.send("'ρρ'\x7f\x7f.")  # two characters go, not two bytes
            s.wait_line("rhm> 'ρ.")


class Leaving(unittest.TestCase):
    def test_ctrl_d(self):
        with Session() as s:
            s.send("\x04")
            self.assertEqual(s.end(), 0)

    def test_ctrl_d_gives_up_unfinished_command(self):
        with Session() as s:
            s.run("for i = 1, 2 do", prompt="...> ")
            s.send("\x04")
            s.wait_prompt()
            self.assertEqual(s.run("1"), "1")

    def test_exit_and_quit(self):
        for word in ("exit", "quit", "os.exit(0)"):
            with Session() as s:
                s.send(word + "\r")
                self.assertEqual(s.end(), 0)

    def test_exit_code(self):
        with Session() as s:
            s.send("os.exit(3)\r")
            self.assertEqual(s.end(), 3)

    def test_exit_can_be_a_name(self):
        with Session() as s:
            s.run("quit = 4")
            self.assertEqual(s.run("quit"), "4")

    def end_by(self, number, busy):
        with Session() as s:
            before = (True, True, True)
            s.run("x = 1")
            if busy:
                s.send("print('busy') while true do end\r")
                s.wait(lambda: "\nbusy" in s.text(), "busy")
            else:
                self.assertNotEqual(s.modes(), before)
            os.kill(s.child.pid, number)
            while s.pump(0.1):
                if not s.child.isalive():
                    break
            self.assertEqual(s.modes(), before)
            self.assertEqual(s.end(), -number)
            self.assertIn("x = 1", s.history())

    def test_sigterm_at_the_prompt(self):
        self.end_by(signal.SIGTERM, False)

    def test_sigterm_while_busy(self):
        self.end_by(signal.SIGTERM, True)

    def test_sighup(self):
        self.end_by(signal.SIGHUP, False)

    def test_sigquit_restores_the_terminal(self):
        with Session() as s:
            s.send("\x1c")
            while s.pump(0.1) and s.child.isalive():
                pass
            self.assertEqual(s.modes(), (True, True, True))
            self.assertEqual(s.end(), -signal.SIGQUIT)

    def test_crash_restores_the_terminal(self):
        with Session(**CRASHES) as s:
            os.kill(s.child.pid, signal.SIGSEGV)
            while s.pump(0.1) and s.child.isalive():
                pass
            self.assertEqual(s.modes(), (True, True, True))
            self.assertEqual(s.end(), -signal.SIGSEGV)


class Interrupt(unittest.TestCase):
    def interrupt(self, s, code):
        """Runs code that first prints "go"; returns the milliseconds from Ctrl-C to the prompt."""
        s.run("x = 7")
        s.screen.reset()
        s.send("io.write('g', 'o\\n') " + code + "\r")
        s.wait(lambda: "\ngo" in s.text(), "go")
        start = time.monotonic()
        s.send("\x03")
        s.wait_prompt()
        elapsed = 1e3 * (time.monotonic() - start)
        print("# Ctrl-C to prompt, %s: %.0f ms" % (self.id().split(".")[-1], elapsed))
        self.assertLess(elapsed, 300)
        self.assertIn("interrupted", s.text())
        self.assertNotIn("  at ", s.text())
        self.assertEqual(s.run("x"), "7")  # the session is as it was, and no hook is left

    def test_idle(self):
        with Session() as s:
            s.send("abc")
            s.wait_line("rhm> abc")
            s.send("\x03")
            s.wait_prompt()
            self.assertEqual(s.run("1"), "1")

    def test_idle_drops_unfinished_command(self):
        with Session() as s:
            s.run("for i = 1, 2 do", prompt="...> ")
            s.send("\x03")
            s.wait_prompt()
            self.assertEqual(s.run("1"), "1")

    def test_in_history_search(self):
        with Session() as s:
            s.run("alpha = 1")
            s.send("\x12alp")
            s.wait_text("reverse-i-search")
            s.send("\x03")
            s.wait_prompt()
            self.assertEqual(s.run("alpha"), "1")

    def test_training(self):
        with Session() as s:
            s.run("g = rhm.grammar{ V=16, m=4, s=2, L=6, seed=1 } net = rhm.network{ grammar=g }")
            s.run("x = 7")
            s.screen.reset()
            s.send("net:train{ from=g, n=1e12, sampler='draw' }\r")
            s.wait_text("sampling")  # the line of progress
            start = time.monotonic()
            s.send("\x03")
            s.wait_prompt()
            elapsed = 1e3 * (time.monotonic() - start)
            print("# Ctrl-C to prompt, training: %.0f ms" % elapsed)
            self.assertLess(elapsed, 300)
            self.assertIn("interrupted: net:resume() goes on with the training", s.text())
            self.assertEqual(s.run("x"), "7")
            self.assertRegex(s.run("net.job.state"), "paus")

    def test_locked_database(self):
        with Session() as s:
            s.run("store = rhm.results{ path='r.db', create=true }")
            s.run("store:add{ experiment='a', seed=1, parameters={}, measures={} }")
            other = sqlite3.connect(s.home + "/r.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            s.send("store:add{ experiment='a', seed=2, parameters={}, measures={} }\r")
            s.wait_text("waiting for r.db, which another program has locked: at most 20 s, Ctrl-C stops it")
            s.send("\x03")
            s.wait_prompt()
            self.interrupt(s, "store:add{ experiment='a', seed=2, parameters={}, measures={} }")
            other.execute("COMMIT")
            other.close()
            s.run("store:add{ experiment='a', seed=3, parameters={}, measures={} }")
            self.assertEqual(s.run("#store"), "2")

    def test_loop(self):
        with Session() as s:
            self.interrupt(s, "while true do end")

    def test_pcall(self):
        with Session() as s:
            self.interrupt(s, "while true do pcall(function() while true do end end) end")

    def test_xpcall(self):
        with Session() as s:
            self.interrupt(s, "repeat xpcall(function() while true do end end, function(m) return m end) until false")

    def test_coroutine_wrap(self):
        with Session() as s:
            self.interrupt(s, "co = coroutine.wrap(function() while true do end end) co()")

    def test_coroutine_resume(self):
        with Session() as s:
            self.interrupt(s, "while true do coroutine.resume(coroutine.create(function() while true do end end)) end")

    def test_coroutine_nested(self):
        with Session() as s:
            self.interrupt(s, "w = coroutine.wrap w(function() w(function() pcall(w(function() while true do "
                              "end end)) end)() end)()")

    def test_generator(self):
        with Session() as s:
            self.interrupt(s, "g = coroutine.wrap(function() while true do coroutine.yield(1) end end) "
                              "for _ in g do end")
            self.assertEqual(s.run("pcall(g) ~= nil"), "true")

    def test_read(self):
        with Session() as s:
            self.interrupt(s, "io.read()")

    def test_result_being_printed(self):
        with Session() as s:
            s.run("o = setmetatable({}, {__tostring = function() print('go') while true do end end})")
            s.send("o\r")
            s.wait(lambda: "\ngo" in s.text(), "go")
            s.send("\x03")
            s.wait_prompt()
            self.assertEqual(s.run("1"), "1")


class Suspend(unittest.TestCase):
    def suspend(self, busy):
        with Session(command=["/bin/sh", "-i"], prompt=False, PS1="$ ", ENV="") as s:
            s.wait_text("$")
            s.send("'%s' --plain -q\r" % RHM)
            s.wait(lambda: s.line() == "rhm>", "the prompt")
            if busy:
                s.send("print('g' .. 'o') for i = 1, 1e9 do end\r")
                s.wait_text("\ngo")
            else:
                s.send("12 +")
                s.wait_line("rhm> 12 +")
            s.send("\x1a")
            s.wait(lambda: s.line() == "$", "the shell")
            self.assertEqual(s.modes()[1:], (True, True))
            s.send("fg\r")
            if busy:
                # typed, stopped, and named by fg, which then gives it the terminal: an earlier Ctrl-C is sh's own
                s.wait(lambda: s.text().count(" -q") >= 3, "fg")
                s.send("\x03")
                s.wait(lambda: s.line() == "rhm>", "the prompt")
                s.send("12 +")
            s.wait(lambda: s.line() == "rhm> 12 +", "the line as it was")
            s.send(" 3\r")
            s.wait_text("\n15\n")

    def test_at_the_prompt(self):
        self.suspend(False)

    def test_while_busy(self):
        self.suspend(True)


class Input(unittest.TestCase):
    def test_paste_of_several_lines(self):
        with Session() as s:
            s.screen.reset()
            s.send("\x1b[200~1 + 1\n2 + 2\nfor i = 5, 6 do\nprint(i)\nend\n\x1b[201~")
            s.wait_text("print(i)")
            s.send("\r")
            s.wait_text("6\nrhm>")
            self.assertTrue(s.text().endswith("2\n4\n5\n6\nrhm>"), s.text())

    def test_lines_typed_ahead(self):
        with Session() as s:
            s.screen.reset()
            s.send("a = 1\rb = 2\ra + b\r")
            s.wait_text("\n3\nrhm>")

    def test_long_line_and_resize(self):
        with Session(columns=60) as s:
            s.send("'" + "x" * 100)
            s.wait_text("x" * 54 + "\n" + "x" * 46)
            s.screen.resize(40, 90)
            s.child.setwinsize(40, 90)
            s.screen.reset()
            s.send("y'\r")
            s.wait_text('"' + "x" * 89 + "\n" + "x" * 11 + 'y"')
            s.wait_prompt()
            self.assertEqual(s.run("rhm.width()"), "90")

    def test_dumb_terminal(self):
        with Session(TERM="dumb") as s:
            s.send("1 + 1\r")
            s.wait_text("\n2\nrhm>")
            s.send("net = rhm.network{ grammar=rhm.grammar{ V=4, m=2, s=2, L=2 } } view 'layers'\r")
            s.wait_text("waiting")
            s.wait(lambda: s.text().endswith("\nrhm>"), "the prompt")
            self.assertNotIn(b"\x1b", s.raw)
            self.assertTrue(s.raw.isascii(), s.text())
            s.send("\x04")
            self.assertEqual(s.end(), 0)

    def test_forced_interactive_on_a_pipe(self):
        with Session(command=["/bin/sh", "-c", "printf '1 + 1\\n' | '%s' -i -q -E" % RHM], prompt=False) as s:
            self.assertEqual(s.end(), 0)
            self.assertIn("2", s.text().split("\n"))


class History(unittest.TestCase):
    def test_survives_a_restart(self):
        with Session() as s:
            s.run("for i = 1, 2 do", prompt="...> ")
            s.run("print(i) end")
            s.run("'back\\\\slash'")
            s.send("\x04")
            s.end()
            with Session(home=s.home) as t:
                t.send("\x1b[A")
                t.wait_line("rhm> 'back\\\\slash'")
                t.send("\x1b[A")
                t.wait(lambda: "rhm> for i = 1, 2 do\nprint(i) end" in t.text(), "the entry of two lines")
                t.screen.reset()
                t.send("\r")
                t.wait_text("1\n2\nrhm>")

    def test_search(self):
        with Session() as s:
            s.run("alpha = 'find me'")
            s.run("beta = 2")
            s.send("\x12find")
            s.wait_text("alpha = 'find me'")
            s.send("\r")
            s.wait_prompt()

    def test_private_and_without_doubles(self):
        with Session() as s:
            for line in ("1", "2", "1", "1", " ", ""):
                s.run(line)
            name = os.path.join(s.home, ".local/state/rhm/history")
            self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), 0o600)
            self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(name)).st_mode), 0o700)
            with Session(home=s.home) as t:
                for expected in ("1", "2", "2"):  # the older "1" is gone
                    t.send("\x1b[A")
                    t.wait_line("rhm> " + expected)

    def test_two_sessions(self):
        with Session() as s, Session(home=s.home) as t:
            s.run("'from s'")
            t.run("'from t'")
            s.run("'again s'")
            self.assertEqual(s.history(), ["'from s'", "'from t'", "'again s'"])

    def test_bounded(self):
        with Session() as s:
            name = os.path.join(s.home, ".local/state/rhm/history")
            with open(name, "w") as file:
                file.writelines("x = %d\n" % i for i in range(5000))
            with Session(home=s.home) as t:
                self.assertEqual(len(t.history()), 2000)
                t.send("\x1b[A")
                t.wait_line("rhm> x = 4999")

    def test_state_folder_of_xdg(self):
        with Session(XDG_STATE_HOME="/dev/null/none") as s:
            self.assertIn("no history will be kept", s.text())
            self.assertEqual(s.run("1"), "1")

    def test_no_home(self):
        with Session(HOME=None) as s:
            self.assertNotIn("history", s.text())
            s.run("12345")
            s.send("\x1b[A")
            s.wait_line("rhm> 12345")


class Init(unittest.TestCase):
    def start(self, text, *words, **env):
        s = Session(*words, **env)
        folder = os.path.join(s.home, ".config/rhm")
        os.makedirs(folder)
        with open(os.path.join(folder, "init.lua"), "w") as file:
            file.write(text)
        with open(os.path.join(s.home, "init.lua"), "w") as file:
            file.write("here = true")
        return s

    def test_is_run(self):
        with self.start("fromfile = 9") as s, Session(home=s.home) as t:
            self.assertEqual(t.run("fromfile, here"), "9  nil")

    def test_error_does_not_end_the_shell(self):
        with self.start("error 'in the init file'") as s, Session(home=s.home) as t:
            self.assertIn("init.lua:1: in the init file", t.text())
            self.assertEqual(t.run("1"), "1")

    def test_off_with_E(self):
        with self.start("fromfile = 9") as s, Session("-E", home=s.home) as t:
            self.assertEqual(t.run("fromfile"), "nil")


if __name__ == "__main__":
    unittest.main(verbosity=2)
