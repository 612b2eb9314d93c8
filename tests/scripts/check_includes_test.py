"""scripts/check_includes.py: passes a tree that keeps the table, and fails for each way to break it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import check_includes  # noqa: E402

GOOD_TREE = {
    "src/base/error.hpp": '#include <string>\n#include "boundflow/verify.hpp"\n',
    "src/ir/network.hpp": '#include "base/error.hpp"\n',
    "src/ops/relu.cpp": '#include "ir/network.hpp"\n#include "base/error.hpp"\n',
    "src/io/gzip.hpp": '#include "ir/network.hpp"\n',
    "src/frontends/onnx/reader.cpp": '#include "io/gzip.hpp"\n#include "onnx_schema.pb.h"\n',
    "src/exec/native/kernels.cpp": '#include "hwy/highway.h"\n',
    "src/exec/native/kernels.hpp": "",
    "src/exec/tvm/executor.cpp": '#include "exec/native/kernels.hpp"\n',
    "src/domains/rules.hpp": "",
    "src/domains/crown/relu.hpp": '#include "domains/rules.hpp"\n',
    "src/domains/registry.cpp": '#include "domains/crown/relu.hpp"\n',
    "src/api/verify.cpp": '#include "boundflow/verify.hpp"\n#include "domains/crown/relu.hpp"\n',
    "include/boundflow/verify.hpp": "#include <string>\n",
    "tools/main.cpp": '#include "boundflow/verify.hpp"\n#include "base/error.hpp"\n#include <CLI/CLI.hpp>\n',
    "tests/unit/relu_test.cpp": '#include "ops/relu.hpp"\n#include "domains/crown/relu.hpp"\n',
}


class CheckIncludes(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, tree: dict[str, str]) -> None:
        for name, text in tree.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def check(self, changes: dict[str, str]) -> tuple[list[str], list[str]]:
        tree = GOOD_TREE | changes
        self.write(tree)
        return check_includes.check(self.root, sorted(tree))

    def assert_violation(self, changes: dict[str, str], where: str, what: str) -> None:
        violations, _ = self.check(changes)
        self.assertEqual(len(violations), 1, violations)
        self.assertTrue(violations[0].startswith(where + ":"), violations[0])
        self.assertIn(what, violations[0])

    def test_a_tree_that_keeps_the_table_passes(self) -> None:
        self.assertEqual(self.check({}), ([], []))

    def test_a_lower_room_includes_a_higher_one(self) -> None:
        self.assert_violation({"src/ir/tensor.cpp": '\n#include "ops/relu.hpp"\n'}, "src/ir/tensor.cpp:2", "ir may not")

    def test_angle_brackets_do_not_help(self) -> None:
        self.assert_violation({"src/ir/tensor.cpp": "#include <ops/relu.hpp>\n"}, "src/ir/tensor.cpp:1", "ir may not")

    def test_the_search_knows_no_engine(self) -> None:
        text = '# include "engine/plan.hpp"\n'
        self.assert_violation({"src/search/queue.cpp": text}, "src/search/queue.cpp:1", "search may not")

    def test_domains_are_separate(self) -> None:
        text = '#include "domains/crown/relu.hpp"\n'
        self.assert_violation({"src/domains/interval/relu.cpp": text}, "src/domains/interval/relu.cpp:1", "separate")

    def test_executors_are_separate(self) -> None:
        text = '#include "exec/reference/run.hpp"\n'
        self.assert_violation({"src/exec/native/run.cpp": text}, "src/exec/native/run.cpp:1", "separate")

    def test_relative_paths_are_refused(self) -> None:
        text = '#include "../ops/relu.hpp"\n'
        self.assert_violation({"src/ir/tensor.cpp": text}, "src/ir/tensor.cpp:1", "names no room")

    def test_a_room_that_the_table_does_not_know(self) -> None:
        text = '#include "base/error.hpp"\n'
        self.assert_violation({"src/utils/a.cpp": text}, "src/utils/a.cpp:1", "not in the table")

    def test_only_the_facade_includes_the_public_headers(self) -> None:
        text = '#include "boundflow/verify.hpp"'
        self.assert_violation({"src/engine/run.cpp": text}, "src/engine/run.cpp:1", "engine may not")

    def test_public_headers_include_no_room(self) -> None:
        text = '#include "ir/network.hpp"'
        self.assert_violation({"include/boundflow/a.hpp": text}, "include/boundflow/a.hpp:1", "include may not")

    def test_tools_include_the_facade_only(self) -> None:
        self.assert_violation({"tools/main.cpp": '#include "engine/plan.hpp"'}, "tools/main.cpp:1", "tools may not")

    def test_tools_include_each_other_by_their_path(self) -> None:
        changes = {"tools/output.hpp": "", "tools/output.cpp": '#include "tools/output.hpp"\n'}
        self.assertEqual(self.check(changes), ([], []))
        self.assert_violation({"tools/output.cpp": '#include "output.hpp"\n'}, "tools/output.cpp:1", "names no room")

    def test_a_cycle(self) -> None:
        changes = {
            "src/ir/a.hpp": '#include "ir/b.hpp"\n',
            "src/ir/b.hpp": '\n#include "ir/c.hpp"\n',
            "src/ir/c.hpp": '#include "ir/a.hpp"\n',
        }
        self.assert_violation(changes, "src/ir/c.hpp:1", "src/ir/a.hpp -> src/ir/b.hpp -> src/ir/c.hpp -> src/ir/a.hpp")

    def test_a_file_that_includes_itself(self) -> None:
        self.assert_violation({"src/ir/a.hpp": '#include "ir/a.hpp"\n'}, "src/ir/a.hpp:1", "cycle")

    def test_lengths(self) -> None:
        violations, warnings = self.check({"docs/long.md": "x\n" * 801, "a.py": "x\n" * 800, "data.csv": "x\n" * 900})
        self.assertEqual([line.split(":")[0] for line in violations], ["docs/long.md"])
        self.assertEqual([line.split(":")[0] for line in warnings], ["a.py"])

    def test_the_command_on_a_git_tree(self) -> None:
        subprocess.run(["git", "init", "--quiet", str(self.root)], check=True)
        self.write({".gitignore": "/build/\n", "build/generated.cpp": "x\n" * 900, **GOOD_TREE})
        command = [sys.executable, str(SCRIPTS / "check_includes.py"), "--root", str(self.root)]
        self.assertEqual(subprocess.run(command, check=False).returncode, 0)
        self.write({"src/base/bad.cpp": '#include "ir/network.hpp"\n'})
        result = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("src/base/bad.cpp:1: base may not include", result.stdout)


if __name__ == "__main__":
    unittest.main()
