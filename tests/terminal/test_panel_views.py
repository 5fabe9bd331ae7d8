"""The views of the panel while a training runs, those of scripts, hooks, and training by hand."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import Panel  # noqa: E402

NETWORK = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g, seed=1 };"
TRAINING = "job = net:train{ from=g, solver='gd', n=3000, steps=9000, steps_per_second=40, background=true };"
# name, function key of xterm, what the view shows of this network
VIEWS = (("layers", "\x1bOQ", r"\bl state[^\n]*\n 3 \S+ solving"),
         ("distances", "\x1bOR", r"layer 3 of 3: 32 patches[^$]*\n1 "),
         ("curves", "\x1bOS", r"loss [\d.]+[^$]*intra[^$]*inter[^$]* step(\n|$)"),
         ("histogram", "\x1b[15~", r"distances of q\^[^$]*within[^$]*between"),
         ("synonyms", "\x1b[17~", r"layer 3 of 3: 32 patches[^$]*symbol \d: 4 patches"),
         ("grammar", "\x1b[18~", r"\(8, 4, 2, 3\)[^$]*Assumption 4\.1 holds"),
         ("jobs", "\x1b[19~", r"\n +1 +\S+ running +train \(8,4,2,3\) gd"),
         ("keys", "\x1bOP", r"anywhere\b[^\n]*\n +F1 +this page"))
F10, F12, ESC = "\x1b[21~", "\x1b[24~", "\x1b"


def train(s):
    s.run(NETWORK)
    s.run(TRAINING)
    s.wait(lambda: re.search(r"step [1-9]", s.state()), "steps")


class Views(unittest.TestCase):
    def selected(self, s):
        """The names of the title that stand out."""
        cells = [s.screen.buffer[0][x] for x in range(s.screen.columns)]
        return re.findall(r"[a-z]+", "".join(c.data if c.reverse or c.bg != "default" else " " for c in cells))

    def steps(self, s):
        return int(re.search(r"step (\d+)", s.state())[1])

    def shown(self, s, name, pattern, prompt):
        s.wait(lambda: re.search(pattern, s.view()) and self.selected(s) == [name], name)
        s.wait(lambda: s.line() == prompt and s.screen.cursor.y > s.status, "the prompt")
        self.assertRegex(s.title(), r"layers\b.*distances\b.*curves\b.*histogram\b.*synonyms\b.*grammar\b.*jobs\b")
        self.assertRegex(s.state(), r"level 3: solving +\d+%, step \d+ of 9000, ")
        self.assertRegex(s.rows()[-1], r"^F1 keys .*\^D leave$")
        self.assertNotRegex(s.view(), r"rhm> |F1 keys .*\^D leave|level 3: solving +\d+%, step \d+ of 9000, .*left")
        self.assertNotRegex(s.console(), r"solving|[█│▒⣀]")

    def all(self, lines, columns):
        with Panel(lines=lines, columns=columns) as s:
            self.assertEqual(self.selected(s), ["layers"])
            train(s)
            s.send("typed")
            s.wait_line("rhm> typed")
            console = s.console()
            for keys in (None, "\x18"):
                for i, (name, key, pattern) in enumerate(VIEWS):
                    step = self.steps(s)
                    s.send(key if not keys else keys + ("h" if name == "keys" else str(i + 1)))
                    self.shown(s, name, pattern, "rhm> typed")
                    self.assertEqual(s.console(), console)
                    s.wait(lambda: re.search(r"step \d+", s.state()) and self.steps(s) > step, "further steps")
            s.send("\x15")
            s.wait_prompt()
            for name, key, pattern in VIEWS:
                s.send("view '%s'\r" % name)
                self.shown(s, name, pattern, "rhm>")
            self.assertEqual(s.console().count("view '"), len(VIEWS))
            self.assertNotIn("error", s.console())
            # nothing is left of one view in another: each is what a fresh screen shows, in all sizes of the panel
            s.send("\x18p")
            s.wait(lambda: "paused" in s.state(), "a training that is paused")
            for size in ("larger", "hidden", "normal"):
                s.send(F12)
                for i, (name, key, pattern) in enumerate(VIEWS if size != "hidden" else ()):
                    s.send(key)
                    pattern = pattern.replace("solving", "paused").replace("running", "paused")
                    s.wait(lambda: re.search(pattern, "\n".join(s.rows(1))) and self.selected(s) == [name], name)
                    self.assertEqual(s.stale_rows(), [], s.text())
                self.assertEqual(s.stale_rows(), [], s.text())
            self.assertEqual(s.screen.unknown, [])

    def test_24_x_80(self):
        self.all(24, 80)

    def test_48_x_160(self):
        self.all(48, 160)

    def test_in_a_foreground_training(self):
        with Panel() as s:
            s.run(NETWORK)
            s.send("net:train{ from=g, solver='gd', n=3000, steps=9000, steps_per_second=40 };\r")
            s.wait(lambda: re.search(r"step [1-9]", s.state()), "steps")
            for name, key, pattern in VIEWS:
                s.send(key)
                self.shown(s, name, pattern, "rhm>")
                self.assertTrue(s.busy())

    def test_sizes(self):
        with Panel() as s:
            s.run("'here'")
            s.send(F12)  # larger
            s.wait(lambda: s.rows()[18] == "nothing is trained yet" and s.rows()[22] == "rhm>", "a console of four rows")
            self.assertIn("layers", s.title())
            s.send("\x18z")  # hidden
            s.wait(lambda: s.rows()[0].startswith("rhm 0.") or "rhm 0." in s.rows()[1], "output from the top")
            self.assertNotIn("layers", s.title())
            s.send(F12)
            s.wait(lambda: "layers" in s.title() and s.idle() and s.screen.cursor.y == s.status + 5, "what was before")
            s.send(F12 + F12)
            s.wait(lambda: "layers" not in s.title(), "no panel")
            s.send("\x183")  # a view brings it back
            s.wait(lambda: self.selected(s) == ["curves"], "curves")

    def test_views_follow_the_network_in_work(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("net:train{ from=g, n=5000 };")
            s.wait(lambda: "trained, accuracy" in s.state(), "a network that is trained")
            s.run("other = rhm.network{ grammar=rhm.grammar{ V=6, m=3, s=2, L=2, seed=1 } };")
            s.run("other:layer(2):begin{ from=other.grammar, n=1000 };")
            s.wait(lambda: "other (V,m,s,L) = (6,3,2,2)" in s.state(), "the other network")
            s.run("view('layers', net)")
            s.wait(lambda: "net (V,m,s,L) = (8,4,2,3)" in s.state(), "the first network")

    def test_errors_of_the_command(self):
        with Panel() as s:
            self.assertRegex(s.run("view 'layer'"), r'^error: view "layer": ')
            self.assertRegex(s.run("view('distances', 7)"), r'^error: view "distances": ')
            self.assertEqual(self.selected(s), ["layers"])


class Extensions(unittest.TestCase):
    def test_view_of_a_script(self):
        with Panel() as s:
            train(s)
            s.run("rhm.view.register('mine', function(net, width, height) return { {{'of ', style='bold'}, "
                  "{net.V .. ' symbols', style='good'}}, width .. ' x ' .. height, 'step ' .. net:layer(3).steps } end)")
            s.run("view 'mine'")
            s.wait_view("of 8 symbols\n80 x 11\nstep ")
            self.assertTrue(s.screen.buffer[1][0].bold)
            self.assertNotEqual(s.screen.buffer[1][3].fg, "default")
            seen = s.view()
            s.wait(lambda: re.search(r"step \d+", s.view()) and s.view() != seen, "further steps")  # it is live
            self.assertIn("mine", s.title())
            s.send("\x181")
            s.wait_view("solving")

    def test_view_that_returns_anything(self):
        with Panel() as s:
            s.run("rhm.view.register('odd', function(_, w) return {('x'):rep(3 * w), "
                  "'\\27[2J\\27]0;t\\7a\\tb', {{'日本'}, {'plain', style='no such style'}}, 3.5, {}, false} end)")
            s.send("view 'odd'\r")
            s.wait(lambda: "odd" in s.title() and ("日本" in s.view() or "disabled" in s.console()), "a picture or a message")
            self.assertNotIn("\x1b]0", s.raw.decode())
            self.assertEqual(s.screen.title, "")
            self.assertEqual(s.run("1 + 1"), "2")
            self.assertEqual(s.stale_rows(), [], s.text())

    def test_too_many_lines(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("function rows() local t = {} for i = 1, 500 do t[i] = 'row ' .. i end return t end")
            s.run("rhm.view.register('long', rows)")
            s.run("view 'long'")
            s.wait_view("row 1\nrow 2\n")
            s.run("rhm.view.register('text', {scroll=true, draw=rows})")
            s.run("view 'text'")
            s.wait(lambda: "1-11 of 500" in s.state(), "the place in the text")
            s.send(F10 + "\x1b[6~")
            s.wait_view("row 11\n")
            s.send("\x1b[F")
            s.wait_view("row 499\nrow 500")
            s.send("/row 77\r")
            s.wait(lambda: s.view().startswith("row 77\n"), "the row looked for")
            s.send("\x1b[H")
            s.wait(lambda: s.view().startswith("row 1\n"), "the first row")

    def test_error_in_a_view(self):
        with Panel() as s:
            train(s)
            s.run("n = 0 rhm.view.register('bad', function() n = n + 1 if n > 2 then error 'boo' end "
                  "return {'fine ' .. n} end)")
            s.run("view 'bad'")
            s.wait_console("disabled: ")
            s.wait(lambda: "solving" in s.view(), "the layers")
            for _ in range(3):  # it is not tried again with each frame
                seen = s.state()
                s.wait(lambda: s.state() != seen and "step" in s.state(), "further frames")
            self.assertEqual(len(re.findall(r'error: view "bad" is disabled: .*boo', s.console())), 1, s.console())
            self.assertEqual(s.run("n"), "3")
            s.run("n = -1000")
            s.run("view 'bad'")
            s.wait_view("fine -99")

    def test_view_that_prints(self):
        with Panel() as s:
            s.run("rhm.view.register('loud', function() print 'from the view' return {'picture'} end)")
            s.run("view 'loud'")
            s.wait_view("picture")
            s.wait_console("from the view")
            self.assertIn("2", s.run("1 + 1").split("\n"))

    def test_keys_of_a_view(self):
        with Panel() as s:
            s.run("rhm.view.register('keyed', {draw=function(_, w, h, o) return {'at ' .. (o.at or 0), o.word or ''} end, "
                  "key=function(_, o, k) if k == 'x' then o.at = (o.at or 0) + 1 return true end "
                  "if k == 'w' then return {ask='word: ', call=function(t) o.word = t end} end "
                  "if k == 'e' then error 'oh' end end})")
            s.run("view 'keyed'")
            s.wait_view("at 0")
            s.send("kept" + F10 + "xx")
            s.wait_view("at 2")
            s.send("w")
            s.wait(lambda: s.line() == "word:", "a question")
            s.send("größe\r")
            s.wait_view("at 2\ngröße")
            s.send("x")  # still in the view
            s.wait_view("at 3")
            for give_up, at in (("\x03", 4), ("\x04", 5)):  # Ctrl-C, Ctrl-D: back to the view, which is as it was
                s.send("w")
                s.wait(lambda: s.line() == "word:", "a question")
                s.send("klein" if give_up == "\x03" else "")
                s.wait(lambda: s.line().startswith("word:" + (" klein" if give_up == "\x03" else "")), "the answer begun")
                s.send(give_up)
                s.wait(lambda: not s.line().startswith("word:"), "the end of the question")
                s.send("x")
                s.wait_view("at %d\ngröße" % at)
            bells = s.screen.bells
            s.send("Q")
            s.wait(lambda: s.screen.bells > bells, "a bell")
            s.send("e")
            s.wait_console("oh")
            s.wait(lambda: "nothing to show" in s.view(), "the layers")
            s.send("q")
            s.wait_line("rhm> kept")

    def test_hook(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("off = rhm.on('progress', function(job, p) print('hook', job.id, p.state) end)")
            s.send("half")
            s.wait_line("rhm> half")
            s.send("\x15job = net:train{ from=g, solver='gd', n=2000, steps=10, steps_per_second=20, background=true };\r")
            s.send("half")
            s.wait_console("hook    1       running")
            s.wait_console("hook    1       done")
            s.wait_line("rhm> half")
            s.send("\x15off()\r")
            s.wait_prompt()

    def test_error_in_a_hook(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("calls = 0 rhm.on('progress', function() calls = calls + 1 error 'hook broke' end)")
            s.run(TRAINING)
            s.wait_console("removed: ")
            for _ in range(3):
                seen = s.state()
                s.wait(lambda: s.state() != seen and "step" in s.state(), "the training to go on")
            self.assertEqual(s.console().count("removed: "), 1)
            self.assertEqual(s.run("calls, job.state"), '1  "running"')

    def test_step_hook(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("rhm.on('step', function(lay, loss) print(('level %d step %d'):format(lay.level, lay.steps)) end)")
            s.run("lay = net:layer(3) lay:begin{ from=g, n=2000 };")
            self.assertRegex(s.run("lay:step(2);"), "level 3 step [12]")


class ByHand(unittest.TestCase):
    def test_from_the_prompt(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("lay = net:layer(3) lay:begin{ from=g, n=3000 };")
            s.wait(lambda: "level 3 by hand: step 0" in s.state(), "step 0")
            for k, total in ((1, 1), (1, 2), (10, 12)):
                s.run("lay:step(%d);" % k)
                s.wait(lambda: "level 3 by hand: step %d," % total in s.state(), "step %d" % total)
                s.wait(lambda: re.search(r"\n 3 \S+ by hand .*\b%d\b" % total, s.view()), "the layer at step %d" % total)
            s.send("\x182")  # the heat map follows
            s.wait_view("step 12 ")
            s.run("lay:step(5);")
            s.wait_view("step 17 ")
            s.run("lay:finish();")
            s.wait(lambda: re.search("partly trained", s.state()), "a layer that is done")

    def test_by_keys(self):
        with Panel() as s:
            s.run(NETWORK)
            s.send("rest")
            s.wait_line("rhm> rest")
            s.send(F10)
            s.wait(lambda: "s step" in s.rows()[-1] and s.screen.cursor.hidden, "keys for the view")

            def at(level, step):
                s.wait(lambda: re.search(r"level %d by hand: step %d\b" % (level, step), s.state()),
                       "level %d, step %d" % (level, step))
            s.send("s")
            at(3, 1)
            s.send("S")
            at(3, 11)
            s.send("ss")
            at(3, 13)
            s.send("r")
            s.wait(lambda: int((re.search(r"by hand: step (\d+)", s.state()) or "00")[1]) > 15, "steps that go on")
            s.send("p")
            s.settle()
            step = int(re.search(r"by hand: step (\d+)", s.state())[1])
            self.assertLess(step, 100)
            s.send("r")  # to the next hundred
            at(3, 100)
            s.send("n")
            at(2, 0)
            s.send("S")
            at(2, 10)
            s.send("n")
            at(1, 0)
            s.send("S")
            at(1, 10)
            s.send("n")
            s.wait_console("all layers are trained: accuracy ")
            s.send("s")
            s.wait_console("all layers are trained; rhm.network{...} makes a new network")
            self.assertNotIn("rhm.panel", s.console().replace("rhm.panel.step:", ""))
            s.send("q")
            s.wait_line("rhm> rest")
            s.wait(lambda: not s.screen.cursor.hidden, "the cursor")

    def test_steps_end_by_ctrl_c(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("rhm.panel.speed = 5")
            s.send(F10 + "r")
            s.wait(lambda: re.search("by hand: step [1-9]", s.state()), "steps")
            s.send("\x03")
            s.wait_console("\ninterrupted\nrhm>")
            s.send("q")
            self.assertEqual(s.run("1 + 1"), "2")

    def test_moving_in_views(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("net:train{ from=g, n=5000 };")
            s.send("\x182" + F10)
            s.wait_view("layer 3 of 3")
            s.send("]]")
            s.wait_view("layer 1 of 3")
            s.send("[")
            s.wait_view("layer 2 of 3")
            s.send("[")
            s.wait_view("layer 3 of 3")
            seen = s.view()
            s.send("\x1b[C\x1b[B\x1b[B")
            s.wait(lambda: s.view() != seen and re.search(r"distance 0\.\d+ ", s.view()), "the pair under the cursor")
            seen = s.view()
            s.send("+")
            s.wait(lambda: s.view() != seen, "a closer look")
            s.send("\t")
            s.wait(lambda: "loss" in s.view() or "nothing" in s.view() or "curves" in s.view(), "the next view")
            s.send("?")
            s.wait_view("anywhere")
            s.send(ESC)
            s.wait(lambda: not s.screen.cursor.hidden, "the prompt")
            s.send("1 + 1\r")
            s.wait_console("\n2\nrhm>")


if __name__ == "__main__":
    unittest.main(verbosity=2)
