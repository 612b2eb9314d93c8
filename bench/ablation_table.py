#!/usr/bin/env python3
"""The table and the plot of docs/benchmarks.md from what bench/ablation has written.

Usage: ablation_table.py ablation.jsonl [--plot ablation.svg]

Prints two Markdown tables. The first has a line per network and batch, a column per part of the compiler that is switched off alone, as
time with the part off over time with all parts on, then the baseline with all of them off, and, for boxes of half the
width, the whole network's time over that of the specialised one. The second says what the products of a query with all
parts on come to, and where its time goes.
"""

import argparse
import json
import math
import sys
from xml.sax.saxutils import escape

PARTS = ["fusion", "reuse", "rows", "layout"]


def read(path):
    """{(network, batch): {parts that are on: line}}; lines of failed runs are named on standard error and left out."""
    cases = {}
    with open(path, encoding="utf-8") as lines:
        for number, text in enumerate(lines, 1):
            line = json.loads(text)
            if line["schema"] != 2:
                sys.exit(f"{path}:{number}: schema {line['schema']} is not known")
            if line["error"]:
                print(f"{path}:{number}: {line['network']}: {line['error']}", file=sys.stderr)
                continue
            on = tuple(part for part in PARTS if line[part])
            if line["halved"]:
                on = ("halved", line["specialisation"])
            cases.setdefault((line["network"], line["batch"]), {})[on] = line
    return cases


def settings():
    """(title, parts that are on) of each column."""
    columns = [(f"no {part}", tuple(p for p in PARTS if p != part)) for part in PARTS]
    return columns + [("baseline", ())]


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def table(cases):
    columns = settings()
    rows = [["network", "batch", "all parts, ms", *(title for title, _ in columns), "no specialisation", "removed",
             "compile, ms", "arenas, MB", "baseline, MB", "bounds looser by"]]
    ratios = {title: [] for title, _ in columns} | {"specialisation": []}
    for (network, batch), lines in sorted(cases.items()):
        best = lines.get(tuple(PARTS))
        if best is None:
            continue
        row = [network, str(batch), f"{1e3 * best['min_s']:.3g}"]
        for title, on in columns:
            if on not in lines:
                row.append("-")
                continue
            ratio = lines[on]["min_s"] / best["min_s"]
            ratios[title].append(ratio)
            row.append(f"{ratio:.2f}")
        whole, special = lines.get(("halved", False)), lines.get(("halved", True))
        if whole and special:
            ratios["specialisation"].append(whole["min_s"] / special["min_s"])
            row += [f"{ratios['specialisation'][-1]:.2f}", str(special["removed_neurons"])]
        else:
            row += ["-", "-"]
        row.append(f"{1e3 * best['compile_s']:.3g}")
        row.append(f"{best['arena_bytes'] / 2**20:.3g}")
        row.append(f"{lines[()]['arena_bytes'] / 2**20:.3g}" if () in lines else "-")
        row.append(f"{max(line['all_parts_looser_by'] for line in lines.values()):.1e}")
        rows.append(row)
    rows.append(["geometric mean", "", ""] + [f"{geometric_mean(r):.2f}" if r else "-" for r in ratios.values()] +
                [""] * 5)
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def work_table(cases):
    rows = [["network", "batch", "useful, GFLOP", "executed, GFLOP", "baseline useful, GFLOP", "executed, GFLOP/s",
             "of peak", "useful of peak", "products", "row kernels", "the rest"]]
    rows.append(["---"] * len(rows[0]))
    for (network, batch), lines in sorted(cases.items()):
        best = lines.get(tuple(PARTS))
        if best is None:
            continue
        parts_s = [best["products_s"], best["row_kernels_s"], best["other_ops_s"]]
        rate = best["executed_flop"] / best["products_s"]
        useful = best["useful_flop"] / best["products_s"]
        rows.append([network, str(batch), f"{best['useful_flop'] / 1e9:.3g}", f"{best['executed_flop'] / 1e9:.3g}",
                     f"{lines[()]['useful_flop'] / 1e9:.3g}" if () in lines else "-", f"{rate / 1e9:.3g}",
                     f"{rate / best['peak_flop_per_s']:.0%}", f"{useful / best['peak_flop_per_s']:.0%}",
                     *(f"{seconds / sum(parts_s):.0%}" for seconds in parts_s)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def plot(cases):
    """Bars of the baseline's time over that of all parts, a row per network and batch, on a logarithmic axis."""
    bars = []
    for (network, batch), lines in sorted(cases.items()):
        if tuple(PARTS) in lines and () in lines:
            bars.append((f"{network}, batch {batch}", lines[()]["min_s"] / lines[tuple(PARTS)]["min_s"]))
    left, width, height = 210, 420, 20
    most = max(10.0, *(ratio for _, ratio in bars))
    scale = width / math.log(most)
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{height * len(bars) + 40}" '
           'font-family="sans-serif" font-size="12">',
           f'<text x="{left}" y="14">baseline time / time with all parts (logarithmic)</text>']
    for number, (name, ratio) in enumerate(bars):
        y = 24 + height * number
        length = max(1.0, scale * math.log(max(ratio, 1.0)))
        svg.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
        svg.append(f'<rect x="{left}" y="{y + 3}" width="{length:.1f}" height="{height - 6}" fill="#4477aa"/>')
        svg.append(f'<text x="{left + length + 5:.1f}" y="{y + 13}">{ratio:.1f}</text>')
    return "\n".join([*svg, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lines")
    parser.add_argument("--plot")
    arguments = parser.parse_args()
    cases = read(arguments.lines)
    print(table(cases))
    print()
    print(work_table(cases))
    if arguments.plot:
        with open(arguments.plot, "w", encoding="utf-8") as file:
            file.write(plot(cases))


if __name__ == "__main__":
    main()
