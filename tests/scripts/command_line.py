"""What the tests of the command line share. Each is run as: NAME_test.py path/to/boundflow [unittest arguments]"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
NETWORK = DIGITS / "digits_mlp.onnx"
PROVED = DIGITS / "proved.vnnlib"
VIOLATED = DIGITS / "violated.vnnlib"
OK, USAGE, BAD_INPUT, UNSUPPORTED, INTERNAL, INTERRUPTED = 0, 2, 3, 4, 70, 130


def boundflow() -> str:
    return str(Path(sys.argv[1]).resolve())


def run(*arguments, **options) -> subprocess.CompletedProcess:
    command = [boundflow(), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def message_of(number: int, data: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return bytes([number << 3 | 2, len(data)]) + data


def tiny_model(op: str) -> bytes:
    """An ONNX model x [1, 1] -> op -> y [1, 1], opset 13."""
    node = message_of(1, b"x") + message_of(2, b"y") + message_of(3, b"the_node") + message_of(4, op.encode())
    dimension = message_of(1, bytes([1 << 3, 1]))
    shape = message_of(2, dimension + dimension)
    tensor_type = message_of(2, message_of(1, bytes([1 << 3, 1]) + shape))
    graph = message_of(1, node) + message_of(2, b"g")
    graph += message_of(11, message_of(1, b"x") + tensor_type) + message_of(12, message_of(1, b"y") + tensor_type)
    return bytes([1 << 3, 7]) + message_of(7, graph) + message_of(8, bytes([2 << 3, 13]))


class CommandLine(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def endless(self) -> Path:
        """A property that takes the search far longer than any test."""
        lines = [f"(declare-const X_{i} Real)" for i in range(64)] + [f"(declare-const Y_{j} Real)" for j in range(10)]
        lines += [f"(assert (>= X_{i} 0))(assert (<= X_{i} 1))" for i in range(64)]
        return self.write("endless.vnnlib", "\n".join([*lines, "(assert (>= Y_0 50))"]))

    def assert_error(self, result: subprocess.CompletedProcess, code: int, *words: str) -> None:
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "", "an error prints no verdict")
        for word in words:
            self.assertIn(word, result.stderr)


def main() -> None:
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
