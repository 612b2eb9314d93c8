#!/usr/bin/env python3
"""How many instances are solved within how many seconds, from the results files of run_instances.py.

    bench/cactus.py results/instances.jsonl                           one curve, named after the file
    bench/cactus.py before=a.jsonl after=b.jsonl --svg cactus.svg     several

Prints the points as CSV: the curve's label, a number of instances, and the seconds within which each of so many is
solved. Of an instance the newest row counts; solved means what it means there. Curves can be compared where they ran
the same instances with the same timeouts: what they share is counted on standard error.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from run_instances import Row, is_solved, names, newest, read_rows

COLOURS = ["#2f6db5", "#e39b3b", "#46a187", "#b3362b", "#8a74c4", "#646b73"]
LEFT, TOP, RIGHT, BOTTOM, WIDTH, HEIGHT = 64, 16, 700, 336, 720, 400


def read_curve(argument: str, benchmarks: set[str]) -> tuple[str, list[Row]]:
    label, mark, path = argument.partition("=")
    file = Path(path if mark else argument)
    if not file.is_file():
        sys.exit(f"{file} does not exist")
    rows = newest(read_rows(file)).values()
    return (label if mark else file.stem), [row for row in rows if not benchmarks or row["benchmark"] in benchmarks]


def solved_seconds(rows: list[Row]) -> list[float]:
    return sorted(row["wall_s"] for row in rows if is_solved(row))


def say_what_is_shared(curves: list[tuple[str, list[Row]]]) -> None:
    runs = [{(row["onnx"], row["vnnlib"], row["timeout_s"]) for row in rows} for _, rows in curves]
    shared = set.intersection(*runs)
    for (label, rows), run in zip(curves, runs):
        solved = len(solved_seconds(rows))
        print(f"{label}: {solved} of {len(rows)} solved, {len(run - shared)} that not all have run", file=sys.stderr)


def nice_steps(largest: int) -> range:
    step = next(d * 10**p for p in range(9) for d in (1, 2, 5) if largest <= 8 * d * 10**p)
    return range(0, largest + 1, step)


def draw(curves: list[tuple[str, list[float]]]) -> str:
    """Instances from left to right, seconds upwards in powers of ten."""
    most = max([1, *(len(seconds) for _, seconds in curves)])
    everything = [s for _, seconds in curves for s in seconds] or [1.0]
    low = math.floor(math.log10(max(min(everything), 1e-3)))
    high = max(low + 1, math.ceil(math.log10(max(everything))))

    def x(count: float) -> float:
        return LEFT + (RIGHT - LEFT) * count / most

    def y(seconds: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (math.log10(max(seconds, 1e-3)) - low) / (high - low)

    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="12" role="img" aria-label="solved instances over seconds">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fcfcfb"/>',
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        svg.append(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{RIGHT}" y2="{at:.1f}" stroke="#e3e5e8"/>')
        svg.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#646b73">{10.0**power:g} s</text>')
    for count in nice_steps(most):
        svg.append(
            f'<text x="{x(count):.1f}" y="{BOTTOM + 18}" text-anchor="middle" fill="#646b73">{count}</text>'
        )
    svg.append(f'<text x="{RIGHT}" y="{BOTTOM + 34}" text-anchor="end" fill="#646b73">instances solved</text>')
    for k, (label, seconds) in enumerate(curves):
        colour = COLOURS[k % len(COLOURS)]
        points = " ".join(f"{x(count):.1f},{y(s):.1f}" for count, s in enumerate(seconds, 1))
        svg.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        at = TOP + 14 + 18 * k
        svg.append(f'<line x1="{LEFT + 12}" y1="{at}" x2="{LEFT + 32}" y2="{at}" stroke="{colour}" stroke-width="3"/>')
        svg.append(f'<text x="{LEFT + 40}" y="{at + 4}" fill="#1c2024">{escape(label)} ({len(seconds)})</text>')
    return "\n".join([*svg, "</svg>\n"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", metavar="[LABEL=]FILE", help="results of run_instances.py")
    parser.add_argument("--benchmark", type=names, default=set(), help="only these, separated by commas")
    parser.add_argument("--svg", type=Path, help="draw the curves into this file")
    arguments = parser.parse_args()
    curves = [read_curve(argument, arguments.benchmark) for argument in arguments.results]
    say_what_is_shared(curves)
    points = [(label, solved_seconds(rows)) for label, rows in curves]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["label", "solved", "seconds"])
    for label, seconds in points:
        writer.writerows([label, count, f"{s:g}"] for count, s in enumerate(seconds, 1))
    if arguments.svg is not None:
        arguments.svg.write_text(draw(points), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
