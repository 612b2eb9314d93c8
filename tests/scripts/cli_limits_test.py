"""Limits: time, memory, signals, full disks and closed streams. Usage: cli_limits_test.py path/to/boundflow

Nothing here asserts how long something takes; what does not end is killed after minutes, which fails the test.
"""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time
import unittest
import zipfile
from pathlib import Path

from command_line import (BAD_INPUT, DIGITS, INTERNAL, INTERRUPTED, NETWORK, OK, PROVED, SPLIT_INPUTS, USAGE,
                          VIOLATED, CommandLine,
                          boundflow, deep_model, main, npy, run)

HANG = 300
IMAGE = DIGITS / "image.npy"
AROUND = ["bounds", NETWORK, "--center", IMAGE, "--eps", "0.01"]


class Limits(CommandLine):
    def deep(self, size: int, layers: int) -> Path:
        return self.write("deep.onnx", deep_model(size, layers))

    def hopeless(self) -> Path:
        """A property of deep(): far beyond the outputs that there are, far within the bounds that are found at once."""
        return self.endless(8, 2, 100)

    def centers(self, count: int, inputs: int) -> Path:
        return self.write("centers.npy", npy([k % 97 / 97 for k in range(count * inputs)], count, inputs))

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def start(self, *arguments, **options) -> subprocess.Popen:
        process = subprocess.Popen([boundflow(), *map(str, arguments)], text=True,
                                   **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def wait_for_handler(self, process: subprocess.Popen) -> None:
        """Until a SIGTERM is caught: before that, it ends any process."""
        status = Path(f"/proc/{process.pid}/status")
        for _ in range(HANG * 1000):
            caught = [line for line in status.read_text().splitlines() if line.startswith("SigCgt:")]
            if caught and int(caught[0].split()[1], 16) >> (signal.SIGTERM - 1) & 1:
                return
            time.sleep(0.001)
        self.fail("the command catches no SIGTERM")


def said(line: str) -> str:
    """Standard error where there is no verdict: the line, and what is open if the search had begun."""
    return rf"\A{line}\n(\w+: open \d+, closed \d+, depth \d+, worst bound \S+\n)?\Z"


class Timeouts(Limits):
    def test_verify_answers_at_every_stage(self) -> None:
        # Reading and packing this network, the attack and the first bounds take a while each.
        network, prop, report = self.deep(1600, 8), self.hopeless(), self.folder / "r.json"
        for limit in ["1e-9", "0.02", "0.1", "0.3", "1"]:
            with self.subTest(limit):
                result = run("verify", network, prop, "--timeout", limit, "--json", report)
                self.assertEqual((result.returncode, result.stdout), (OK, "timeout\n"), result.stderr)
                self.assertRegex(result.stderr, said("timeout: time limit reached"))
                read = json.loads(report.read_text())
                self.assertEqual((read["verdict"], read["reason"]), ("timeout", "time limit reached"))
                self.assertIsNone(read["statistics"]["worst_bound"])

    def test_bounds_keep_what_is_complete(self) -> None:
        network, out, report = self.deep(200, 4), self.folder / "b.npz", self.folder / "r.json"
        centers = self.centers(20000, 8)
        everything = ["bounds", network, "--center", centers, "--eps", "0.1", "--out", out, "--json", report]
        for limit in ["1.5", "6", "24"]:  # a slow machine needs more to complete any
            result = run(*everything, "--timeout", limit)
            read = json.loads(report.read_text())
            if read["complete"] > 0:
                break
        self.assertEqual((result.returncode, read["reason"], read["queries"]), (OK, "timeout", 20000), result.stderr)
        self.assertIn(f"timeout after {read['complete']} of 20000 inputs", result.stderr)
        known = [row for row in read["lower"] if None not in row]
        self.assertEqual(len(known), read["complete"])
        self.assertGreater(read["complete"], 0)
        self.assertLess(read["complete"], 20000)
        with zipfile.ZipFile(out) as archive:
            self.assertIsNone(archive.testzip())

    def test_bounds_before_the_network_is_read(self) -> None:
        out, report = self.folder / "b.npz", self.folder / "r.json"
        result = run(*AROUND, "--timeout", "1e-9", "--out", out, "--json", report)
        self.assertEqual(result.returncode, OK)
        self.assertIn("timeout before the network was read", result.stderr)
        read = json.loads(report.read_text())
        self.assertEqual((read["reason"], read["queries"], read["complete"], read["lower"]), ("timeout", 0, 0, []))
        with zipfile.ZipFile(out) as archive:
            self.assertIsNone(archive.testzip())

    def test_bounds_before_the_network_is_compiled(self) -> None:
        # Compiling this takes seconds, reading it a fraction of one.
        result = run("bounds", self.deep(2400, 6), "--center", self.centers(3, 8), "--eps", "1", "--timeout", "1",
                     "--json", self.folder / "r.json")
        self.assertEqual(result.returncode, OK, result.stderr)
        read = json.loads((self.folder / "r.json").read_text())
        self.assertEqual((read["reason"], read["complete"]), ("timeout", 0))
        self.assertIn(read["lower"], [[], [[None] * 2] * 3], "a slow machine has not even read it")

    def test_commands_without_such_an_answer_fail(self) -> None:
        for command in [["inspect", NETWORK], ["compile", NETWORK]]:
            self.assert_error(run(*command, "--timeout", "1e-9"), INTERNAL, "time limit")
            self.assertEqual(run(*command, "--timeout", "1000").returncode, OK)

    def test_a_bad_file_stays_bad_input(self) -> None:
        bad = self.write("bad.onnx", b"no network")
        self.assert_error(run("verify", bad, PROVED, "--timeout", "1e-9"), BAD_INPUT, "bad.onnx")


class Signals(Limits):
    def test_verify_at_every_stage(self) -> None:
        network, prop, report = self.deep(1200, 6), self.hopeless(), self.folder / "r.json"
        for sent, delay in [(signal.SIGINT, 0), (signal.SIGTERM, 0.1), (signal.SIGHUP, 0.4), (signal.SIGINT, 1.5)]:
            with self.subTest(signal=sent, delay=delay):
                process = self.start("verify", network, prop, "--json", report)
                self.wait_for_handler(process)
                time.sleep(delay)
                process.send_signal(sent)
                stdout, stderr = process.communicate(timeout=HANG)
                self.assertEqual((process.returncode, stdout), (INTERRUPTED, "unknown\n"))
                self.assertRegex(stderr, said("unknown: interrupted"))
                read = json.loads(report.read_text())
                self.assertEqual((read["verdict"], read["reason"]), ("unknown", "interrupted"))
                report.unlink()

    def test_bounds_write_what_is_complete(self) -> None:
        network, out, report = self.deep(200, 4), self.folder / "b.npz", self.folder / "r.json"
        process = self.start("bounds", network, "--center", self.centers(20000, 8), "--eps", "0.1", "--out", out,
                             "--json", report)
        self.wait_for_handler(process)
        time.sleep(1)
        process.terminate()
        stdout, stderr = process.communicate(timeout=HANG)
        self.assertEqual(process.returncode, INTERRUPTED, stderr)
        self.assertIn("interrupted", stderr)
        self.assertIn("lower error", stdout)
        read = json.loads(report.read_text())
        self.assertEqual(read["reason"], "interrupted")
        self.assertEqual(len([row for row in read["lower"] if None not in row]), read["complete"])
        with zipfile.ZipFile(out) as archive:
            self.assertIsNone(archive.testzip())

    def test_inspect_and_compile(self) -> None:
        network = self.deep(1200, 20)
        for command in ["inspect", "compile"]:
            process = self.start(command, network)
            self.wait_for_handler(process)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=HANG)
            self.assertEqual((process.returncode, stdout, stderr), (INTERRUPTED, "", "boundflow: interrupted\n"))

    def test_a_second_signal_ends_at_once(self) -> None:
        # Reading from a pipe that nobody writes to cannot be left in order.
        pipe = self.folder / "pipe.onnx"
        os.mkfifo(pipe)
        process = self.start("verify", pipe, PROVED)
        self.wait_for_handler(process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=HANG)
        self.assertEqual(process.returncode, INTERRUPTED)

    def test_what_the_parent_ignores_stays_ignored(self) -> None:
        for ignored in [signal.SIGINT, signal.SIGHUP]:
            process = self.start("verify", NETWORK, self.endless(), *SPLIT_INPUTS, "--timeout", "2",
                                 preexec_fn=lambda number=ignored: signal.signal(number, signal.SIG_IGN))
            self.wait_for_handler(process)
            process.send_signal(ignored)
            stdout, _ = process.communicate(timeout=HANG)
            self.assertEqual((process.returncode, stdout), (OK, "timeout\n"))

    def test_the_line_of_progress_is_erased(self) -> None:
        for signals in [1, 2]:
            ours, theirs = pty.openpty()
            process = self.start("verify", NETWORK, self.endless(), *SPLIT_INPUTS, stderr=theirs)
            os.close(theirs)
            text = ""
            while "worst bound" not in text:
                text += os.read(ours, 4096).decode()
            for _ in range(signals):
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=HANG)
            self.assertEqual(process.returncode, INTERRUPTED)
            try:
                while more := os.read(ours, 4096):
                    text += more.decode()
            except OSError:  # the terminal is gone
                pass
            os.close(ours)
            rest = text[text.rindex("/s") :]  # where the last line of progress ends
            self.assertIn("\r\x1b[K", rest)


