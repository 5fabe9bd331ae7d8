"""The panel while what has no layers to show is trained: a CNN, a one-step model, a refinement by EM."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import Panel  # noqa: E402

F4, F8, F9, F11 = "\x1bOS", "\x1b[19~", "\x1b[20~", "\x1b[23~"
GRAMMAR = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=21 } d = g:sample{ n=2000, seed=2 };"
CNN = "c = rhm.cnn{ grammar=g, h=64 } c:train{ from=d, held_out=g:sample{ n=200, seed=3 }, epochs=100000, stop_loss=0, background=true };"
ONESTEP = "o = rhm.onestep{ grammar=g, restarts=10000 } o:train{ from=d, background=true };"
NETWORK = "net = rhm.network{ grammar=g, seed=1 };"
REFINE = "net:refine{ from=d, tol=0, sweeps=90000, restarts=2, smoothing=1%s };"


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found[1]) if found else -1


class Learners(unittest.TestCase):
    def moves(self, s, pattern, where, what):
        """What is counted grows by itself, without a key."""
        s.wait(lambda: number(pattern, where()) >= 0, what)
        first = number(pattern, where())
        s.wait(lambda: number(pattern, where()) > first, what + " that grow")

    def stands(self, s, pattern, where):
        s.settle()
        at = number(pattern, where())
        s.pump(0.3)
        self.assertEqual(number(pattern, where()), at)
        return at

    def test_cnn(self):
        for lines, columns in ((24, 80), (60, 200)):
            with Panel(lines=lines, columns=columns) as s:
                s.run(GRAMMAR)
                s.run(CNN)
                s.send(F4)
                self.moves(s, r"cnn +\S running +epoch (\d+) of 100000, ", s.view, "epochs in the view")
                self.moves(s, r"\S epoch (\d+) of 100000, loss [\d.e-]+, accuracy [01]", s.state, "epochs in the status line")
                if columns >= 200:
                    self.assertRegex(s.state(), r"^c cnn \(V,s,L\) = \(8,2,3\) .*held accuracy [01][.\d]*, .*( left|accuracy [01][.\d]*)$")
                s.wait(lambda: re.search(r" accuracy [01][.\d]* .*held out [01][.\d]*\n", s.view()), "the curves")
                if columns >= 200:
                    self.assertRegex(s.view(), r"\n\S* loss [\d.e-]+ .*held out [\d.]+ .* accuracy ")
                else:
                    self.assertRegex(s.rows()[1], r"epoch \d+ of 100000, loss [\d.e-]+, accuracy [01][.\d]*(, at most \d+ (s|min|h) left)?$")
                self.assertRegex(s.view(), r"[⠁-⣿]")
                self.assertRegex(s.view(), r" epoch(\n|$)")
                s.send(F9)
                s.wait(lambda: re.search(r"\S paused, epoch \d+", s.state()), "a pause")
                s.wait(lambda: re.search(r"cnn +\S paused +epoch", s.view()), "a pause in the view")
                at = self.stands(s, r"epoch (\d+) of", s.view)
                self.assertEqual(s.stale_rows(), [])
                self.assertEqual(int(s.run("c.job.progress.epoch")), at)
                s.send(F9)
                self.moves(s, r"epoch (\d+) of", s.state, "epochs after the pause")
                s.run("c.job:stop() c.job:wait();")
                s.wait(lambda: "stopped" in s.state(), "the end in the status line")
                self.assertEqual(s.screen.unknown, [])

    def test_onestep(self):
        with Panel(columns=100) as s:
            s.run(GRAMMAR)
            s.run(ONESTEP)
            s.send(F4)
            self.moves(s, r"clusters, start (\d+) of 10000", s.state, "starts of k-means")
            s.wait(lambda: re.search(r"onestep +\S running +layer [32] of 3", s.view()), "the layer")
            self.assertIn("one step a layer: no curve", s.view())
            s.send(F8)
            s.wait(lambda: re.search(r"1 +\S +running +onestep \(8,2,3\) h=256 +start \d+", s.view()), "the job")
            s.send(F9)
            s.wait(lambda: re.search(r"paused, layer \d of 3, ", s.state()), "a pause")
            s.run("o.job:stop() o.job:wait();")
            s.wait(lambda: "stopped" in s.state(), "the end in the status line")
            s.run("o = rhm.onestep{ grammar=g, restarts=2 } o:train{ from=d };")
            s.wait(lambda: re.search(r"^o onestep \(V,s,L\) = \(8,2,3\) +\S trained, accuracy 0\.\d{4}$", s.state()), "the result")

    def test_refinement(self):
        for lines, columns, key in ((24, 80, F11), (60, 200, "\x188")):
            with Panel(lines=lines, columns=columns) as s:
                s.run(GRAMMAR)
                s.run(NETWORK)
                s.send(key)
                s.wait_view("not refined: net:refine{ from=d }")
                self.assertRegex(s.title(), r"jobs +(F11 )?refine")
                s.run(REFINE % ", background=true")
                self.moves(s, r"refining +2000 strings +start 1 of 2 +sweep (\d+)", s.view, "sweeps in the view")
                self.moves(s, r"start 1 of 2, sweep (\d+) of 90000, .*accuracy [01]", s.state, "sweeps in the status line")
                if columns >= 200:
                    self.assertRegex(s.state(), r"^net \(V,m,s,L\) = \(8,4,2,3\) .*log P\(label\) -\d")
                    s.wait(lambda: "log P(label) -" in s.view(), "the likelihood")
                s.wait(lambda: re.search(r"accuracy [01][.\d]* .*entropy 1 [\d.]+ .*entropy 3 [\d.]+", s.view()), "the curves")
                self.assertRegex(s.view(), r"[⠁-⣿]")
                s.send(F8)
                s.wait(lambda: re.search(r"1 +\S +running +refine \(8,2,3\)", s.view()), "the job")
                s.send(F11)
                s.send(F9)
                s.wait(lambda: re.search(r"paused, start 1 of 2, sweep \d+", s.state()), "a pause")
                s.wait(lambda: re.search(r"paused +2000 strings", s.view()), "a pause in the view")
                at = self.stands(s, r"sweep (\d+)", s.view)
                self.assertEqual(s.stale_rows(), [])
                self.assertEqual(int(s.run("net.job.progress.sweep")), at)
                s.send(F9)
                self.moves(s, r"sweep (\d+) of", s.state, "sweeps after the pause")
                s.run("net.job:stop() net.job:wait();")
                s.wait_view("not refined")
                self.assertEqual(s.screen.unknown, [])

    def test_ctrl_c_pauses_a_refinement(self):
        with Panel() as s:
            s.run(GRAMMAR)
            s.run(NETWORK)
            s.send(F11)
            s.send((REFINE % "") + "\r")
            self.moves(s, r"sweep (\d+) of", s.state, "sweeps")
            s.send("\x03")
            s.wait_prompt()
            self.assertIn("interrupted: net:resume() goes on with the training", s.console())
            s.wait(lambda: re.search(r"paused, start 1 of 2", s.state()), "a pause")
            s.run("net.job:stop() net.job:wait();")
            s.run("net:refine{ from=d };")
            s.wait(lambda: re.search(r"refined, accuracy [01]\.\d{4}$", s.state()), "the result in the status line")
            self.assertRegex(s.view(), r"^refined +2000 strings +start \d of \d")
            self.assertEqual(s.run("net.refined.running"), "nil")


if __name__ == "__main__":
    unittest.main(verbosity=2)
