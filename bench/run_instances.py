#!/usr/bin/env python3
"""Runs BoundFlow on a list of VNN-COMP instances and prints a table of what it solved.

Each instance adds one row to the results file (JSON Lines). A run can be stopped and repeated: instances that have a
row of the same commit, program, options and timeout are not run again. Options after `--` go to `boundflow verify`.

    bench/run_instances.py --instances ../shared/instances --benchmark acasxu,mnist_fc --timeout 20 -- --threads 1
    bench/run_instances.py --instances ../shared/instances --subset bench/daily.csv --timeout 25

`--choose N` prints such a subset and runs nothing: the benchmarks take turns until N instances with a known verdict are
dealt, and each takes its share at equal distances along its own list.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable

PROJECT = Path(__file__).resolve().parent.parent
VERDICTS = {"sat", "unsat", "unknown", "timeout"}
DECIDED = {"sat", "unsat"}
LATE_S = 0.5  # after the timeout: late, and not counted as solved
KILL_S = 5.0  # after the timeout: killed

Row = dict  # one line of the results file


@dataclass(frozen=True)
class Instance:
    benchmark: str
    onnx: str
    vnnlib: str
    timeout_s: float
    expected: str  # sat, unsat or unsolved

    @property
    def paths(self) -> tuple[str, str]:
        return self.onnx, self.vnnlib


@dataclass
class Setup:
    """What all runs have in common; its key decides which rows count as the same experiment."""

    folder: Path
    boundflow: Path
    options: list[str]
    commit: str
    program: str
    stop: threading.Event = field(default_factory=threading.Event)

    def key(self, instance: Instance) -> tuple:
        return (self.commit, self.program, tuple(self.options), instance.timeout_s, *instance.paths)


def key_of(row: Row) -> tuple:
    return (row["commit"], row["program"], tuple(row["options"]), row["timeout_s"], row["onnx"], row["vnnlib"])


# --- Input ------------------------------------------------------------------------------------------------------------


def read_instances(
    folder: Path, benchmarks: set[str], expected: set[str], limit: int | None, cap_s: float | None
) -> list[Instance]:
    """The rows of instances.csv that were asked for; at most `limit` of each benchmark."""
    chosen: list[Instance] = []
    counts: dict[str, int] = {}
    with open(folder / "instances.csv", newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            name = line["benchmark"]
            if (benchmarks and name not in benchmarks) or (expected and line["expected"] not in expected):
                continue
            counts[name] = counts.get(name, 0) + 1
            if limit is not None and counts[name] > limit:
                continue
            timeout_s = float(line["timeout_s"])
            timeout_s = timeout_s if cap_s is None else min(timeout_s, cap_s)
            chosen.append(Instance(name, line["onnx"], line["vnnlib"], timeout_s, line["expected"]))
    return chosen


def read_subset(path: Path) -> set[tuple[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return {(line["onnx"], line["vnnlib"]) for line in csv.DictReader(file)}


def choose(instances: list[Instance], count: int) -> list[Instance]:
    """At most `count` of the instances whose verdict is known; a function of the list alone."""
    lists: dict[str, list[Instance]] = {}
    for instance in instances:
        if instance.expected in DECIDED:
            lists.setdefault(instance.benchmark, []).append(instance)
    shares = {name: 0 for name in lists}
    left = min(count, sum(map(len, lists.values())))
    while left > 0:
        for name in sorted(lists):
            if left > 0 and shares[name] < len(lists[name]):
                shares[name] += 1
                left -= 1
    return [
        lists[name][(2 * i + 1) * len(lists[name]) // (2 * shares[name])]
        for name in sorted(lists)
        for i in range(shares[name])
    ]


def print_subset(instances: list[Instance]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["benchmark", "onnx", "vnnlib"])
    writer.writerows([instance.benchmark, *instance.paths] for instance in instances)


def read_rows(path: Path) -> list[Row]:
    """The results so far; a line torn by a crash is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def git_commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(PROJECT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


# --- One instance -----------------------------------------------------------------------------------------------------


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else ""


def read_reason(path: Path) -> str | None:
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("reason")
    except (OSError, ValueError, AttributeError):
        return None


def wait_for_end(process: subprocess.Popen, deadline: float, stop: threading.Event) -> bool:
    """Waits for the end of the process; kills it (and its children) at the deadline or when asked to stop."""
    ended = os.pidfd_open(process.pid)  # wakes up at once, where Popen.wait(timeout) looks every 50 ms
    try:
        while (left := deadline - time.monotonic()) > 0 and not stop.is_set():
            if select.select([ended], [], [], min(0.25, left))[0]:
                process.wait()
                return True
    finally:
        os.close(ended)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    return False


def run_instance(setup: Setup, instance: Instance) -> Row | None:
    """Runs BoundFlow once. None if the run was interrupted."""
    if setup.stop.is_set():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        out, err, report = (Path(scratch) / name for name in ("out", "err", "report.json"))
        command = [str(setup.boundflow), "verify", *(str(setup.folder / path) for path in instance.paths)]
        command += ["--timeout", f"{instance.timeout_s:g}", "--json", str(report), *setup.options]
        started_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        begin = time.monotonic()
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
            )
            ended = wait_for_end(process, begin + instance.timeout_s + KILL_S, setup.stop)
        wall_s = time.monotonic() - begin
        if not ended and setup.stop.is_set():
            return None

        with open(out, encoding="utf-8", errors="replace") as file:
            verdict = file.readline().strip()
        if not ended:
            verdict = "killed"
        elif process.returncode != 0 or verdict not in VERDICTS:
            verdict = "error"
        return {
            "benchmark": instance.benchmark,
            "onnx": instance.onnx,
            "vnnlib": instance.vnnlib,
            "timeout_s": instance.timeout_s,
            "expected": instance.expected,
            "verdict": verdict,
            "reason": read_reason(report),
            "exit_code": process.returncode,
            "wall_s": round(wall_s, 4),
            "stderr": last_line(err.read_text(encoding="utf-8", errors="replace")),
            "commit": setup.commit,
            "program": setup.program,
            "options": setup.options,
            "cores": os.cpu_count(),
            "started_at": started_at,
        }


