"""What the panel costs: bytes to the terminal, time of a training, wake-ups at rest. Prints each figure beside its limit."""
import glob
import os
import re
import statistics
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import SANITIZED, TIMEOUT, Panel, Session  # noqa: E402

NETWORK = "g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 } net = rhm.network{ grammar=g, seed=1 };"
GD = "net:train{ from=g, solver='gd', n=3000, steps=1e6%s };"
MOST_BYTES = 8192  # a second, layers view at 80x24
MOST_SLOWER = 0.02
PAIRS = 2
SECONDS = 2  # a training


def figure(name, value, limit):
    print("## %s: %s, limit %s" % (name, value, limit), flush=True)


class Bytes(unittest.TestCase):
    def rate(self, training, seconds=2):
        """Bytes a second in the layers view while a training runs."""
        with Panel(TERM="xterm-256color") as s:
            s.run(NETWORK)
            s.send(training + "\r")
            s.wait(lambda: re.search(r"step [1-9]|sampling", s.state()), "a training")
            s.pump(0.5)
            start, before = time.monotonic(), len(s.raw)
            seen = set()
            while time.monotonic() < start + seconds or len(seen) < 4:  # it must move
                s.pump(0.05)
                seen.add(s.state())
                self.assertLess(time.monotonic(), start + TIMEOUT, s.text())
            return (len(s.raw) - before) / (time.monotonic() - start)

    def judge(self, name, training):
        rate = self.rate(training)
        figure("bytes a second to the terminal, layers at 80x24, " + name, "%.0f" % rate, MOST_BYTES)
        self.assertLess(rate, MOST_BYTES)

    def test_gradient_descent(self):
        self.judge("gradient descent", GD % "")

    def test_slow_steps_in_the_background(self):
        self.judge("20 steps a second in the background", "job = " + GD % ", steps_per_second=20, background=true")

    def test_sampling(self):
        self.judge("sampling", "net:train{ from=g, n=1e12, sampler='draw' };")


class SlowDown(unittest.TestCase):
    TRAIN = ("do local n = rhm.network{ grammar=g, seed=1 } local c, t = os.clock(), rhm.clock() "
             "n:train{ from=g, solver='gd', n=20000, steps=%d } print(('took %%.6f %%.6f.'):format(os.clock() - c, "
             "rhm.clock() - t)) end")

    def thread(self, s):
        """Seconds of the processor that the thread of the terminal has had."""
        with open("/proc/%d/task/%d/schedstat" % (s.child.pid, s.child.pid)) as file:
            return int(file.read().split()[0]) / 1e9

    def took(self, s, steps):
        """A training's seconds: of the processor, all threads; by the clock; of the processor, the terminal's thread."""
        before = self.thread(s)
        s.send(self.TRAIN % steps + "\r")
        s.wait(lambda: re.search(r"\ntook [\d.]+ [\d.]+\.\n", s.text()), "the end of the training")
        own = self.thread(s) - before
        found = re.findall(r"\ntook ([\d.]+) ([\d.]+)\.\n", s.text())[-1]
        s.send("print(('\\n'):rep(60))\r")  # the figures leave the screen
        s.wait(lambda: "took" not in s.text(), "an empty screen")
        return (*map(float, found), own)

    def test_training(self):
        """Clocks of a machine that others use tell little: what counts is the time of the panel's own thread."""
        if not os.path.exists("/proc/self/schedstat"):
            self.skipTest("no /proc/self/schedstat")
        env = dict(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        with Panel("-E", **env) as panel, Session("-E", lines=24, columns=80, **env) as plain:
            panel.run(NETWORK)
            plain.send(NETWORK + "\r")
            plain.wait_prompt()
            self.took(plain, 1000)
            steps = int(20000 * min(40, SECONDS / self.took(plain, 20000)[0]))
            runs = [(self.took(panel, steps), self.took(plain, steps)) for _ in range(PAIRS)]
        with_panel, without = ([[run[i][k] for run in runs] for k in range(3)] for i in (0, 1))
        share = min(own / all for all, own in zip(with_panel[0], with_panel[2])) - \
            min(own / all for all, own in zip(without[0], without[2]))
        figure("of a training's processor time the panel takes", "%.2f %%" % (1e2 * share),
               "%.0f %%" % (1e2 * MOST_SLOWER))
        for k, name in enumerate(("processor", "clock")):
            a, b = with_panel[k], without[k]
            print("## with the panel against --plain, by the %s, medians of %d: %+.1f %% (those of --plain differ by %.1f %%)"
                  % (name, PAIRS, 1e2 * (statistics.median(a) / statistics.median(b) - 1), 1e2 * (max(b) / min(b) - 1)))
        if not SANITIZED:  # there malloc and the like are slow, which is what a panel does
            self.assertLess(share, MOST_SLOWER)


class AtRest(unittest.TestCase):
    def switches(self, s):
        """How often the threads went to sleep, and which there are."""
        total, threads = 0, []
        for task in sorted(glob.glob("/proc/%d/task/*" % s.child.pid)):
            with open(task + "/status") as file:
                total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M)[1])
            threads.append(task)
        return total, threads

    def judge(self, s, what, seconds=2):
        s.settle(0.5)
        before, sent = self.switches(s), len(s.raw)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            s.pump(end - time.monotonic())
        after = self.switches(s)
        figure("at rest in %d s, %s" % (seconds, what),
               "%d wake-ups, %d bytes" % (after[0] - before[0], len(s.raw) - sent), "0, 0")
        self.assertEqual((after, len(s.raw)), (before, sent))

    def test_at_the_prompt(self):
        with Panel() as s:
            self.judge(s, "nothing done")
            s.run(NETWORK)
            s.run("net:train{ from=g, n=5000 };")
            s.send("typed")
            s.wait_line("rhm> typed")
            for keys, name in (("\x181", "layers"), ("\x182", "distances"), ("\x186", "grammar")):
                s.send(keys)
                s.wait(lambda: name in s.title(), name)
            self.judge(s, "a network trained, view of the grammar", 1)

    def test_with_a_paused_training(self):
        with Panel() as s:
            s.run(NETWORK)
            s.run("job = " + GD % ", steps_per_second=20, background=true")
            s.wait(lambda: re.search(r"step [1-9]", s.state()), "steps")
            s.send("\x18p")
            s.wait(lambda: "paused" in s.state(), "a training that is paused")
            self.judge(s, "a training paused")

    def test_while_input_is_asked_for(self):
        with Panel() as s:
            s.send("io.read()\r")
            s.wait(lambda: s.line() == "input:", "a question")
            self.judge(s, "io.read", 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
