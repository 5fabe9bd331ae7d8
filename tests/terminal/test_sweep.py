"""Sweeps that are killed, interrupted, or run out of disk: what was finished stays, nothing is left behind."""
import glob
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import RHM, Session, environment  # noqa: E402

# Arguments: the seconds of a run, the seeds of each of 6 sets of parameters. One run fails.
SCRIPT = """
local function run(p, seed)
  local stop = rhm.clock() + tonumber(arg[1])
  while rhm.clock() < stop do end
  if p.N == 2 and seed == 3 and p.m == 4 then error "no luck" end
  return { x=p.N * p.m + seed, odd=seed % 2 == 1 }
end
local r = rhm.sweep{ name="learning", run=run, jobs=3, seeds=tonumber(arg[2] or 4), out="r.db",
  grid={ N={ 1, 2, 3 }, m={ 2, 4 } } }
print(#r, r.failed)
"""


class Sweep(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="rhm-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.script = os.path.join(self.folder, os.path.basename(self.folder) + ".lua")  # a name to find in /proc
        with open(self.script, "w") as file:
            file.write(SCRIPT)

    def start(self, *words, **more):
        return subprocess.Popen([RHM, self.script, *words], cwd=self.folder, env=environment(self.folder), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def processes(self, name=None):
        """Those that run the script, parent and children; or those with another name in their command line."""
        name = (name or os.path.basename(self.script)).encode()
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    if name in file.read():
                        found.append(int(path.split("/")[2]))
            except OSError:
                pass
        return found

    def assertAllGone(self):
        end = time.monotonic() + 5
        while self.processes():
            self.assertLess(time.monotonic(), end, "still there: %s" % self.processes())
            time.sleep(0.01)

    def rows(self, name="r.db"):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return []
        db = sqlite3.connect(path)
        rows = db.execute("SELECT experiment, parameters, seed, status, error, measures FROM rhm_runs").fetchall()
        self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        db.close()
        self.assertEqual(len(set(rows)), len(rows))
        return sorted(rows, key=str)

    def test_kill_at_random_moments(self):
        """A sweep of 120 runs is killed 20 times, most often before it has done a quarter of them."""
        words, last = ("0.01", "20"), ("120\t1\n", "")
        start = time.monotonic()
        self.assertEqual(self.start(*words).communicate(timeout=60), last)
        quarter = (time.monotonic() - start) / 4
        whole = self.rows()
        self.assertEqual(len(whole), 120)
        os.remove(os.path.join(self.folder, "r.db"))
        moments, seen = random.Random(5), []
        for k in range(20):
            child = self.start(*words)
            time.sleep(moments.uniform(0, quarter))
            child.kill()
            child.communicate(timeout=20)
            self.assertAllGone()
            if k % 3 != 0:  # looking finishes what a killed writer began: rhm must do so itself
                continue
            rows = self.rows()
            self.assertLessEqual(set(rows), set(whole))
            self.assertGreaterEqual(len(rows), max(seen, default=0))
            seen.append(len(rows))
        self.assertGreater(len(set(seen)), 2, seen)
        self.assertEqual(self.start(*words).communicate(timeout=60), last)
        self.assertEqual(self.rows(), whole)
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith(("-wal", "-shm"))], [])

    def test_children_of_a_killed_parent_end_while_they_compute(self):
        child = self.start("1000")
        end = time.monotonic() + 10
        while len(self.processes()) < 4:
            self.assertLess(time.monotonic(), end)
        child.kill()
        child.communicate(timeout=20)
        self.assertAllGone()

    def test_interrupt(self):
        with Session(self.script, "0.1", cwd=self.folder, prompt=False) as s:
            s.wait_text("24 runs")
            s.wait(lambda: len(self.rows()) >= 6, "six rows")
            s.wait_text("left")
            start = time.monotonic()
            s.send("\x03")
            self.assertEqual(s.end(), 130)
            self.assertLess(time.monotonic() - start, 1)
            self.assertIn("rhm: interrupted", s.text())
        self.assertAllGone()
        rows = self.rows()
        self.assertGreaterEqual(len(rows), 6)
        self.assertLess(len(rows), 24)
        child = self.start("0")
        self.assertEqual(child.communicate(timeout=60), ("24\t1\n", ""))
        self.assertLess(set(rows), set(self.rows()))

    def test_progress_is_taken_away(self):
        with Session(self.script, "0.05", cwd=self.folder, prompt=False) as s:
            s.wait_text("runs/s")
            s.wait_text("1 failed")
            s.wait_text("24\t1".expandtabs(8))
            self.assertEqual(s.end(), 0)
            self.assertNotIn("runs/s", s.text())

    def test_interrupt_in_the_shell(self):
        with open(os.path.join(self.folder, "slow.lua"), "w") as file:
            file.write("return function(p, seed) while true do end end")
        with Session(cwd=self.folder) as s:
            s.send('rhm.sweep{ name="slow", run="slow.lua", jobs=2, seeds=4 }\r')
            s.wait_text("0 of 4 runs")
            s.wait(lambda: len(self.processes("slow.lua")) == 2, "two children")
            s.send("\x03")
            s.wait_text("interrupted")
            s.wait_prompt()
            self.assertEqual(s.run("1 + 1"), "2")
            self.assertEqual(self.processes("slow.lua"), [])

    @unittest.skipUnless(shutil.which("unshare"), "no unshare")
    def test_full_disk(self):
        inner = ("mount -t tmpfs -o size=512k none disk && cp %s disk/s.lua && cd disk && "
                 "{ %s s.lua; echo \"code $?\"; cp r.db* ..; }")
        os.mkdir(os.path.join(self.folder, "disk"))
        with open(self.script, "w") as file:
            file.write('rhm.sweep{ name="big", jobs=2, seeds=200, out="r.db", run=function(p, seed) '
                       'return { text=("x"):rep(2000), seed2=seed } end }')
        words = ["unshare", "-rm", "sh", "-c", inner % (os.path.basename(self.script), RHM)]
        done = subprocess.run(words, cwd=self.folder, env=environment(self.folder), capture_output=True, text=True,
                              timeout=60)
        if "code" not in done.stdout:  # no user namespaces, or no tmpfs in them
            self.skipTest("no mount here")
        self.assertIn("code 1", done.stdout)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("r.db: cannot write: the disk is full; what was written before is safe", done.stderr)
        self.assertGreater(len(self.rows()), 10)


if __name__ == "__main__":
    unittest.main()