# --- Judging a row ----------------------------------------------------------------------------------------------------


def is_wrong(row: Row) -> bool:
    return row["verdict"] in DECIDED and row["expected"] in DECIDED and row["verdict"] != row["expected"]


def is_late(row: Row) -> bool:
    return row["wall_s"] > row["timeout_s"] + LATE_S


def is_solved(row: Row) -> bool:
    return row["verdict"] in DECIDED and not is_wrong(row) and not is_late(row)


# --- The table --------------------------------------------------------------------------------------------------------

COLUMNS = ["benchmark", "instances", "run", "solved", "known", "beyond", "wrong", "late", "errors", "median_s", "max_s"]
LEGEND = """\
solved: the known verdict (expected is sat or unsat) was found in time; known: how many have one; beyond: decided where
no verdict is known; wrong: contradicts the known verdict (public verdicts have been wrong too: look closely); late:
more than 0.5 s after the timeout, not counted as solved; errors: exit code or output is not that of a verdict; times:
wall seconds over solved and beyond."""


def summary_line(name: str, instances: list[Instance], rows: list[Row]) -> list[str]:
    solved = [row for row in rows if is_solved(row)]
    seconds = [row["wall_s"] for row in solved]
    counts = [
        len(instances),
        len(rows),
        sum(row["expected"] in DECIDED for row in solved),
        sum(instance.expected in DECIDED for instance in instances),
        sum(row["expected"] not in DECIDED for row in solved),
        sum(map(is_wrong, rows)),
        sum(map(is_late, rows)),
        sum(row["verdict"] == "error" for row in rows),
    ]
    times = [f"{statistics.median(seconds):.3f}", f"{max(seconds):.3f}"] if seconds else ["-", "-"]
    return [name, *map(str, counts), *times]


def render(lines: list[list[str]], markdown: bool) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]

    def cells(line: list[str]) -> list[str]:
        return [line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]

    if not markdown:
        return "\n".join("  ".join(cells(line)) for line in lines)
    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    table = ["| " + " | ".join(cells(line)) + " |" for line in lines]
    return "\n".join([table[0], rule, *table[1:]])


def counted(values: Iterable[str]) -> str:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return ", ".join(f"{value} ({count})" for value, count in counts.items()) or "none"


def print_summary(instances: list[Instance], rows: dict[tuple[str, str], Row], markdown: bool) -> None:
    """The table, and what needs a closer look below it. `rows` holds one row per instance that was run."""
    lines = [COLUMNS]
    benchmarks = list(dict.fromkeys(instance.benchmark for instance in instances))
    for name in benchmarks:
        members = [instance for instance in instances if instance.benchmark == name]
        lines.append(summary_line(name, members, [rows[i.paths] for i in members if i.paths in rows]))
    present = [rows[i.paths] for i in instances if i.paths in rows]
    if len(benchmarks) != 1:
        lines.append(summary_line("total", instances, present))

    print(render(lines, markdown))
    print("\n" + LEGEND)
    print("commits: " + counted(row["commit"] for row in present))
    print("timeouts: " + counted(f"{row['timeout_s']:g} s" for row in present))
    print("cores: " + counted(str(row["cores"]) for row in present))
    for row in present:
        if is_wrong(row) or row["verdict"] == "error":
            what = f"exit {row['exit_code']}"
            if is_wrong(row):
                what = f"WRONG {row['verdict']}, expected {row['expected']}"
            print(f"{what}: {row['onnx']} {row['vnnlib']}  {row['stderr']}".rstrip())


# --- The run ----------------------------------------------------------------------------------------------------------