# A small process starts the command: the peak of a process counts what its parent was when it was started.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10)
sys.exit(code)
"""


def run_measured(*arguments) -> tuple[str, str, int, int]:
    """Output, exit code and peak of resident memory of a command."""
    command = [sys.executable, "-c", MEASURE, boundflow(), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    stdout, _, peak = result.stdout.rstrip("\n").rpartition("\n")
    return stdout + "\n", result.stderr, result.returncode, int(peak)


class Memory(Limits):
    def test_the_queue_of_a_search(self) -> None:
        limit = 64 << 20
        report = self.folder / "r.json"
        stdout, stderr, code, peak = run_measured("verify", NETWORK, self.endless(), *SPLIT_INPUTS, "--memory", "64M",
                                                  "--json", report)
        self.assertEqual((stdout, code), ("unknown\n", OK))
        self.assertRegex(stderr, r"\Aunknown: memory\nunknown: open \d{4,}, closed \d+, depth \d+, worst bound -\d")
        self.assertLess(peak, limit)
        read = json.loads(report.read_text())
        self.assertEqual((read["verdict"], read["reason"]), ("unknown", "memory"))
        self.assertGreater(read["statistics"]["open"], 1000)

    def test_a_network_that_does_not_fit(self) -> None:
        network, prop = self.deep(1200, 8), self.hopeless()
        for limit in [32, 64, 128]:
            with self.subTest(limit):
                stdout, stderr, code, peak = run_measured("verify", network, prop, "--memory", f"{limit}M")
                self.assertEqual((stdout, code), ("unknown\n", OK))
                self.assertRegex(stderr, said("unknown: memory"))
                self.assertLess(peak, limit << 20)
        stdout, stderr, code, _ = run_measured("bounds", network, "--center", self.centers(1, 8), "--eps", "1",
                                               "--memory", "64M")
        self.assertEqual(code, OK, stderr)
        self.assertIn("memory before the network was read", stderr)
        for command in ["inspect", "compile"]:
            self.assert_error(run(command, network, "--memory", "48M"), INTERNAL, "out of memory")

    def test_bounds_in_smaller_chunks_are_the_same(self) -> None:
        network, centers = self.deep(400, 4), self.centers(200, 8)
        files = {}
        for limit in ["4G", "96M", "64M"]:
            files[limit] = self.folder / f"{limit}.npz"
            stdout, stderr, code, peak = run_measured("bounds", network, "--center", centers, "--eps", "0.05",
                                                      "--out", files[limit], "--memory", limit)
            self.assertEqual((code, stderr), (OK, ""))
            if limit.endswith("M"):
                self.assertLess(peak, int(limit[:-1]) << 20)
        contents = {path.read_bytes() for path in files.values()}
        self.assertEqual(len(contents), 1)


class Results(Limits):
    """What cannot be written: the rest is."""

    def full(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    def test_a_disk_that_fills_up(self) -> None:
        report = self.write("r.json", "what was there before")
        counterexample = self.folder / "x.txt"
        before = self.files()
        result = run("verify", NETWORK, VIOLATED, "--json", report, "--counterexample", counterexample,
                     preexec_fn=self.full)
        self.assertEqual(result.returncode, INTERNAL)
        self.assertEqual(result.stdout.splitlines()[0], "sat")
        for path in [report, counterexample]:
            self.assertIn(f"cannot write '{path}': File too large", result.stderr)
        self.assertEqual(report.read_text(), "what was there before")
        self.assertEqual(self.files(), before)

        out = self.folder / "b.npz"
        result = run(*AROUND, "--out", out, preexec_fn=self.full)
        self.assertEqual(result.returncode, INTERNAL)
        self.assertEqual(len(result.stdout.splitlines()), 11)
        self.assertIn(f"cannot write '{out}'", result.stderr)
        self.assertEqual(self.files(), before)

    def test_a_full_device(self) -> None:
        report = self.folder / "r.json"
        result = run("verify", NETWORK, VIOLATED, "--counterexample", "/dev/full", "--json", report)
        self.assertEqual((result.returncode, result.stdout.splitlines()[0]), (INTERNAL, "sat"))
        self.assertIn("cannot write '/dev/full': No space left on device", result.stderr)
        self.assertEqual(json.loads(report.read_text())["verdict"], "sat")

    def test_output_that_nobody_reads(self) -> None:
        report = self.folder / "r.json"
        for command in [["verify", NETWORK, PROVED, "--json", report], [*AROUND, "--json", report], ["inspect"],
                        ["compile", NETWORK]]:
            with self.subTest(command[0]):
                reader, writer = os.pipe()
                os.close(reader)
                process = self.start(*command, stdout=writer)
                os.close(writer)
                _, stderr = process.communicate(timeout=HANG)
                self.assertEqual(process.returncode, INTERNAL)
                self.assertIn("cannot write to standard output: Broken pipe", stderr)
                if report in command:
                    json.loads(report.read_text())
                    report.unlink()
                with open("/dev/full", "w", encoding="utf-8") as full:
                    process = self.start(*command, stdout=full)
                    _, stderr = process.communicate(timeout=HANG)
                self.assertEqual(process.returncode, INTERNAL)
                self.assertIn("cannot write to standard output: No space left on device", stderr)

    def test_closed_streams(self) -> None:
        report = self.folder / "r.json"
        verify = ["verify", NETWORK, PROVED, "--json", report]
        result = run(*verify, preexec_fn=lambda: os.close(0))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (OK, "unsat\n", ""))
        for closed, code in [([1], INTERNAL), ([2], OK), ([0, 1, 2], INTERNAL)]:
            with self.subTest(closed):
                process = self.start(*verify, preexec_fn=lambda streams=closed: [os.close(k) for k in streams])
                stdout, _ = process.communicate(timeout=HANG)
                self.assertEqual(process.returncode, code)
                if 1 not in closed:
                    self.assertEqual(stdout, "unsat\n")
                self.assertEqual(json.loads(report.read_text())["verdict"], "unsat")
                report.unlink()

    def test_what_cannot_be_written_is_refused_before_the_work(self) -> None:
        endless = self.endless()
        for flag in ["--json", "--counterexample"]:
            for path in [self.folder, self.folder / "none" / "r", NETWORK / "r"]:
                with self.subTest(path):
                    self.assert_error(run("verify", NETWORK, endless, flag, path), USAGE, flag, str(path))
        self.assert_error(run("verify", NETWORK, endless, "--json", self.folder / "r", "--counterexample",
                              f"{self.folder}/./r"), USAGE, "--counterexample and --json name the same file")
        copy = self.write("net.onnx", NETWORK.read_bytes())
        self.assert_error(run("verify", copy, endless, "--json", copy), USAGE, "overwritten")
        self.assertEqual(copy.read_bytes(), NETWORK.read_bytes())
        self.assertEqual(self.files(), {"endless.vnnlib", "net.onnx"})

    def test_a_result_that_goes_to_standard_output(self) -> None:
        result = run("verify", NETWORK, PROVED, "--json", "/dev/stdout")
        verdict, _, report = result.stdout.partition("\n")
        self.assertEqual((result.returncode, verdict, json.loads(report)["verdict"]), (OK, "unsat", "unsat"))
        both = self.folder / "both"
        with open(both, "w", encoding="utf-8") as stdout:
            self.start("verify", NETWORK, PROVED, "--json", both, stdout=stdout).communicate(timeout=HANG)
        verdict, _, report = both.read_text().partition("\n")
        self.assertEqual((verdict, json.loads(report)["verdict"]), ("unsat", "unsat"))

    def test_links_and_permissions_stay(self) -> None:
        target, link = self.write("target", "before"), self.folder / "link"
        target.chmod(0o640)
        link.symlink_to(target)
        self.assertEqual(run("verify", NETWORK, PROVED, "--json", link).returncode, OK)
        self.assertTrue(link.is_symlink())
        self.assertEqual(json.loads(target.read_text())["verdict"], "unsat")
        self.assertEqual(target.stat().st_mode & 0o777, 0o640)
        self.assertEqual(self.files(), {"target", "link"})


if __name__ == "__main__":
    main()
