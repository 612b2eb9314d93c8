"""bench/run_instances.py with a stand-in for boundflow that answers, hangs or crashes as the property's name says."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

RUNNER = Path(__file__).resolve().parents[2] / "bench" / "run_instances.py"

FAKE_BOUNDFLOW = """\
#!/usr/bin/env python3
import json, os, pathlib, signal, sys, time
assert sys.argv[1] == "verify" and pathlib.Path(sys.argv[2]).name == "net.onnx", sys.argv
name = pathlib.Path(sys.argv[3]).stem
options = dict(zip(sys.argv[4::2], sys.argv[5::2]))
with open(os.environ["FAKE_LOG"], "a") as log:
    print(name, options["--timeout"], options.get("--threads"), file=log)
if name == "hang":
    print("unsat", flush=True)
    time.sleep(600)
if name == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
if name == "unsupported":
    print("first\\nnode x: op Foo is not supported", file=sys.stderr)
    sys.exit(4)
if name == "late":
    time.sleep(float(options["--timeout"]) + 0.8)
verdict = "unsat" if name == "late" else name.split("-")[0]
with open(options["--json"], "w") as report:
    json.dump({"schema": 1, "verdict": verdict, "reason": "stalled" if verdict == "unknown" else None}, report)
print(verdict)
if verdict == "sat":
    print("((X_0 0.5)\\n(Y_0 1.0))")