class Results:
    """The results file: each row is on the disk before the next instance starts."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
        self._file = open(path, "a", encoding="utf-8")
        if torn:
            self._file.write("\n")
        self._lock = threading.Lock()

    def append(self, row: Row) -> None:
        with self._lock:
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()


def progress(row: Row, done: int, total: int) -> None:
    marks = [name for name, holds in (("WRONG", is_wrong(row)), ("LATE", is_late(row))) if holds]
    detail = row["reason"] or (row["stderr"] if row["verdict"] in ("error", "killed") else "")
    text = f"[{done}/{total}] {row['benchmark']} {Path(row['onnx']).name} {Path(row['vnnlib']).name}"
    text += f": {row['verdict']} ({row['expected']}) {row['wall_s']:.2f} s"
    print(" ".join([text, *marks, detail or ""]).rstrip(), file=sys.stderr, flush=True)


def run_all(
    setup: Setup, instances: list[Instance], results: Results, jobs: int, rows: dict[tuple[str, str], Row]
) -> bool:
    """Runs the instances that have no row yet and adds their rows. False if interrupted."""
    pending = [instance for instance in instances if instance.paths not in rows]
    done = len(instances) - len(pending)
    lock = threading.Lock()

    def run(instance: Instance) -> None:
        nonlocal done
        row = run_instance(setup, instance)
        if row is None:
            return
        results.append(row)
        with lock:
            rows[instance.paths] = row
            done += 1
            progress(row, done, len(instances))

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(run, instance) for instance in pending]
        try:
            for future in futures:
                future.result()
        except BaseException as error:
            setup.stop.set()
            pool.shutdown(cancel_futures=True)
            if isinstance(error, KeyboardInterrupt):
                return False
            raise
    return True


def newest(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    return {(row["onnx"], row["vnnlib"]): row for row in rows}


def names(text: str) -> set[str]:
    return {name for name in text.split(",") if name}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--instances", type=Path, required=True, help="folder with instances.csv; its paths are relative to it")
    add("--benchmark", type=names, default=set(), help="only these, separated by commas")
    add("--expected", type=names, default=set(), help="only these expected verdicts: sat,unsat,unsolved")
    add("--limit", type=int, help="at most this many of each benchmark")
    add("--subset", type=Path, help="only the instances in this CSV file (columns onnx and vnnlib)")
    add("--choose", type=int, metavar="N", help="print a subset of N instances of those, run nothing")
    add("--timeout", type=float, help="seconds; the smaller of this and the csv's timeout_s holds")
    add("--boundflow", type=Path, default=PROJECT / "build/release/tools/boundflow", help="the program")
    add("--results", type=Path, default=PROJECT / "results/instances.jsonl", help="rows are added to this file")
    add("--jobs", type=int, default=1, help="instances that run at the same time")
    add("--only-unsolved", action="store_true", help="only instances that BoundFlow's newest row does not solve")
    add("--summary-only", action="store_true", help="run nothing; show the newest row of each instance, of any commit")
    add("--markdown", action="store_true", help="print the table as Markdown")
    add("options", nargs="*", metavar="-- OPTION", help="passed to boundflow verify")
    return parser.parse_args()


def raise_interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    arguments = parse_arguments()
    folder = arguments.instances.resolve()
    if not (folder / "instances.csv").is_file():
        print(f"{folder}/instances.csv does not exist", file=sys.stderr)
        return 2
    instances = read_instances(folder, arguments.benchmark, arguments.expected, arguments.limit, arguments.timeout)
    if arguments.subset is not None:
        subset = read_subset(arguments.subset)
        if missing := subset - {i.paths for i in read_instances(folder, set(), set(), None, None)}:
            print(f"{len(missing)} of {arguments.subset} are not in {folder}/instances.csv", file=sys.stderr)
        instances = [instance for instance in instances if instance.paths in subset]
    if arguments.choose is not None:
        print_subset(choose(instances, arguments.choose))
        return 0
    old_rows = read_rows(arguments.results)
    if arguments.only_unsolved:
        latest = newest(old_rows)
        instances = [i for i in instances if i.paths not in latest or not is_solved(latest[i.paths])]
    if not instances:
        print("no instance matches", file=sys.stderr)
        return 2
    if arguments.summary_only:
        print_summary(instances, newest(old_rows), arguments.markdown)
        return 0

    boundflow = arguments.boundflow.resolve()
    if not os.access(boundflow, os.X_OK):
        print(f"{boundflow} is not a program; build it first (cmake --build --preset release)", file=sys.stderr)
        return 2
    program = hashlib.sha256(boundflow.read_bytes()).hexdigest()[:12]
    setup = Setup(folder, boundflow, arguments.options, git_commit(), program)
    wanted = {setup.key(instance) for instance in instances}
    rows = newest(row for row in old_rows if key_of(row) in wanted)

    signal.signal(signal.SIGTERM, raise_interrupt)
    finished = run_all(setup, instances, Results(arguments.results), arguments.jobs, rows)
    if not finished:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    print_summary(instances, rows, arguments.markdown)
    return 0 if finished else 130


if __name__ == "__main__":
    sys.exit(main())
