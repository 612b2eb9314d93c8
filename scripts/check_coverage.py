#!/usr/bin/env python3
"""Line coverage by room, from gcovr's JSON; exit code 1 where a limit is missed.

Usage: check_coverage.py coverage.json [--lines FILE]   FILE gets file:line of each line that was not run
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Iterable

ALL, ALL_LIMIT = "src", 0.85
# What verdicts rest on: the checkers, and the files that docs/soundness.md names as the places of its formulas.
SOUND, SOUND_LIMIT = "soundness", 0.95
SOUND_FILES = [
    "src/check/*",
    "src/base/rational.*",
    "src/base/rounding.hpp",
    "src/domains/folded_executions.*",
    "src/exec/error_model.*",
    "src/exec/op_driver_batch.hpp",
    "src/exec/op_driver_rows.hpp",
    "src/exec/op_driver_splits.hpp",
    "src/ir/property.*",
    "src/ops/elementary_function.hpp",
    "src/ops/product.*",
    "src/ops/relu.cpp",
    "src/ops/sound_lines.hpp",
    "src/search/clause_bound.*",
    "src/search/combination.*",
    "src/search/expand.*",
    "src/search/specification.*",
]


def lines_of(report: dict) -> dict[str, dict[int, bool]]:
    """Per file of src/: line -> whether it was run. A template counts as run where one of its instances was."""
    files: dict[str, dict[int, bool]] = defaultdict(dict)
    for file in report["files"]:
        if not file["file"].startswith("src/"):
            continue
        for line in file["lines"]:
            if line.get("gcovr/noncode") or line.get("gcovr/excluded"):
                continue
            number = line["line_number"]
            files[file["file"]][number] = files[file["file"]].get(number, False) or line["count"] > 0
    return dict(files)


def groups_of(file: str) -> Iterable[str]:
    yield ALL
    yield "src/" + PurePosixPath(file).parts[1]
    if any(PurePosixPath(file).match(pattern) for pattern in SOUND_FILES):
        yield SOUND


def summarise(files: dict[str, dict[int, bool]]) -> dict[str, tuple[int, int]]:
    """Per group: lines that were run, and all."""
    counts: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for file, lines in files.items():
        for group in groups_of(file):
            run, total = counts[group]
            counts[group] = (run + sum(lines.values()), total + len(lines))
    return dict(counts)


def faults(counts: dict[str, tuple[int, int]]) -> list[str]:
    missed = []
    for group, limit in ((ALL, ALL_LIMIT), (SOUND, SOUND_LIMIT), ("src/check", SOUND_LIMIT)):
        run, total = counts.get(group, (0, 0))
        if total == 0:
            missed.append(f"no line of {group} was seen")
        elif run < limit * total:
            missed.append(f"{group}: {100 * run / total:.1f} % of the lines are run, {100 * limit:.0f} % are expected")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--lines", type=Path)
    arguments = parser.parse_args()
    files = lines_of(json.loads(arguments.report.read_text(encoding="utf-8")))
    counts = summarise(files)
    print(f"{'lines run':<18}{'run':>8}{'of':>8}{'share':>9}")
    for group, (run, total) in sorted(counts.items()):
        print(f"{group:<18}{run:>8}{total:>8}{100 * run / total:>7.1f} %")
    if arguments.lines:
        missing = [f"{file}:{number}" for file, lines in sorted(files.items())
                   for number, seen in sorted(lines.items()) if not seen]
        arguments.lines.write_text("".join(line + "\n" for line in missing), encoding="utf-8")
    missed = faults(counts)
    for fault in missed:
        print(f"check_coverage: {fault}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
