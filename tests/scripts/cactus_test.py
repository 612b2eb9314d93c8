"""bench/cactus.py on results files as bench/run_instances.py writes them."""

import json
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "bench" / "cactus.py"


def row(name: str, verdict: str, wall_s: float, expected: str = "unsat", benchmark: str = "a") -> dict:
    return {"benchmark": benchmark, "onnx": "net.onnx", "vnnlib": name, "timeout_s": 20, "expected": expected,
            "verdict": verdict, "wall_s": wall_s}


class Cactus(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def results(self, name: str, rows: list[dict]) -> Path:
        path = self.root / name
        path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
        return path

    def run_it(self, *arguments: object) -> subprocess.CompletedProcess:
        command = [sys.executable, str(SCRIPT), *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def test_points_are_solved_instances_by_time(self) -> None:
        rows = [row("p", "unsat", 3), row("q", "sat", 0.5, "unsolved"), row("r", "timeout", 20), row("late", "unsat", 21),
                row("wrong", "sat", 1), row("p", "unsat", 2)]
        path = self.results("now.jsonl", rows)
        result = self.run_it(path)
        self.assertEqual(result.stdout.splitlines(), ["label,solved,seconds", "now,1,0.5", "now,2,2"])
        self.assertIn("now: 2 of 5 solved, 0 that not all have run", result.stderr)

    def test_curves_say_what_they_share(self) -> None:
        before = self.results("1.jsonl", [row("p", "unsat", 3), row("q", "timeout", 20), row("x", "unsat", 1, "unsat", "b")])
        after = self.results("2.jsonl", [row("p", "unsat", 1), row("q", "unsat", 9)])
        result = self.run_it(f"before={before}", f"a<b={after}", "--benchmark", "a", "--svg", self.root / "c.svg")
        self.assertEqual(result.stdout.splitlines()[1:], ["before,1,3", "a<b,1,1", "a<b,2,9"])
        self.assertIn("before: 1 of 2 solved, 0 that", result.stderr)
        svg = xml.etree.ElementTree.parse(self.root / "c.svg").getroot()
        lines = svg.findall("{http://www.w3.org/2000/svg}polyline")
        heights = [[float(point.split(",")[1]) for point in line.get("points").split()] for line in lines]
        self.assertEqual([len(each) for each in heights], [1, 2])
        self.assertGreater(heights[1][0], heights[0][0])  # less time is lower
        self.assertGreater(heights[0][0], heights[1][1])
        self.assertIn("1 that not all have run", self.run_it(before, after).stderr)

    def test_nothing_solved_is_an_empty_curve(self) -> None:
        path = self.results("none.jsonl", [row("p", "timeout", 20)])
        self.assertEqual(self.run_it(path, "--svg", self.root / "c.svg").stdout, "label,solved,seconds\n")
        xml.etree.ElementTree.parse(self.root / "c.svg")


if __name__ == "__main__":
    unittest.main()
