"""scripts/check_definitions.py: finds what is defined twice where both can be seen, and nothing else."""

import sys
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import check_definitions  # noqa: E402


def in_namespace(name: str, code: str) -> str:
    return f"#pragma once\n\nnamespace {name} {{\n{code}\n}}  // namespace {name}\n"


class CheckDefinitions(unittest.TestCase):
    def violations(self, tree: dict[str, str]) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in tree.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return check_definitions.check(Path(folder))

    def test_types_of_one_name(self) -> None:
        found = self.violations(
            {
                "src/ir/box.hpp": in_namespace("boundflow", "struct Box {\n  int lower = 0;\n};"),
                "src/search/box.cpp": in_namespace("boundflow", "class Box : public Base {\n};"),
            }
        )
        self.assertEqual(found, ["src/search/box.cpp:4: boundflow::Box is defined in src/ir/box.hpp:4, too: "
                                 "give one of them another name"])

    def test_inline_functions_of_one_name(self) -> None:
        one = "inline double half(double x) { return x / 2; }"
        tree = {"src/a.hpp": in_namespace("boundflow", one), "tests/b.hpp": in_namespace("boundflow", one)}
        self.assertEqual(len(self.violations(tree)), 1)
        tree["tests/b.hpp"] = in_namespace("boundflow", one.replace("double x", "float x"))
        self.assertEqual(self.violations(tree), [])

    def test_names_that_do_not_meet(self) -> None:
        box = "struct Box {\n  struct Side {\n  };\n};"
        self.assertEqual(
            self.violations(
                {
                    "src/a.hpp": in_namespace("boundflow", "struct Box;\ninline int size();\n" + box),
                    "src/b.hpp": in_namespace("boundflow::onnx", box),
                    "src/c.cpp": "namespace boundflow {\nnamespace {\n" + box + "\n}  // namespace\n}  // namespace boundflow\n",
                    "src/d.hpp": in_namespace("boundflow", "struct Box;\ninline int size();"),
                }
            ),
            [],
        )


if __name__ == "__main__":
    unittest.main()
