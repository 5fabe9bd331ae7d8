"""The command: options, scripts, standard input, exit codes, what goes where."""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import RHM, environment  # noqa: E402


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="rhm-test-")
        self.addCleanup(self.folder.cleanup)

    def run_rhm(self, *words, stdin="", **env):
        done = subprocess.run([RHM, *words], input=stdin, capture_output=True, text=True, cwd=self.folder.name,
                              env=environment(self.folder.name, **env), timeout=60)
        return done.returncode, done.stdout, done.stderr

    def script(self, text, name="test.lua"):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    # --- code and modules

    def test_code(self):
        self.assertEqual(self.run_rhm("-e", "print(6 * 7)"), (0, "42\n", ""))
        self.assertEqual(self.run_rhm("-eprint(1)", "-e", "print(2)"), (0, "1\n2\n", ""))

    def test_code_stops_at_an_error(self):
        self.assertEqual(self.run_rhm("-e", "error 'no'", "-e", "print(2)"), (1, "", "rhm: (command line):1: no\n"))

    def test_module(self):
        self.script("return { x = 2 }", "mine.lua")
        self.assertEqual(self.run_rhm("-l", "mine", "-e", "print(mine.x)"), (0, "2\n", ""))
        self.assertEqual(self.run_rhm("-l", "p=rhm.print", "-e", "print(p.width())"), (0, "79\n", ""))
        code, out, err = self.run_rhm("-l", "nosuchmodule")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("nosuchmodule", err)

    def test_rhm_is_there_and_requirable(self):
        self.assertEqual(self.run_rhm("-e", "print(require 'rhm' == rhm, type(rhm.grammar))"), (0, "true\tfunction\n", ""))

    def test_shell_functions_only_in_the_shell(self):
        self.assertEqual(self.run_rhm("-e", "print(help, who, pp, timing)"), (0, "nil\tnil\tnil\tnil\n", ""))

    # --- scripts

    def test_arguments(self):
        self.script("#!/usr/bin/env rhm\nprint(#arg, arg[0], arg[1], arg[2], ...)")
        self.assertEqual(self.run_rhm("-q", "test.lua", "a", "-e"), (0, "2\ttest.lua\ta\t-e\ta\t-e\n", ""))

    def test_options_after_the_end_of_options(self):
        self.script("print 'odd name'", "-odd")
        self.assertEqual(self.run_rhm("--", "-odd"), (0, "odd name\n", ""))

    def test_code_before_the_script(self):
        self.script("print(x)")
        self.assertEqual(self.run_rhm("-e", "x = 3", "test.lua"), (0, "3\n", ""))

    def test_error_names_file_and_line(self):
        self.script("\n\nlocal x = nil + 1")
        self.assertEqual(self.run_rhm("test.lua")[::2],
                         (1, "rhm: test.lua:3: attempt to perform arithmetic on a nil value\n"))

    def test_traceback_where_deep(self):
        self.script("local function f() error 'deep' end\nlocal function g() f() end\ng()\n")
        self.assertEqual(self.run_rhm("test.lua")[::2], (1, "rhm: test.lua:1: deep\n  at test.lua:1 in function 'f'\n"
                         "  at test.lua:2 in function 'g'\n  at test.lua:3 in the main chunk\n"))

    def test_traceback_of_a_recursion_is_short(self):
        self.script("local function f(n) return 1 + f(n + 1) end f(1)")
        code, _, err = self.run_rhm("test.lua")
        self.assertEqual(code, 1)
        self.assertIn("stack overflow", err)
        self.assertRegex(err, r"\.\.\. \(\d+ more\)")
        self.assertLess(len(err.splitlines()), 25)

    def test_syntax_error(self):
        self.script("x = = 1")
        self.assertEqual(self.run_rhm("test.lua")[::2], (1, "rhm: test.lua:1: unexpected symbol near '='\n"))

    def test_error_object(self):
        self.script("error(setmetatable({}, {__tostring = function() return 'own text' end}))")
        self.assertEqual(self.run_rhm("test.lua")[::2], (1, "rhm: own text\n"))
        self.script("error()")
        self.assertEqual(self.run_rhm("test.lua")[::2], (1, "rhm: (the error object is a nil value)\n"))

    def test_missing_script(self):
        code, out, err = self.run_rhm("nosuch")
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, r'^rhm: no script "nosuch": looked for \./nosuch and /\S*/scripts/nosuch\.lua\n$')
        code, out, err = self.run_rhm("./sub/nosuch.lua")
        self.assertEqual((code, err), (1, 'rhm: cannot open script "./sub/nosuch.lua": No such file or directory\n'))

    def test_bare_name_of_the_scripts_folder(self):
        code, out, err = self.run_rhm("quickstart", "--help")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("quickstart", out)

    def test_scripts_speak_within_the_width(self):
        for name in "quickstart", "learning_table":
            code, out, err = self.run_rhm(name, "--help")
            self.assertEqual((code, err), (0, ""))
            self.assertLessEqual(max(map(len, out.splitlines())), 79, out)
        code, out, err = self.run_rhm("quickstart", "--quick")
        self.assertEqual((code, err), (0, ""))
        self.assertLessEqual(max(map(len, out.splitlines())), 79, out)

    def test_wrong_options_of_scripts(self):
        for words, problem in ((("quickstart", "--bad"), "unknown argument '--bad'"),
                               (("quickstart", "--seed", "x"), "--seed x: must be a whole number, 0 or more"),
                               (("quickstart", "--seed"), "--seed without a number: must be a whole number, 0 or more"),
                               (("learning_table", "--bad"), "unknown option '--bad'")):
            self.assertEqual(self.run_rhm(*words),
                             (2, "", "rhm %s: %s (see rhm %s --help)\n" % (words[0], problem, words[0])))

    def test_missing_module_is_one_line(self):
        self.assertEqual(self.run_rhm("-e", "require 'rhm.nothing'"),
                         (1, "", "rhm: (command line):1: module 'rhm.nothing' not found in package.path (.lua) or "
                          "package.cpath (.so)\n"))

    def test_file_here_comes_first(self):
        self.script("print 'mine'", "quickstart")
        self.assertEqual(self.run_rhm("quickstart"), (0, "mine\n", ""))

    def test_os_exit(self):
        self.assertEqual(self.run_rhm("-e", "os.exit(7)")[0], 7)

    def test_os_exit_closes_what_is_open(self):
        done = os.path.join(self.folder.name, "closed")
        self.assertEqual(self.run_rhm("-e", """
            local guard <close> = setmetatable({}, {__close = function() io.open('%s', 'w'):close() end})
            os.exit(false)""" % done)[0], 1)
        self.assertTrue(os.path.exists(done))

    def test_os_exit_while_a_job_runs(self):
        for _ in range(3):
            self.assertEqual(self.run_rhm("-e", """
                local g = rhm.grammar{ V=16, m=8, s=2, L=4, seed=1 }
                local job = rhm.network{ grammar=g }:train{ from=g, solver="gd", steps=1e9, background=true }
                while (job.progress.levels[4].step or 0) < 10 do end
                os.exit(5)""")[0], 5)

    # --- standard input and output

    def test_piped_input_is_a_script(self):
        self.assertEqual(self.run_rhm(stdin="print(1)\n1 = 2\n"),
                         (1, "", "rhm: stdin:2: unexpected symbol near '1'\n"))
        self.assertEqual(self.run_rhm(stdin="x = 1\nprint(x)"), (0, "1\n", ""))
        self.assertEqual(self.run_rhm("-", "a", stdin="print(...)"), (0, "a\n", ""))
        self.assertFalse(os.path.exists(os.path.join(self.folder.name, ".local")))

    def test_broken_pipe(self):
        program = "for i = 1, 1e6 do print(i) end"
        done = subprocess.run("'%s' -e '%s' | head -1" % (RHM, program), shell=True, capture_output=True, text=True, timeout=60,
                              env=environment(self.folder.name))
        self.assertEqual((done.stdout, done.stderr), ("1\n", ""))

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([RHM, "-e", "print(1)"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "rhm: cannot write standard output: No space left on device\n"))

    # --- options

    def test_version_and_help(self):
        code, out, err = self.run_rhm("--version")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^rhm \d+\.\d+\S* \(Lua 5\.4\.\d+\)\n$")
        self.assertEqual(self.run_rhm("-v")[1], out)
        code, out, err = self.run_rhm("--help")
        self.assertEqual((code, err), (0, ""))
        for option in ("-e", "-l", "-i", "-E", "-q", "--plain", "--threads", "--version", "--help"):
            self.assertIn(option, out)

    def test_usage_errors(self):
        for words, text in ((["--verison"], "unknown option --verison: did you mean --version? (rhm --help lists all)"),
                            (["-x"], "unknown option -x (see rhm --help)"),
                            (["-e"], "code expected after -e (see rhm --help)"),
                            (["-l"], "module expected after -l (see rhm --help)"),
                            (["--threads", "0"], "--threads needs a number from 1 to 1024, not 0 (see rhm --help)"),
                            (["--threads=two"], "--threads needs a number from 1 to 1024, not two (see rhm --help)"),
                            (["--threads"], "--threads needs a number from 1 to 1024, not nothing (see rhm --help)")):
            with self.subTest(words):
                self.assertEqual(self.run_rhm(*words), (2, "", "rhm: " + text + "\n"))

    def test_environment_and_E(self):
        self.script("return { x = 1 }", "modules/mine.lua")
        path = os.path.join(self.folder.name, "modules/?.lua")
        self.assertEqual(self.run_rhm("-e", "print(require('mine').x)", LUA_PATH=path), (0, "1\n", ""))
        self.assertEqual(self.run_rhm("-E", "-e", "print(pcall(require, 'mine') == false)", LUA_PATH=path), (0, "true\n", ""))

    def test_own_modules_come_first(self):
        self.script("error 'not ours'", "rhm/print.lua")
        self.assertEqual(self.run_rhm("-e", "rhm.print { 1 }", LUA_PATH="./?.lua"), (0, "{1}\n", ""))

    def test_warnings(self):
        self.assertEqual(self.run_rhm("-e", "warn 'w'"), (0, "", ""))
        self.assertEqual(self.run_rhm("-W", "-e", "warn 'w'"), (0, "", "Lua warning: w\n"))

    # --- interrupt

    def interrupted(self, code, before=""):
        child = subprocess.Popen([RHM, "-e", before + " io.write('go\\n') io.flush() " + code], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=environment(self.folder.name))
        try:
            self.assertEqual(child.stdout.readline(), "go\n")
            start = time.monotonic()
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=30)
            elapsed = 1e3 * (time.monotonic() - start)
        finally:
            child.kill()
        self.assertEqual((child.returncode, out, err), (130, "", "rhm: interrupted\n"))
        print("# SIGINT to exit: %.0f ms" % elapsed)
        self.assertLess(elapsed, 500)

    def test_interrupt(self):
        self.interrupted("while true do end")

    def test_interrupt_is_not_caught(self):
        self.interrupted("while true do pcall(function() while true do end end) end")

    def test_interrupt_in_coroutine(self):
        self.interrupted("coroutine.wrap(function() pcall(function() while true do end end) end)() while true do end")

    def test_interrupt_runs_pending_close(self):
        done = os.path.join(self.folder.name, "closed")
        self.interrupted("while true do end",
                         before="local file <close> = assert(io.open('%s', 'w')) file:write('x')" % done)
        self.assertEqual(os.path.getsize(done), 1)

    def test_second_interrupt_ends_what_cannot_be_stopped(self):
        code = """local loop = function() io.write('go\\n') io.flush() while true do end end -- no hook runs in a finalizer
                  setmetatable({}, { __gc = loop }) collectgarbage()"""
        child = subprocess.Popen([RHM, "-e", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=environment(self.folder.name))
        try:
            self.assertEqual(child.stdout.readline(), "go\n")
            for _ in range(1000):
                if child.poll() is not None:
                    break
                child.send_signal(signal.SIGINT)
                try:
                    child.wait(0.02)
                except subprocess.TimeoutExpired:
                    pass
            self.assertEqual(child.wait(1), -signal.SIGINT)
        finally:
            child.kill()
            child.communicate()

    # --- coroutines behave as Lua's own

    def test_coroutine_library(self):
        out = self.run_rhm("-e", """
            local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b) error({c}) end)
            print(coroutine.resume(co, 1, 2))
            local ok, e = coroutine.resume(co, 5)
            print(ok, e[1], coroutine.status(co), coroutine.resume(co))
            print(pcall(coroutine.wrap(function() error 'x' end)))
            print(select('#', coroutine.wrap(function() return nil, nil end)()))
            local closed
            co = coroutine.create(function() local _ <close> = setmetatable({}, {__close = function() closed = true end})
                                             coroutine.yield() end)
            coroutine.resume(co)
            print(coroutine.close(co), closed, coroutine.status(co), coroutine.close(co))
            print(coroutine.close(coroutine.create(print)))
            print(pcall(coroutine.resume, 1))
            print(pcall(coroutine.close, coroutine.running()))
            co = coroutine.wrap(function() local _ <close> = setmetatable({}, {__close = function() closed = 2 end}) error 'y' end)
            print(pcall(co)) print(closed, pcall(co))
            print(coroutine.wrap(function() return pcall(pcall, error, 'e') end)())
            print(coroutine.isyieldable(), coroutine.wrap(coroutine.isyieldable)())
        """)
        lua = """true\t3
false\t5\tdead\tfalse\tcannot resume dead coroutine
false\t(command line):6: x
2
true\ttrue\tdead\ttrue
true
false\tbad argument #1 to 'coroutine.resume' (coroutine expected, got number)
false\tcannot close a running coroutine
false\t(command line):16: y
2\tfalse\tcannot resume dead coroutine
true\tfalse\te
false\ttrue
"""
        self.assertEqual(out, (0, lua, ""))

    def test_startup_time(self):
        best = 1e9
        for _ in range(5):
            start = time.monotonic()
            self.run_rhm("-e", "")
            best = min(best, 1e3 * (time.monotonic() - start))
        print("# start and end: %.1f ms (best of 5)" % best)
        self.assertLess(best, 250)  # a sanitizer takes 90


if __name__ == "__main__":
    unittest.main(verbosity=2)
