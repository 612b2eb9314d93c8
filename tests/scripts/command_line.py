"""What the tests of the command line share. Each is run as: NAME_test.py path/to/boundflow [unittest arguments]"""

import os
import struct
import subprocess
import sys
import tempfile
import unittest
from array import array
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
NETWORK = DIGITS / "digits_mlp.onnx"
PROVED = DIGITS / "proved.vnnlib"
VIOLATED = DIGITS / "violated.vnnlib"
SPLIT_INPUTS = ["--branching", "input"]
OK, USAGE, BAD_INPUT, UNSUPPORTED, INTERNAL, INTERRUPTED = 0, 2, 3, 4, 70, 130


def boundflow() -> str:
    return str(Path(sys.argv[1]).resolve())


def run(*arguments, **options) -> subprocess.CompletedProcess:
    # All tests of a command on another executor, where they name none themselves.
    backend = os.environ.get("BOUNDFLOW_TEST_BACKEND")
    other = ["--backend", backend] if backend and "--backend" not in arguments else []
    command = [boundflow(), *other, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def npy(values: list[float], *shape: int) -> bytes:
    """A float64 array, as numpy writes it."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({''.join(f'{n}, ' for n in shape)}), }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}d", *values)


def message_of(number: int, data: bytes) -> bytes:
    """A length-delimited protobuf field."""
    length, rest = bytearray(), len(data)
    while rest >= 128:
        length.append(rest & 127 | 128)
        rest >>= 7
    return bytes([number << 3 | 2, *length, rest]) + data


def varint_of(number: int, value: int) -> bytes:
    """A protobuf field of a small whole number."""
    return bytes([number << 3]) + (bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7]))


def value_of(name: bytes, size: int) -> bytes:
    """ValueInfo of a float32 [1, size]."""
    shape = b"".join(message_of(1, varint_of(1, n)) for n in [1, size])
    return message_of(1, name) + message_of(2, message_of(1, varint_of(1, 1) + message_of(2, shape)))


def deep_model(size: int, layers: int, inputs: int = 8, outputs: int = 2) -> bytes:
    """An ONNX model x [1, inputs] -> (MatMul, Relu) x layers -> MatMul -> y: as much work as one likes, and bounds that
    no box of any width closes."""
    random = Random(0)
    scale = 2 / size**0.5
    numbers = array("f", [random.uniform(-scale, scale) for _ in range(1 << 12)])
    widths = [inputs, *[size] * layers, outputs]
    nodes, weights, last = b"", b"", b"x"
    for k, (before, after) in enumerate(zip(widths, widths[1:])):
        name, out = b"w%d" % k, b"y" if k == layers else b"h%d" % k
        values = (numbers[k:] * (before * after // (len(numbers) - k) + 1))[: before * after]
        weights += message_of(5, varint_of(1, before) + varint_of(1, after) + varint_of(2, 1) + message_of(8, name)
                              + message_of(9, values.tobytes()))
        nodes += message_of(1, message_of(1, last) + message_of(1, name) + message_of(2, out) + message_of(4, b"MatMul"))
        if k < layers:
            last = b"r%d" % k
            nodes += message_of(1, message_of(1, out) + message_of(2, last) + message_of(4, b"Relu"))
    graph = nodes + message_of(2, b"g") + weights + message_of(11, value_of(b"x", inputs))
    graph += message_of(12, value_of(b"y", outputs))
    return varint_of(1, 7) + message_of(7, graph) + message_of(8, varint_of(2, 13))


def tiny_model(op: str) -> bytes:
    """An ONNX model x [1, 1] -> op -> y [1, 1], opset 13."""
    node = message_of(1, b"x") + message_of(2, b"y") + message_of(3, b"the_node") + message_of(4, op.encode())
    graph = message_of(1, node) + message_of(2, b"g")
    graph += message_of(11, value_of(b"x", 1)) + message_of(12, value_of(b"y", 1))
    return varint_of(1, 7) + message_of(7, graph) + message_of(8, varint_of(2, 13))


class CommandLine(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def endless(self, inputs: int = 64, outputs: int = 10, threshold: float = 50) -> Path:
        """A property that takes a search that splits inputs far longer than any test."""
        lines = [f"(declare-const X_{i} Real)" for i in range(inputs)]
        lines += [f"(declare-const Y_{j} Real)" for j in range(outputs)]
        lines += [f"(assert (>= X_{i} 0))(assert (<= X_{i} 1))" for i in range(inputs)]
        return self.write("endless.vnnlib", "\n".join([*lines, f"(assert (>= Y_0 {threshold}))"]))

    def assert_error(self, result: subprocess.CompletedProcess, code: int, *words: str) -> None:
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stdout, "", "an error prints no verdict")
        for word in words:
            self.assertIn(word, result.stderr)


def main() -> None:
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
