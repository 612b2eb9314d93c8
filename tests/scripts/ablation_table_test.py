"""The table and the plot of the ablation, from lines as bench/ablation writes them."""

import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "bench" / "ablation_table.py"
PARTS = ["fusion", "reuse", "rows", "layout"]


def line(on, seconds, **further):
    return {"schema": 2, "network": "a<b", "batch": 64, **{part: part in on for part in PARTS}, "halved": False,
            "specialisation": False, "error": "", "min_s": seconds, "compile_s": 0.01, "arena_bytes": 2**20,
            "all_parts_looser_by": 0.0, "useful_flop": 4e9, "executed_flop": 8e9, "products_s": 0.1,
            "row_kernels_s": 0.06, "other_ops_s": 0.04, "peak_flop_per_s": 1e11, **further}


class AblationTable(unittest.TestCase):
    def run_script(self, lines, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "lines.jsonl"
            path.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
            plot = pathlib.Path(folder) / "plot.svg"
            result = subprocess.run([sys.executable, SCRIPT, path, "--plot", plot, *arguments], text=True,
                                    capture_output=True, check=False)
            return result, plot.read_text(encoding="utf-8") if plot.exists() else ""

    def lines(self):
        all_lines = []
        for on in itertools.product([True, False], repeat=4):
            parts = [part for part, present in zip(PARTS, on) if present]
            all_lines.append(line(parts, 0.001 * 2 ** (4 - len(parts))))
        all_lines.append(line(PARTS, 0.001, halved=True))
        all_lines.append(line(PARTS, 0.0005, halved=True, specialisation=True, removed_neurons=7))
        return all_lines

    def test_ratios_are_times_without_a_part_over_those_with_all(self):
        result, plot = self.run_script(self.lines())
        self.assertEqual(result.returncode, 0, result.stderr)
        cells = [cell.strip() for cell in result.stdout.splitlines()[2].strip("|").split("|")]
        self.assertEqual(cells, ["a<b", "64", "1", "2.00", "2.00", "2.00", "2.00", "16.00", "2.00", "7", "10", "1", "1",
                                 "0.0e+00"])
        self.assertIn("geometric mean", result.stdout)
        work = [cell.strip() for cell in result.stdout.splitlines()[-1].strip("|").split("|")]
        self.assertEqual(work, ["a<b", "64", "4", "8", "4", "80", "80%", "40%", "50%", "30%", "20%"])
        xml.etree.ElementTree.fromstring(plot)  # well-formed, whatever the network's name
        self.assertIn("16.0", plot)

    def test_failures_are_named_and_left_out(self):
        lines = self.lines()
        lines[-1] = line(PARTS, 0, halved=True, specialisation=True, error="out of memory")
        result, _ = self.run_script(lines)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("out of memory", result.stderr)
        self.assertIn("| - | - |", result.stdout)

    def test_another_schema_is_refused(self):
        result, _ = self.run_script([{**line(PARTS, 1), "schema": 3}])
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("schema 3", result.stderr)


if __name__ == "__main__":
    unittest.main()
