"""scripts/check_coverage.py: counts each line of src/ once, and misses a limit where it should."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import check_coverage  # noqa: E402


def report(**counts: list[int]) -> dict:
    """Files by name (__ for /, _DOT_ for .) with the counts of their lines 1, 2, ..."""
    return {"files": [{"file": name.replace("__", "/").replace("_DOT_", "."),
                       "lines": [{"line_number": n, "count": count} for n, count in enumerate(lines, start=1)]}
                      for name, lines in counts.items()]}


class CheckCoverage(unittest.TestCase):
    def faults(self, **counts: list[int]) -> list[str]:
        return check_coverage.faults(check_coverage.summarise(check_coverage.lines_of(report(**counts))))

    def test_full_coverage_passes(self) -> None:
        self.assertEqual(self.faults(src__check__plan_DOT_cpp=[1, 2], src__ir__tensor_DOT_cpp=[7]), [])

    def test_the_limit_of_all_lines(self) -> None:
        self.assertEqual(self.faults(src__check__plan_DOT_cpp=[1], src__ir__tensor_DOT_cpp=[1, 0]),
                         ["src: 66.7 % of the lines are run, 85 % are expected"])

    def test_the_limit_of_what_verdicts_rest_on(self) -> None:
        many = [1] * 100
        self.assertEqual(self.faults(src__check__plan_DOT_cpp=many, src__exec__error_model_DOT_cpp=[0] * 10),
                         ["soundness: 90.9 % of the lines are run, 95 % are expected"])
        self.assertEqual(len(self.faults(src__check__plan_DOT_cpp=[0], src__ir__tensor_DOT_cpp=many)), 2)

    def test_no_lines_at_all_are_a_fault(self) -> None:
        self.assertEqual(len(self.faults(tests__a_DOT_cpp=[1])), 3)

    def test_a_template_is_run_where_one_instance_is(self) -> None:
        twice = {"file": "src/base/rounding.hpp",
                 "lines": [{"line_number": 4, "count": 0}, {"line_number": 4, "count": 3}]}
        self.assertEqual(check_coverage.lines_of({"files": [twice]}), {"src/base/rounding.hpp": {4: True}})


if __name__ == "__main__":
    unittest.main()
