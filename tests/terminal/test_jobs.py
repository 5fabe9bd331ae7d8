"""Trainings in the background and hooks at the plain prompt."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import Session  # noqa: E402

MAKE = ("g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }",
        "how = { from=g, n=2000, solver='gd', background=true, steps=3 }",
        "function slow(steps) how.steps = steps how.steps_per_second = 100 end",
        "function train() return rhm.network{ grammar=g, M=64 }:train(how) end")


def session():
    s = Session()
    for line in MAKE:
        s.run(line)
    return s


class Jobs(unittest.TestCase):
    def test_ends_are_told_once_at_the_prompt(self):
        with session() as s:
            s.run("slow(30) a = train()")
            s.run("b = train()")
            self.assertEqual(s.run("b.state"), '"queued"')
            seen = []
            for _ in range(400):
                seen += [line for line in s.run("for i = 1, 3e5 do end").splitlines() if line]
                if len(seen) >= 2:
                    break
            self.assertEqual(len(seen), 2, seen)
            for i, line in enumerate(seen):
                self.assertRegex(line, r"^job %d: train \(8,4,2,3\) gd: done, accuracy [01]\.\d{4}, \d+\.\d\d s$" % (i + 1))
            self.assertEqual(s.run("a.state, b.state"), '"done"  "done"')

    def test_who_waited_is_not_told(self):
        with session() as s:
            s.run("a = train()")
            s.run("r = a:wait()")
            self.assertEqual(s.run("r.levels[1].steps"), "3")
            self.assertEqual(s.run("1"), "1")
            self.assertIn("accuracy", s.run("rhm.network{ grammar=g, M=64 }:train{ from=g, n=500 }"))
            self.assertEqual(s.run("2"), "2")

    def test_a_stopped_job_is_told(self):
        with session() as s:
            s.run("slow(1e5) a = train()")
            text = s.run("a:stop() for i = 1, 1e7 do end")
            if not text:
                text = s.run("for i = 1, 1e7 do end")
            self.assertRegex(text, r"^job 1: train \(8,4,2,3\) gd: stopped, \d+\.\d\d s$")

    def test_hooks_at_the_prompt(self):
        with session() as s:
            s.run("states = {} off = rhm.on('progress', function(job, p) states[#states + 1] = p.state end)")
            s.run("slow(20) a = train()")
            for _ in range(400):
                if "done" in s.run("for i = 1, 3e5 do end"):
                    break
            self.assertEqual(s.run("states[#states]"), '"done"')
            lines = [s.run(line) for line in ("rhm.on('progress', function() error('boo', 0) end);", "b = train()", "b:wait();")]
            text = " ".join(" ".join(lines).split())
            self.assertIn("error in a hook on 'progress', which is removed: boo", text)
            self.assertEqual(s.run("1"), "1")


if __name__ == "__main__":
    unittest.main(verbosity=2)