"""


class RunInstances(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.log = self.root / "log"
        self.log.touch()
        self.results = self.root / "out" / "results.jsonl"
        self.boundflow = self.root / "boundflow"
        self.boundflow.write_text(FAKE_BOUNDFLOW, encoding="utf-8")
        self.boundflow.chmod(0o755)

    def instances(self, *rows: tuple[str, str, str]) -> None:
        """(benchmark, property's name, expected) each."""
        header = "benchmark,onnx,vnnlib,timeout_s,expected,abcrown_verdict,abcrown_s,nnenum_verdict,nnenum_s,year\n"
        lines = [f"{benchmark},net.onnx,{name}.vnnlib,100,{expected},,,,,2025\n" for benchmark, name, expected in rows]
        (self.root / "instances.csv").write_text(header + "".join(lines), encoding="utf-8")

    def command(self, *options: str) -> list[str]:
        paths = ["--instances", str(self.root), "--boundflow", str(self.boundflow), "--results", str(self.results)]
        return [sys.executable, str(RUNNER), *paths, *options]

    def environment(self) -> dict[str, str]:
        return os.environ | {"FAKE_LOG": str(self.log)}

    def run_it(self, *options: str) -> subprocess.CompletedProcess:
        command = self.command(*options)
        result = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def rows(self) -> dict[str, dict]:
        lines = self.results.read_text(encoding="utf-8").splitlines()
        return {Path(row["vnnlib"]).stem: row for row in map(json.loads, lines)}

    def table(self, result: subprocess.CompletedProcess) -> dict[str, dict[str, str]]:
        header, *lines = [line.split() for line in result.stdout.split("\n\n")[0].splitlines()]
        return {line[0]: dict(zip(header, line)) for line in lines}

    def calls(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()

    def test_verdicts_and_table(self) -> None:
        self.instances(
            ("a", "sat", "sat"), ("a", "unsat", "unsat"), ("a", "unsat-2", "unsolved"), ("a", "sat-2", "unsat"),
            ("b", "unknown", "sat"), ("b", "crash", "sat"), ("b", "unsupported", "unsat"),
        )
        result = self.run_it("--jobs", "2")
        rows = self.rows()
        verdicts = {name: row["verdict"] for name, row in rows.items()}
        answered = {"sat": "sat", "unsat": "unsat", "unsat-2": "unsat", "sat-2": "sat", "unknown": "unknown"}
        self.assertEqual(verdicts, answered | {"crash": "error", "unsupported": "error"})
        self.assertEqual(rows["crash"]["exit_code"], -signal.SIGSEGV)
        self.assertEqual(rows["unsupported"]["exit_code"], 4)
        self.assertEqual(rows["unsupported"]["stderr"], "node x: op Foo is not supported")
        self.assertEqual(rows["unknown"]["reason"], "stalled")
        self.assertEqual(rows["sat"]["timeout_s"], 100)
        table = self.table(result)
        expected = {"instances": "4", "run": "4", "solved": "2", "known": "3", "beyond": "1", "wrong": "1"}
        self.assertEqual(table["a"], table["a"] | expected | {"errors": "0"})
        expected = {"instances": "3", "solved": "0", "known": "3", "errors": "2", "median_s": "-"}
        self.assertEqual(table["b"], table["b"] | expected)
        self.assertEqual(table["total"]["solved"], "2")
        self.assertIn("WRONG sat, expected unsat: net.onnx sat-2.vnnlib", result.stdout)
        self.assertEqual(len([line for line in result.stderr.splitlines() if line.startswith("[")]), 7)

    def test_a_late_answer_does_not_count(self) -> None:
        self.instances(("a", "late", "unsat"))
        table = self.table(self.run_it("--timeout", "0.2"))
        self.assertEqual(table["a"], table["a"] | {"solved": "0", "late": "1", "wrong": "0"})

    def test_a_process_that_hangs_is_killed(self) -> None:
        self.instances(("a", "hang", "unsat"))
        table = self.table(self.run_it("--timeout", "0.1"))
        row = self.rows()["hang"]
        self.assertEqual((row["verdict"], row["exit_code"]), ("killed", -signal.SIGKILL))
        self.assertGreater(row["wall_s"], 5.1)
        self.assertLess(row["wall_s"], 30)
        self.assertEqual(table["a"], table["a"] | {"solved": "0", "late": "1"})

    def test_a_second_run_skips_what_has_a_row(self) -> None:
        self.instances(("a", "sat", "sat"), ("a", "unsat", "unsat"))
        self.run_it("--timeout", "30")
        self.assertEqual(self.calls(), ["sat 30 None", "unsat 30 None"])
        result = self.run_it("--timeout", "30")
        self.assertEqual(len(self.calls()), 2)
        self.assertEqual(self.table(result)["a"]["solved"], "2")
        self.run_it("--timeout", "20", "--limit", "1")
        self.run_it("--timeout", "20", "--limit", "1", "--", "--threads", "1")
        self.assertEqual(self.calls()[2:], ["sat 20 None", "sat 20 1"])

    def test_a_rebuilt_program_is_run_again(self) -> None:
        self.instances(("a", "sat", "sat"))
        self.run_it()
        self.boundflow.write_text(FAKE_BOUNDFLOW + "# changed\n", encoding="utf-8")
        self.run_it()
        self.assertEqual(len(self.calls()), 2)

    def test_a_torn_last_line_is_run_again(self) -> None:
        self.instances(("a", "sat", "sat"), ("a", "unsat", "unsat"))
        self.run_it()
        text = self.results.read_text(encoding="utf-8")
        self.results.write_text(text[:-40], encoding="utf-8")
        result = self.run_it()
        self.assertEqual([call.split()[0] for call in self.calls()], ["sat", "unsat", "unsat"])
        self.assertEqual(self.table(result)["a"]["solved"], "2")

    def test_choices(self) -> None:
        self.instances(("a", "sat", "sat"), ("b", "unknown", "unsat"), ("c", "unsat", "unsolved"))
        self.run_it("--benchmark", "a,b")
        self.assertEqual([call.split()[0] for call in self.calls()], ["sat", "unknown"])
        self.run_it("--only-unsolved", "--timeout", "9")
        self.assertEqual([call.split()[0] for call in self.calls()[2:]], ["unknown", "unsat"])
        self.run_it("--expected", "unsolved", "--timeout", "8")
        self.assertEqual([call.split()[0] for call in self.calls()[4:]], ["unsat"])

    def test_a_subset_is_dealt_in_turns_and_run_alone(self) -> None:
        known = [("b", f"unsat-{i}", "unsat") for i in range(6)]
        self.instances(*known, ("a", "sat", "sat"), ("a", "unknown", "unsolved"), ("c", "unsat", "unsat"))
        result = self.run_it("--choose", "5", "--benchmark", "a,b")
        self.assertEqual(self.calls(), [])
        chosen = result.stdout.splitlines()
        # One of a, whose other verdict is not known, and four of six, at equal distances.
        self.assertEqual(chosen, ["benchmark,onnx,vnnlib", "a,net.onnx,sat.vnnlib"]
                         + [f"b,net.onnx,unsat-{i}.vnnlib" for i in (0, 2, 3, 5)])
        self.assertEqual(self.run_it("--choose", "100").stdout.count("net.onnx"), 8)
        subset = self.root / "subset.csv"
        subset.write_text("\n".join([*chosen[:3], "a,net.onnx,gone.vnnlib"]) + "\n", encoding="utf-8")
        result = self.run_it("--subset", str(subset))
        self.assertEqual([call.split()[0] for call in self.calls()], ["unsat-0", "sat"])
        self.assertRegex(result.stderr, r"1 of .*subset.csv are not in")

    def test_an_interrupted_run_goes_on_where_it_was(self) -> None:
        self.instances(*[("a", f"unsat-{i}", "unsat") for i in range(3)])
        self.run_it("--limit", "2")
        self.assertEqual(self.table(self.run_it())["a"]["solved"], "3")
        self.assertEqual([call.split()[0] for call in self.calls()], ["unsat-0", "unsat-1", "unsat-2"])

    def test_summary_only_runs_nothing(self) -> None:
        self.instances(("a", "sat", "sat"), ("a", "unsat", "unsat"))
        self.run_it("--limit", "1")
        result = self.run_it("--summary-only", "--markdown")
        self.assertEqual(len(self.calls()), 1)
        lines = result.stdout.splitlines()
        self.assertTrue(lines[0].startswith("| benchmark |"))
        self.assertTrue(lines[1].startswith("|-----------|"))
        self.assertEqual([cell.strip() for cell in lines[2].split("|")][1:6], ["a", "2", "1", "1", "2"])

    def test_ctrl_c_ends_with_the_summary_so_far(self) -> None:
        self.instances(("a", "sat", "sat"), ("a", "hang", "unsat"))
        process = subprocess.Popen(self.command(), env=self.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while len(self.calls()) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted", stderr)
        self.assertEqual(list(self.rows()), ["sat"])
        self.assertEqual(stdout.splitlines()[1].split()[:4], ["a", "2", "1", "1"])


if __name__ == "__main__":
    unittest.main()
