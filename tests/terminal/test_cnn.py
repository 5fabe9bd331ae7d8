"""cnn:train at a real terminal: its line of progress, Ctrl-C, and that it is only paused."""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import Session  # noqa: E402


class Interrupt(unittest.TestCase):
    def test_training(self):
        with Session() as s:
            s.run("g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=1 } c = rhm.cnn{ grammar=g, h=64 }")
            s.screen.reset()
            s.send("c:train{ from=g, n=20000, epochs=100000, stop_loss=0 }\r")
            s.wait(lambda: "epoch " in s.text() and "loss" in s.text(), "the line of progress")
            start = time.monotonic()
            s.send("\x03")
            s.wait_prompt()
            elapsed = 1e3 * (time.monotonic() - start)
            print("# Ctrl-C to prompt, cnn: %.0f ms" % elapsed)
            self.assertLess(elapsed, 300)
            self.assertIn("interrupted: net:resume() goes on with the training", s.text())
            self.assertNotIn("\nepoch ", s.text())
            steps = int(s.run("c.steps"))
            self.assertGreater(steps, 0)
            self.assertEqual(int(s.run("c.steps")), steps)
            s.run("c.job:stop()")
            s.run("c:train{ from=g, n=256, epochs=1 };")
            self.assertEqual(int(s.run("c.steps")), steps + 2)


if __name__ == "__main__":
    unittest.main()
