"""The command line, as users and scripts meet it. Usage: cli_test.py path/to/boundflow [unittest arguments]"""

import json
import os
import re
import signal
import subprocess
import time
import unittest
from fractions import Fraction

from command_line import (BAD_INPUT, INTERNAL, INTERRUPTED, NETWORK, OK, PROVED, SPLIT_INPUTS, UNSUPPORTED, USAGE,
                          VIOLATED, CommandLine, boundflow, deep_model, main, run, tiny_model)


class Verdicts(CommandLine):
    def test_unsat_is_one_line(self) -> None:
        result = run("verify", NETWORK, PROVED, "--timeout", 30)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (OK, "unsat\n", ""))

    def test_sat_prints_an_assignment_inside_the_box(self) -> None:
        counterexample = self.folder / "x.txt"
        result = run("verify", NETWORK, VIOLATED, "--timeout", 30, "--counterexample", counterexample)
        self.assertEqual(result.returncode, OK, result.stderr)
        verdict, _, assignment = result.stdout.partition("\n")
        self.assertEqual(verdict, "sat")
        self.assertEqual(counterexample.read_text(), assignment)
        self.assertRegex(assignment, r"\A\((\([XY]_\d+ \S+\)\n)*\([XY]_\d+ \S+\)\)\n\Z")
        pairs = re.findall(r"\(([XY]_\d+) (\S+?)\)", assignment)
        self.assertEqual([name for name, _ in pairs], [f"X_{i}" for i in range(64)] + [f"Y_{j}" for j in range(10)])
        values = {name: Fraction(value) for name, value in pairs}
        bounds = re.findall(r"\(assert \((<=|>=) (X_\d+) (\S+)\)\)", VIOLATED.read_text())
        self.assertEqual(len(bounds), 128)
        for relation, name, bound in bounds:
            inside = values[name] <= Fraction(bound) if relation == "<=" else values[name] >= Fraction(bound)
            self.assertTrue(inside, f"{name} = {values[name]} is not {relation} {bound}")
        disjuncts = re.findall(r"\(>= (Y_\d) (Y_\d)\)", VIOLATED.read_text())
        self.assertTrue(any(values[a] >= values[b] for a, b in disjuncts))

    def test_json(self) -> None:
        path = self.folder / "r.json"
        run("verify", NETWORK, VIOLATED, "--json", path, "--seed", 3, "--threads", 1, "--timeout", 30)
        result = json.loads(path.read_text())
        for key in ["schema", "boundflow", "network", "property", "verdict", "reason", "semantics", "time_s", "threads",
                    "seed", "executor", "instruction_set", "statistics", "witness"]:
            self.assertIn(key, result)
        self.assertEqual((result["schema"], result["verdict"], result["seed"], result["threads"]), (1, "sat", 3, 1))
        self.assertEqual((len(result["witness"]["input"]), len(result["witness"]["output"])), (64, 10))
        for key in ["import_s", "compile_s", "plan_cache_hits", "plan_cache_misses", "attack_s", "bounding_s",
                    "subproblems", "rows", "splits", "open", "depth", "worst_bound"]:
            self.assertIn(key, result["statistics"])
        run("verify", NETWORK, PROVED, "--json", path, "--timeout", 30)
        result = json.loads(path.read_text())
        self.assertEqual(result["verdict"], "unsat")
        self.assertNotIn("witness", result)

    def test_a_profile_shows_what_ran(self) -> None:
        trace = self.folder / "trace.json"
        for command in (["verify", NETWORK, VIOLATED, "--timeout", 30], ["verify", NETWORK, PROVED, "--timeout", 30]):
            result = run(*command, "--threads", 2, "--profile", trace)
            self.assertEqual(result.returncode, OK, result.stderr)
            profile = json.loads(trace.read_text())
            phases = [event["name"] for event in profile["traceEvents"] if event["cat"] == "phase"]
            self.assertEqual(phases, ["import", "compile", "search"])
            passes = {event["name"] for event in profile["traceEvents"] if event["cat"] == "pass"}
            self.assertTrue({"compose-layouts", "merge-affine"} <= passes, passes)
            for event in profile["traceEvents"]:
                self.assertEqual((event["ph"], event["pid"]), ("X", 1))
                self.assertGreaterEqual(event["ts"], 0)
                self.assertLessEqual(event["ts"] + event["dur"], 1e6 * profile["boundflow"]["wall_s"] + 1e5)
            summary = profile["boundflow"]
            self.assertEqual((summary["schema"], summary["threads"], summary["spans_left_out"]), (1, 2, 0))
            for share in ("outside_kernels_share", "outside_kernels_share_of_ops"):
                self.assertTrue(0 <= summary[share] <= 1, summary[share])
            totals = {(total["kind"], total["name"]): total["count"] for total in summary["totals"]}
            for key, count in totals.items():
                spans = [e for e in profile["traceEvents"] if (e["cat"], e["name"]) == key]
                self.assertEqual(len(spans), count, key)
            self.assertIn(("product", "affine_forward"), totals)
        self.assertIn(("row kernel", "apply_relaxation_and_bias"), totals)  # of the proof

    def test_no_counterexample_file_without_a_counterexample(self) -> None:
        path = self.folder / "x.txt"
        run("verify", NETWORK, PROVED, "--counterexample", path, "--timeout", 30)
        self.assertFalse(path.exists())

    def test_the_same_seed_gives_the_same_counterexample(self) -> None:
        first, second = (run("verify", NETWORK, VIOLATED, "--seed", 5).stdout for _ in range(2))
        self.assertEqual(first, second)


