"""The scripts of the experiments: --quick in time, --help, wrong options, shards, and what SIGKILL leaves."""
import csv
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from xml.etree import ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from session import RHM, SANITIZED, environment  # noqa: E402

SCRIPTS = ["branching_factor", "end_to_end", "function_classes", "log_regime", "noise", "phase_diagram",
           "positions", "random_features", "refinement", "sample_complexity", "semi_supervised", "signal_to_noise",
           "training_dynamics", "unknown_topology"]
QUICK = 20  # seconds on 2 processors of one's own
# About numbers: what such a script calls in C has tests of its own, which the sanitizers see; others run in any case.
numbers = unittest.skipIf(SANITIZED, "numbers without a sanitizer only")


class Experiments(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="rhm-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def run_rhm(self, *words, **env):
        done = subprocess.run([RHM, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.folder,
                              env=environment(self.folder, **env), timeout=300)
        return done.returncode, done.stdout, done.stderr

    def rows(self, path):
        db = sqlite3.connect(os.path.join(self.folder, path))
        rows = db.execute("SELECT experiment, parameters, seed, status, measures FROM rhm_runs").fetchall()
        db.close()
        return sorted(rows)

    def quick(self, name, *words, out=None):
        """Runs it; returns what it printed, after checking what every script promises."""
        words += ("--out", out) if out else ()
        folder = out or name
        start = time.monotonic()
        before = os.times()
        code, out, err = self.run_rhm(name, "--quick", *words)
        after, seconds = os.times(), time.monotonic() - start
        used = after.children_user + after.children_system - before.children_user - before.children_system
        print("# %s --quick: %.1f s, %.1f s of processor" % (name, seconds, used))
        self.assertEqual((code, err), (0, ""))
        if not SANITIZED:
            self.assertLess(used, 2 * QUICK)  # the wall clock depends on who else computes
        lines = out.splitlines()
        self.assertLessEqual(max(map(len, lines[:-1])), 79, out)
        self.assertRegex(lines[-1], r"^written to %s: results\.db \(\d+ runs, \d+ new\), .*\.csv, .*\.svg; " % folder)
        runs = int(re.search(r"\((\d+) runs", lines[-1]).group(1))
        path = folder + "/results.db"
        folder = os.path.join(self.folder, folder)
        rows = self.rows(path)
        self.assertEqual(len(rows), runs)
        self.assertLessEqual({row[3] for row in rows}, {"done", "failed"} if name == "log_regime" else {"done"})
        tables = [file for file in os.listdir(folder) if file.endswith(".csv")]
        counted = 0
        for table in tables:
            with open(os.path.join(folder, table), newline="") as file:
                counted += len(list(csv.DictReader(file)))
        self.assertEqual(counted, runs)
        for file in os.listdir(folder):
            if file.endswith(".svg"):
                self.assertTrue(ElementTree.parse(os.path.join(folder, file)).getroot().tag.endswith("svg"))
        again = self.run_rhm(name, "--quick", *words)
        self.assertEqual(again[0], 0)
        self.assertIn("(%d runs, 0 new)" % runs, again[1])
        self.assertEqual(again[1].splitlines()[:-1], lines[:-1])
        self.assertEqual(self.rows(path), rows)
        return out

    def number(self, pattern, text):
        found = re.search(pattern, text)
        self.assertIsNotNone(found, text)
        return float(found.group(1))

    # --- what all have in common

    def test_help(self):
        for name in SCRIPTS:
            code, out, err = self.run_rhm(name, "--help")
            self.assertEqual((code, err), (0, ""))
            self.assertLessEqual(max(map(len, out.splitlines())), 79, out)
            for word in ("--quick", "--seeds", "--out", "--jobs", "--shard", "--format", "What the theory says"):
                self.assertIn(word, out)

    def test_wrong_options(self):
        for name in SCRIPTS:
            for words, problem in ((("--bad",), "unknown option '--bad'"),
                                   (("--seeds", "0"), "--seeds 0: must be a whole number, 1 or more"),
                                   (("--jobs", "x"), "--jobs x: must be a whole number, 0 or more"),
                                   (("--shard", "3/2"), "--shard 3/2: must be i/n with 1 <= i <= n, as 2/4")):
                self.assertEqual(self.run_rhm(name, *words),
                                 (2, "", "rhm %s: %s (see rhm %s --help)\n" % (name, problem, name)))
        self.assertEqual(os.listdir(self.folder), [])

    def test_folder_that_cannot_be(self):
        with open(os.path.join(self.folder, "file"), "w"):
            pass
        self.assertEqual(self.run_rhm("phase_diagram", "--quick", "--out", "file/x"),
                         (1, "", "rhm phase_diagram: --out file/x: cannot make the folder: Not a directory\n"))

    def test_without_gnuplot(self):
        tools = os.path.join(self.folder, "tools")
        os.mkdir(tools)
        for tool in ("sh", "mkdir", "ls"):
            os.symlink(shutil.which(tool), os.path.join(tools, tool))
        code, out, err = self.run_rhm("phase_diagram", "--quick", PATH=tools)
        self.assertEqual(code, 0)
        self.assertEqual(err, "rhm phase_diagram: there is no gnuplot to draw with (Debian: gnuplot-nox); the CSV has "
                         "the numbers\n")
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "phase_diagram"))),
                         ["phase_diagram_quick.csv", "results.db"])

    def test_kill_and_run_again(self):
        self.quick("phase_diagram", "--seeds", "2")
        whole, last = self.rows("phase_diagram/results.db"), 0
        for _ in range(5):
            child = subprocess.Popen([RHM, "phase_diagram", "--quick", "--seeds", "2", "--out", "killed"], text=True,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     cwd=self.folder, env=environment(self.folder))
            end = time.monotonic() + 60
            while True:  # until it has some more
                self.assertLess(time.monotonic(), end)
                try:
                    count = len(self.rows("killed/results.db"))
                except sqlite3.Error:
                    count = 0
                if count > last:
                    break
                time.sleep(0.01)
            child.kill()
            child.communicate(timeout=20)
            rows = self.rows("killed/results.db")
            self.assertLessEqual(set(rows), set(whole))
            last = len(rows)
        self.assertLess(last, len(whole))
        code, out, err = self.run_rhm("phase_diagram", "--quick", "--seeds", "2", "--out", "killed")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("(%d runs, %d new)" % (len(whole), len(whole) - last), out)
        self.assertEqual(self.rows("killed/results.db"), whole)

    def test_shards(self):
        self.quick("phase_diagram")
        for shard in ("1/2", "2/2"):
            code, out, err = self.run_rhm("phase_diagram", "--quick", "--out", "parts", "--shard", shard)
            self.assertEqual((code, err), (0, ""))
            self.assertRegex(out, r"^\nwritten to parts: results\.%s-of-2\.db \(16 runs, 16 new\); .*\n$" % shard[0])
        code, out, err = self.run_rhm("phase_diagram", "--quick", "--out", "parts")
        self.assertEqual((code, err), (0, "rhm phase_diagram: 16 new runs from results.1-of-2.db\n"
                                       "rhm phase_diagram: 16 new runs from results.2-of-2.db\n"))
        self.assertIn("(32 runs, 0 new)", out)
        self.assertEqual(self.rows("parts/results.db"), self.rows("phase_diagram/results.db"))

    # --- each

    def test_phase_diagram(self):
        out = self.quick("phase_diagram")
        self.assertIn("384 chains in all", " ".join(out.split()))
        slope = self.number(r"N ~ m\^b, b = ([\d.]+)", out)
        self.assertTrue(4 < slope < 7, out)  # L + 1 = 5 for a constant K_rho
        out = self.quick("phase_diagram", "--plane", "Vm", out="Vm")
        self.assertIn("largest m", out)

    @numbers
    def test_sample_complexity(self):
        out = self.quick("sample_complexity")
        slope = self.number(r"N\* ~ \(V m/rho\^2\)\^b, b = ([\d.]+)", out)
        self.assertTrue(0.8 < slope < 2, out)
        shares = [float(share) for share in re.findall(r"^[234] +2 .* ([\d.]+)$", out, re.M)]
        self.assertEqual(len(shares), 3, out)
        for share in shares:
            self.assertTrue(0.8 < share < 4, out)
        for learner in ("chain", "cnn", "onestep", "shallow"):
            self.assertGreater(self.number(learner + r": log N\* = a \+ b L log m, b = ([\d.]+)", out), 0.3)

        # A search that the budget ends says how far it came.
        out = self.quick("sample_complexity", "--part", "learners", "--budget", "300", out="cut")
        out = " ".join(out.split())
        self.assertRegex(out, r"cut for cost \(--budget 300\): .*\(8,4,2,2\), median accuracy 0\.\d+ at "
                         r"N = 300")

    @numbers
    def test_branching_factor(self):
        out = self.quick("branching_factor")
        rows = [list(map(float, line.split())) for line in out.splitlines() if re.match(r"4000 +[234] ", line)]
        self.assertEqual([(row[1], row[2]) for row in rows], [(s, t) for s in (2, 3, 4) for t in range(2, 7)], out)
        for n, s, assumed, layers, padding, chain, cnn, apart, border in rows:
            self.assertEqual(assumed ** layers, {2: 16, 3: 27, 4: 16}[s] + padding)
            self.assertGreater(cnn, 0.9, out)
            if s == assumed:
                self.assertGreater(chain, 0.98, out)
                self.assertLess(border, 0.5, out)
            elif assumed % s and s % assumed:
                self.assertLess(chain, 0.95, out)
                self.assertGreater(border, 0.5, out)
        quiet, warned = (re.search(pattern + r" +(\d+) +(\d+)$", out, re.M).groups() for pattern in
                         ("no warning", "any warning"))
        self.assertGreater(int(quiet[0]), int(warned[0]), out)
        self.assertGreater(int(warned[1]), int(quiet[1]), out)

    @numbers
    def test_function_classes(self):
        out = self.quick("function_classes")
        rows = {}
        for line in out.splitlines():
            row = re.match(r" *(\S+|by node) +(1000|4000) +(.*)$", line)
            if row:
                rows[row.group(1), int(row.group(2))] = list(map(float, row.group(3).split()))
        self.assertEqual(len(rows), 16, out)
        verdicts = {key: tuple(row[-4:]) for key, row in rows.items()}
        for name in ("latin", "parity", "xor"):  # (i) and (iii) fail, and so does the chain
            chance = 1 / 8 if name == "latin" else 1 / 2
            self.assertEqual((verdicts[name, 4000][0], verdicts[name, 4000][2:]), (0, (0, 0)), out)
            self.assertAlmostEqual(rows[name, 4000][0], chance, delta=0.04)
        for name in ("and/or", "random"):  # all hold for both functions
            self.assertEqual(verdicts[name, 4000], (2, 2, 2, 2), out)
            self.assertGreater(rows[name, 4000][0], 0.98, out)
        self.assertLess(rows["by node", 4000][0], 0.95, out)
        learned, runs = map(int, re.search(r"learns \(accuracy >= .95\) in (\d+) of (\d+) runs", " ".join(out.split()))
                            .groups())
        self.assertEqual(learned, runs, out)

    @numbers
    def test_training_dynamics(self):
        out = self.quick("training_dynamics")
        for level, rho in ((3, 0.131), (2, 0.354), (1, 2 ** 0.5)):
            row = re.search(r"^ +%d +(\S+) +(\S+) +(\S+) +(\S+) +(\S+) +(\d+) of 10 +\d+$" % level, out, re.M)
            self.assertIsNotNone(row, out)
            intra1, inter1, intra, inter, gap, apart = map(float, row.groups())
            self.assertLess(intra, intra1 / 2)
            self.assertAlmostEqual(inter, gap, delta=0.2 * gap)
            self.assertAlmostEqual(gap, rho, delta=0.02)  # of the grammars, whatever was trained
            self.assertGreaterEqual(apart, 9)
        self.assertEqual(self.run_rhm("training_dynamics", "--shape", "8,4,2")[::2],
                         (2, "rhm training_dynamics: --shape 8,4,2: must be four whole numbers, as 8,4,2,3 "
                          "(see rhm training_dynamics --help)\n"))

    @numbers
    def test_random_features(self):
        out = self.quick("random_features")
        row = r"^ +%s +%s +%s +(\S+) +(\S+)(.*)$"
        few, many, wide = (re.search(row % what, out, re.M)
                           for what in (("rbf", 32, "0.1"), ("rbf", 512, "0.1"), ("rbf", 512, "1")))
        self.assertGreater(float(few.group(1)), 2 * float(many.group(1)))
        self.assertLess(float(few.group(2)), 0.9)
        self.assertEqual((float(many.group(2)), many.group(3).strip()), (1, ""))  # learned, and no warning
        self.assertLess(float(wide.group(2)), 0.9)
        self.assertIn("1.00", few.group(3))
        self.assertIn("1.00", wide.group(3))
        beyond = re.findall(r"^ +[12] +(?:4|64) .* (\d+)$", out, re.M)
        self.assertEqual(beyond, ["0"] * 8)  # none beyond the bound

    @numbers
    def test_signal_to_noise(self):
        out = self.quick("signal_to_noise")
        rows = re.findall(r"^\((\d+),(\d+)\) +(\S+) +(\S+) +(\S+) +(\d+)/(\d+)/(\d+) +(\d+)/(\d+) +(\S+) +(\S+)", out, re.M)
        self.assertEqual(len(rows), 8, out)
        for m, s, shuffle, zipf, K, holds, warns, fails, learned, of, N, accuracy in rows:
            if float(shuffle) == 0:  # the first child tells nothing, and the check says so
                self.assertEqual((float(K), fails, learned, N), (0, of, "0", "-"), out)
                self.assertLess(float(accuracy), 0.2, out)
            elif holds == of:
                self.assertEqual(learned, of, out)
                self.assertGreater(float(K), 0.1, out)
                self.assertGreater(float(accuracy), 0.9, out)
        self.assertRegex(" ".join(out.split()), r"0 of the 9 that pass; below \.9 with the schedule by depth although "
                         r"they pass: 0")

    @numbers
    def test_noise(self):
        out = self.quick("noise")
        rows = re.findall(r"^ *(\S+) +4000 +(\S+)" + 4 * r" +(\S+) +\d+%" + "$", out, re.M)
        self.assertEqual([row[0] for row in rows], ["0", "0.1", "0.3", "1"], out)
        clean, tokens, labels, zipf = (list(map(float, row[1:])) for row in rows)
        self.assertEqual((clean[0], zipf[0]), (1, 1), out)
        self.assertAlmostEqual(labels[0], 1 - 0.3 * 7 / 8, delta=0.035)  # 5 standard deviations of 4000 strings
        self.assertTrue(0.6 < tokens[0] < 0.9, out)
        for bayes, *learned in (clean, tokens, labels, zipf):
            for accuracy in learned:
                self.assertTrue(0.125 < accuracy < bayes + 0.02, out)  # 4000 test strings
            first, every, cnn, em = learned
            self.assertGreater(every, first - 0.02, out)
            self.assertGreater(cnn, 0.7 * bayes, out)
            self.assertGreater(em, 0.9 * bayes, out)

    def test_refinement(self):
        out = self.quick("refinement")
        rows = re.findall(r"^\(8,4,2,3\) +(\d+) +\S+" + 5 * r" +(\S+)" + r" +(\d)/3 +(\S+) +(\S+)$", out, re.M)
        self.assertEqual([row[0] for row in rows], ["150", "256"], out)
        first, every, ridge, cnn, em, good, bayes, log_test = map(float, rows[1][1:])
        self.assertLess(max(first, every, ridge, cnn), 0.6)  # half of C m^L is too little for all of them
        self.assertTrue(em >= 0.99 and good >= 2 and bayes == 1 and -0.01 < log_test <= 0, out)
        bins = re.findall(r"^ +0\.\d\d to \d\.\d\d +(\d+) ", out, re.M)
        self.assertEqual((len(bins), sum(map(int, bins))), (5, 60000), out)

    def test_semi_supervised(self):
        out = self.quick("semi_supervised")
        row = re.search(r"^ +100 +0\.958 +(\S+) +\d/3 +(\S+) +\d/3$", out, re.M)
        self.assertIsNotNone(row, out)
        alone, more = float(row.group(1)), float(row.group(2))
        self.assertTrue(more > 0.9 and more > alone + 0.2, out)

    @numbers
    def test_end_to_end(self):
        out = self.quick("end_to_end")
        rows = re.findall(r"^\(8,4,2,3\) +(\w+) +(\d+) +(\S+) +\S+ s +(\S+) +(\S+) +(\S+)$", out, re.M)
        row = {(name, int(N)): list(map(float, rest)) for name, N, *rest in rows}
        self.assertEqual(len(row), 6, out)
        self.assertGreater(row["all", 2000][0], 0.97, out)
        self.assertLess(max(row["all", 2000][1:]), 0.1, out)
        for N in 500, 2000:
            self.assertGreater(row["all", N][0], row["first", N][0], out)
            self.assertGreater(row["first", N][3], row["all", N][3], out)  # the label's level is the last to be learned
            self.assertTrue(0.15 < row["cnn", N][0] <= 1 and 0 < row["cnn", N][3] < 1.2, out)

    def test_positions(self):
        out = self.quick("positions")
        median = {(row[0], int(row[1])): float(row[2]) for row in
                  re.findall(r"^\(8,4,2,3\) +(first|all) +(\d+) +(\S+) ", out, re.M)}
        self.assertEqual(len(median), 6, out)
        self.assertGreater(median["all", 1000], 0.95, out)
        self.assertLess(median["first", 1000], 0.7, out)
        five = re.findall(r"^ *\d+ +(\d+) +(\S+) +\S+ s +(\S+) +\S+ s$", out, re.M)
        self.assertEqual(len(five), 5, out)
        for missing, first, every in five:
            self.assertTrue(int(missing) >= 2 and float(first) < 1 and float(every) >= 0.99, out)

    def test_unknown_topology(self):
        out = self.quick("unknown_topology")
        rows = dict(re.findall(r"^ *(s by level +lists|shuffled \w+ +[23]|one s +\d) +(\d+ +\S+ +\d+ +\d+ +\d+) +\d+ of \d+ ", out,
                               re.M))
        rows = {" ".join(name.split()): row.split() for name, row in rows.items()}  # sets, right, confident, wrong, none
        self.assertEqual(rows["s by level lists"], ["2", "2", "2", "0", "0"], out)
        for way in ("within", "across"):
            for s, sets in (("2", "3"), ("3", "2")):
                self.assertEqual(rows["shuffled %s %s" % (way, s)], [sets, "-", "0", "0", sets], out)
        right, sets, confident = map(int, re.search(r"right in (\d+) of (\d+) data sets, of which (\d+) sure",
                                                    " ".join(out.split())).groups())
        self.assertEqual((right, sets), (7, 8), out)  # s = 4, m = 448: 20000 strings are too few
        self.assertGreaterEqual(confident, 6, out)

    @numbers
    def test_log_regime(self):
        out = self.quick("log_regime")
        exponent = self.number(r"N\* ~ d\^b, b = ([\d.]+)", out)
        self.assertTrue(0.8 < exponent < 2.5, out)
        self.assertRegex(out, r"(?m)^ *512 +8 +3 +6 ")


if __name__ == "__main__":
    unittest.main()