OF_THE_MACHINE = ("gflops", "share", "compiled", "from_disk")


class Deterministic(CommandLine):
    def statistics(self, *options) -> dict:
        """All that a run reports but times, the number of threads, and whether a kernel was in the cache before."""
        report = self.folder / "r.json"
        network = self.write("deep.onnx", deep_model(24, 3))
        # Bounds of hidden neurons are refined three times over, and hundreds of subproblems are split.
        result = run("verify", network, self.endless(8, 2, 1.2), "--branching", "activation", "--deterministic",
                     "--timeout", 50, "--json", report, *options)
        self.assertEqual((result.returncode, result.stdout), (OK, "unsat\n"), result.stderr)

        def comparable(value):
            if isinstance(value, dict):
                may_differ = {key for key in value if key.endswith("_s") or key in OF_THE_MACHINE}
                return {key: comparable(each) for key, each in value.items() if key not in may_differ}
            return [comparable(each) for each in value] if isinstance(value, list) else value

        found = comparable(json.loads(report.read_text()))
        del found["threads"]
        return found

    def test_runs_are_the_same_with_any_number_of_threads(self) -> None:
        first = self.statistics("--threads", 1)
        self.assertGreater(first["statistics"]["splits"], 600)
        for threads in (1, 2):
            self.assertEqual(self.statistics("--threads", threads), first)
        self.assertNotEqual(self.statistics("--threads", 2, "--seed", 7), first)

    def test_measured_times_must_not_decide(self) -> None:
        self.assert_error(run("verify", NETWORK, PROVED, "--deterministic", "--backend", "auto"), USAGE, "--backend auto")


class Limits(CommandLine):
    def test_the_timeout_holds(self) -> None:
        path = self.folder / "r.json"
        for limit in [0.3, 1.0]:
            start = time.monotonic()
            result = run("verify", NETWORK, self.endless(), *SPLIT_INPUTS, "--timeout", limit, "--json", path)
            elapsed = time.monotonic() - start
            self.assertEqual((result.returncode, result.stdout), (OK, "timeout\n"))
            self.assertIn("time limit", result.stderr)
            self.assertGreater(elapsed, 0.9 * limit)
            self.assertLess(elapsed, limit + 0.5)
            report = json.loads(path.read_text())
            self.assertEqual(report["verdict"], "timeout")
            self.assertGreater(report["statistics"]["open"], 0)

    def test_an_interrupt_reports_what_is_known(self) -> None:
        path = self.folder / "r.json"
        for sent in [signal.SIGINT, signal.SIGTERM]:
            command = [boundflow(), "verify", str(NETWORK), str(self.endless()), *SPLIT_INPUTS, "--json", str(path),
                       "--timeout", "60"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(0.7)
            start = time.monotonic()
            process.send_signal(sent)
            output, messages = process.communicate(timeout=10)
            self.assertLess(time.monotonic() - start, 1)
            self.assertEqual((process.returncode, output), (INTERRUPTED, "unknown\n"))
            report = json.loads(path.read_text())
            self.assertEqual((report["verdict"], report["reason"]), ("unknown", "interrupted"))
            found = report["statistics"]
            self.assertGreater(found["open"], 0)
            self.assertLess(found["worst_bound"], 0)
            said = re.search(r"unknown: open (\d+), closed (\d+), depth \d+, worst bound (\S+)\n", messages)
            self.assertEqual((int(said[1]), int(said[2])), (found["open"], found["closed"]))
            self.assertAlmostEqual(float(said[3]), found["worst_bound"], delta=1e-5 * abs(found["worst_bound"]))
            path.unlink()

    def test_memory_sizes(self) -> None:
        for size in ["512M", "4G", "1000000K", "2000000000"]:
            self.assertEqual(run("verify", NETWORK, PROVED, "--memory", size).stdout, "unsat\n", size)
        for size in ["", "lots", "-1G", "1.5.2G", "4X", "99999999999999999999G", "0x"]:
            self.assert_error(run("verify", NETWORK, PROVED, f"--memory={size}"), USAGE)

    def test_values_out_of_range(self) -> None:
        for flag in ["--timeout=0", "--timeout=-1", "--timeout=soon", "--timeout=nan", "--threads=-1", "--threads=x",
                     "--semantics=float16", "--log-level=loud", "--seed=-1", "--seed=18446744073709551616"]:
            with self.subTest(flag):
                self.assert_error(run("verify", NETWORK, PROVED, flag), USAGE)


class Errors(CommandLine):
    def test_usage(self) -> None:
        self.assert_error(run(), USAGE)
        self.assert_error(run("verify"), USAGE)
        self.assert_error(run("verify", NETWORK), USAGE)
        self.assert_error(run("verify", NETWORK, PROVED, "extra"), USAGE)
        self.assert_error(run("verify", NETWORK, PROVED, "--no-such-flag"), USAGE, "--no-such-flag")
        self.assert_error(run("prove", NETWORK, PROVED), USAGE)

    def test_missing_and_malformed_files(self) -> None:
        self.assert_error(run("verify", self.folder / "none.onnx", PROVED), BAD_INPUT, "none.onnx")
        self.assert_error(run("verify", NETWORK, self.folder / "none.vnnlib"), BAD_INPUT, "none.vnnlib")
        self.assert_error(run("verify", self.folder, PROVED), BAD_INPUT, "directory")
        self.assert_error(run("verify", PROVED, PROVED), BAD_INPUT, "proved.vnnlib")
        bad = self.write("bad.vnnlib", "(declare-const X_0 Real)\n(assert (>= X_0 oops))\n")
        self.assert_error(run("verify", NETWORK, bad), BAD_INPUT, "bad.vnnlib:2:")
        truncated = self.write("cut.onnx", NETWORK.read_bytes()[:1000])
        self.assert_error(run("verify", truncated, PROVED), BAD_INPUT, "cut.onnx")

    def test_an_unknown_operator_is_unsupported(self) -> None:
        for op in ("Wobble", "FoldedGemm"):  # the latter is one that only passes make
            self.assert_error(run("verify", self.write("t.onnx", tiny_model(op)), PROVED), UNSUPPORTED, "the_node", op)
        self.assertEqual(run("compile", self.write("r.onnx", tiny_model("Relu"))).returncode, OK)

    def test_an_output_file_that_cannot_be_written(self) -> None:
        for flag in ["--json", "--counterexample"]:
            result = run("verify", NETWORK, VIOLATED, flag, self.folder / "no" / "such" / "folder", "--timeout", 30)
            self.assertEqual(result.returncode, USAGE, result.stderr)
            self.assertIn("no/such/folder", result.stderr)

    def test_a_closed_output_is_an_error(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        command = [boundflow(), "verify", str(NETWORK), str(PROVED)]
        result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        os.close(writer)
        self.assertEqual(result.returncode, INTERNAL)
        self.assertIn("standard output", result.stderr)
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, INTERNAL)


class Compile(CommandLine):
    def test_every_level_prints_and_is_deterministic(self) -> None:
        texts = {}
        for level in ["network", "program", "plan"]:
            results = [run("compile", NETWORK, f"--stop-after={level}") for _ in range(2)]
            self.assertEqual(results[0].returncode, OK, results[0].stderr)
            self.assertEqual(results[0].stdout, results[1].stdout)
            self.assertEqual(results[0].stderr, "")
            self.assertGreater(len(results[0].stdout.splitlines()), 5)
            texts[level] = results[0].stdout
        self.assertEqual(len(set(texts.values())), 3)
        self.assertEqual(run("compile", NETWORK).stdout, texts["plan"])

    def test_an_unknown_level(self) -> None:
        self.assert_error(run("compile", NETWORK, "--stop-after=kernel"), USAGE, "kernel")

    def test_passes_are_shown_left_out_and_limited(self) -> None:
        network = self.write("identity.onnx", tiny_model("Identity"))
        compile_it = ("compile", network, "--stop-after=network")
        empty = run(*compile_it)
        self.assertEqual((empty.returncode, empty.stderr), (OK, ""))
        self.assertNotIn("Identity", empty.stdout)
        for option in ("--disable-pass=compose-layouts", "--disable-pass=merge-equal,compose-layouts",
                       "--disable-pass=all", "--pass-limit=0"):
            self.assertIn("Identity", run(*compile_it, option).stdout, option)
        self.assertEqual(run(*compile_it, "--pass-limit=1").stdout, empty.stdout)
        shown = run(*compile_it, "--print-after=remove-dead,compose-layouts").stdout
        headings = [line for line in shown.splitlines() if line.startswith("===")]
        self.assertEqual(headings, ["=== after remove-dead", "=== after compose-layouts", "=== network"])
        self.assertEqual(shown.count("Identity"), 1)
        self.assertTrue(shown.endswith("=== network\n" + empty.stdout))
        everything = run("inspect", network, "--print-after=all")
        self.assertEqual(everything.returncode, OK)
        self.assertIn("=== after merge-affine\n", everything.stderr)
        self.assertNotIn("===", everything.stdout)
        program = ("compile", network, "--stop-after=program")
        shown = run(*program, "--print-after=all").stdout
        self.assertLess(shown.index("=== after merge-affine\n"), shown.index("=== after remove-dead-ops\nprogram"))
        for option in ("--print-after=fuse", "--disable-pass=merge-equal,fuse"):
            self.assert_error(run(*compile_it, option), USAGE, option.split("=")[0], "'fuse'", "compose-layouts")
        self.assert_error(run(*compile_it, "--pass-limit=-1"), USAGE, "--pass-limit")


class Information(unittest.TestCase):
    def test_version(self) -> None:
        result = run("--version")
        self.assertEqual(result.returncode, OK)
        self.assertRegex(result.stdout, r"\Aboundflow \d+\.\d+\.\d+\n\Z")

    def test_help_lists_the_options(self) -> None:
        for command in [[], ["verify"], ["bounds"], ["inspect"], ["compile"]]:
            result = run(*command, "--help")
            self.assertEqual(result.returncode, OK)
            self.assertIn("--timeout", result.stdout)
        self.assertIn("--timeout", run("--help").stdout)


if __name__ == "__main__":
    main()
