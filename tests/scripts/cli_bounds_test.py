"""The commands bounds and inspect, as users and scripts meet them. Usage: cli_bounds_test.py path/to/boundflow"""

import io
import json
import math
import re
import struct
import unittest
import zipfile

from command_line import (BAD_INPUT, DIGITS, NETWORK, OK, PROVED, UNSUPPORTED, USAGE, CommandLine, main, npy,
                          run, tiny_model)

IMAGE = DIGITS / "image.npy"
DIFFERENCES = DIGITS / "differences.npy"
AROUND = ["bounds", NETWORK, "--center", IMAGE]


def npz(**arrays: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in arrays.items():
            archive.writestr(name + ".npy", content)
    return file.getvalue()


def read_npz(path) -> dict[str, tuple[list[int], list[float]]]:
    """Shapes and values of float64 arrays; zipfile checks the checksums."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            content = archive.read(member)
            (length,) = struct.unpack_from("<H", content, 8)
            header, data = content[10 : 10 + length].decode(), content[10 + length :]
            shape = [int(n) for n in re.findall(r"\d+", header[header.index("'shape'") :])]
            arrays[member.removesuffix(".npy")] = shape, list(struct.unpack(f"<{len(data) // 8}d", data))
    return arrays


class Bounds(CommandLine):
    def bounds(self, *arguments) -> dict:
        path = self.folder / "r.json"
        result = run("bounds", *arguments, "--json", path)
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        return json.loads(path.read_text())

    def test_the_table_the_archive_and_json_agree(self) -> None:
        out, report = self.folder / "b.npz", self.folder / "r.json"
        result = run(*AROUND, "--eps", 0.01, "--out", out, "--json", report, "--linear-form")
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        arrays, read = read_npz(out), json.loads(report.read_text())
        self.assertEqual({name: shape for name, (shape, _) in arrays.items()},
                         {"lower": [1, 10], "upper": [1, 10], "lower_error": [1, 10], "upper_error": [1, 10],
                          "lower_form": [1, 10, 64], "upper_form": [1, 10, 64], "lower_form_constant": [1, 10],
                          "upper_form_constant": [1, 10]})
        for key in ["lower", "upper", "lower_error", "upper_error"]:
            self.assertEqual(read[key], [arrays[key][1]])
        for key, value in {"schema": 1, "method": "crown", "norm": "inf", "semantics": "float32", "queries": 1,
                           "complete": 1, "rows": 10}.items():
            self.assertEqual(read[key], value)
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 11)
        for row, line in enumerate(lines[1:]):
            cells = line.split()
            self.assertEqual(cells[:2], ["0", str(row)])
            for cell, bound, outward in [(cells[2], arrays["lower"], -1), (cells[3], arrays["upper"], 1)]:
                self.assertAlmostEqual(float(cell), bound[1][row], places=5)
                self.assertGreaterEqual(outward * float(cell), outward * bound[1][row])

    def test_the_example_is_proved(self) -> None:
        read = self.bounds(NETWORK, "--center", IMAGE, "--eps", "0.04", "--spec", DIFFERENCES)
        self.assertEqual(read["rows"], 9)
        self.assertGreater(min(read["lower"][0]), 0)

    def test_methods_norms_and_semantics(self) -> None:
        widths = {}
        for arguments in [["--method", "ibp"], ["--method", "crown-ibp"], ["--method", "crown"], ["--norm", "2"],
                          ["--norm", "1"], ["--intermediate", "auto-lirpa"], ["--semantics", "real"],
                          ["--semantics", "nominal"]]:
            read = self.bounds(NETWORK, "--center", IMAGE, "--eps", "0.02", *arguments)
            widths[arguments[1]] = sum(u - l for l, u in zip(read["lower"][0], read["upper"][0]))
        self.assertGreater(widths["ibp"], widths["crown-ibp"])
        self.assertGreater(widths["crown-ibp"], widths["crown"])
        self.assertGreater(widths["crown"], widths["2"])
        self.assertGreater(widths["2"], widths["1"])
        self.assertGreater(widths["crown"], widths["real"])
        self.assertGreater(widths["real"], widths["nominal"])

    def test_boxes_and_archives(self) -> None:
        lower, upper = [0.25] * 128, [0.5] * 128
        both = self.write("box.npz", npz(lower=npy(lower, 2, 64), upper=npy(upper, 2, 1, 8, 8)))
        from_npz = self.bounds(NETWORK, "--lower", f"{both}:lower", "--upper", f"{both}:upper")
        self.assertEqual(from_npz["queries"], 2)
        one = self.write("l.npy", npy(lower[:64], 64)), self.write("u.npz", npz(only=npy(upper[:64], 64)))
        from_files = self.bounds(NETWORK, "--lower", one[0], "--upper", one[1])
        self.assertEqual(from_npz["lower"], from_files["lower"] * 2)

    def test_the_radius_is_the_decimal(self) -> None:
        # y = max(x, 0) at 0: the bound is the radius. The double nearest to 0.3 is less than 0.3.
        network, centre = self.write("relu.onnx", tiny_model("Relu")), self.write("c.npy", npy([0.0], 1))
        for semantics in ["float32", "real"]:
            read = self.bounds(network, "--center", centre, "--eps", "0.3", "--semantics", semantics)
            self.assertGreater(read["upper"][0][0], 0.3)
        read = self.bounds(network, "--center", centre, "--eps", "0")
        self.assertLess(abs(read["upper"][0][0]), 1e-30)

    def test_equal_calls_give_equal_files(self) -> None:
        outs = [self.folder / name for name in ["a.npz", "b.npz"]]
        texts = [run(*AROUND, "--eps", "0.01", "--out", out, "--threads", k + 1).stdout for k, out in enumerate(outs)]
        self.assertEqual(texts[0], texts[1])
        self.assertEqual(outs[0].read_bytes(), outs[1].read_bytes())


class BoundsErrors(CommandLine):
    def test_input_sets(self) -> None:
        low, high = self.write("l.npy", npy([0.0] * 64, 64)), self.write("u.npy", npy([1.0] * 64, 64))
        self.assert_error(run("bounds"), USAGE, "network")
        self.assert_error(run("bounds", NETWORK), USAGE, "--center and --eps, or --lower and --upper")
        self.assert_error(run(*AROUND), USAGE, "--center requires --eps")
        self.assert_error(run("bounds", NETWORK, "--eps", "0.1"), USAGE, "--eps requires --center")
        self.assert_error(run("bounds", NETWORK, "--lower", low), USAGE, "--lower requires --upper")
        self.assert_error(run("bounds", NETWORK, "--upper", high), USAGE, "--upper requires --lower")
        self.assert_error(run(*AROUND, "--eps", "0.1", "--lower", low, "--upper", high), USAGE, "excludes")
        self.assert_error(run("bounds", NETWORK, "--lower", low, "--upper", high, "--eps", "1"), USAGE, "--eps")
        self.assert_error(run("bounds", NETWORK, "--lower", low, "--upper", high, "--norm", "2"), USAGE, "--norm")
        self.assert_error(run("bounds", NETWORK, "--lower", high, "--upper", low), BAD_INPUT, "input 0",
                          "the lower end exceeds the upper")

    def test_radii(self) -> None:
        for eps in ["-0.1", "nan", "inf", "small", "0x1p-3", "1e", "0.1,", "1e400"]:
            with self.subTest(eps):
                self.assert_error(run(*AROUND, f"--eps={eps}"), USAGE, "--eps: expected a decimal number")
        self.assert_error(run(*AROUND, "--eps="), USAGE, "--eps")
        self.assert_error(run(*AROUND, "--eps", "1e39"), BAD_INPUT, "beyond the range of float32")

    def test_names(self) -> None:
        for flag, value in [("--method", "alpha"), ("--norm", "3"), ("--intermediate", "best"),
                            ("--semantics", "float16")]:
            self.assert_error(run(*AROUND, "--eps", "0.1", flag, value), USAGE, flag, f"found '{value}'")
        self.assert_error(run(*AROUND, "--eps", "0.1", "--linear-form"), USAGE, "--linear-form requires --out")
        self.assert_error(run(*AROUND, "--eps", "0.1", "--linear-form", "--method", "ibp", "--out", "b.npz"), USAGE,
                          "no linear form")
        self.assert_error(run("verify", NETWORK, PROVED, "--semantics", "nominal"), USAGE, "nominal")

    def test_arrays(self) -> None:
        def of(content: bytes, *words: str, name: str = "x.npy", suffix: str = "") -> None:
            with self.subTest(words):
                path = self.write(name, content)
                result = run("bounds", NETWORK, "--center", f"{path}{suffix}", "--eps", "0.1")
                self.assert_error(result, BAD_INPUT, *words)

        of(npy([0.0] * 63, 63), "63 elements", "64 inputs")
        of(npy([0.0] * 63 + [math.nan], 64), "element 63 is nan")
        of(npy([], 0, 64), "x.npy", "empty")
        of(b"what is this", "x.npy", "expected a NumPy .npy file")
        of(npy([0.0] * 64, 64)[:-1], "x.npy", "expected 512 bytes of data, found 511")
        text = npy([0.0] * 64, 64).replace(b"<f8", b"<U2")
        of(text, "x.npy", "text")
        two = npz(a=npy([0.0], 1), b=npy([0.0], 1))
        of(two, "2 arrays (a, b)", "x.npz:NAME", name="x.npz")
        of(two, "no array 'c'", name="x.npz", suffix=":c")
        of(npz(a=npy([0.0], 1))[:-5], "x.npz", "zip", name="x.npz")
        self.assert_error(run("bounds", NETWORK, "--center", self.folder / "none.npy", "--eps", "0.1"), BAD_INPUT,
                          "none.npy")
        self.assert_error(run("bounds", self.folder / "none.onnx", "--center", IMAGE, "--eps", "0.1"), BAD_INPUT,
                          "none.onnx")

    def test_specifications(self) -> None:
        for shape in [(9,), (10, 9), (2, 20), (2, 1, 10), (1, 1, 1, 10)]:
            spec = self.write("c.npy", npy([1.0] * math.prod(shape), *shape))
            self.assert_error(run(*AROUND, "--eps", "0.1", "--spec", spec), BAD_INPUT, "specification",
                              ", ".join(map(str, shape)), "[rows, 10]")
        spec = self.write("c.npy", npy([1.0] * 9 + [math.inf], 1, 10))
        self.assert_error(run(*AROUND, "--eps", "0.1", "--spec", spec), BAD_INPUT, "specification", "element 9 is inf")

    def test_outputs_that_cannot_be_written(self) -> None:
        for flag in ["--out", "--json"]:
            result = run(*AROUND, "--eps", "0.1", flag, self.folder / "no" / "such" / "file")
            self.assert_error(result, USAGE, "no/such/file")

    def test_an_unsupported_network(self) -> None:
        network, centre = self.write("t.onnx", tiny_model("Wobble")), self.write("c.npy", npy([0.0], 1))
        self.assert_error(run("bounds", network, "--center", centre, "--eps", "0.1"), UNSUPPORTED, "the_node", "Wobble")


INSPECTED = """\
network    NETWORK
input      image float32[1, 64]
output     logits float32[1, 10]
parameters 2778
nodes      5

operator                 nodes  interval     crown     point
Gemm                         3       yes       yes       yes
Relu                         2       yes       yes       yes

network
input %0 "image" : float32[1, 64]
constant %1 "weight1" : float32[32, 64] = <2048 elements, fnv1a 1fe3d4a9344e1c10>
constant %2 "bias1" : float32[32] = <32 elements, fnv1a f4cd33fbce41b050>
constant %5 "weight2" : float32[16, 32] = <512 elements, fnv1a 99d62f84f9c08103>
constant %6 "bias2" : float32[16] = <16 elements, fnv1a 8aae2675ac983758>
constant %9 "weight3" : float32[10, 16] = <160 elements, fnv1a 94de7c1bcca40ade>
constant %10 "bias3" : float32[10] = <10 elements, fnv1a 151bd04237494d7a>
node "gemm1" : Gemm(%0, %1, %2) {transB = 1} -> %3 "linear1" : float32[1, 32]
node "relu1" : Relu(%3) -> %4 "relu1" : float32[1, 32]
node "gemm2" : Gemm(%4, %5, %6) {transB = 1} -> %7 "linear2" : float32[1, 16]
node "relu2" : Relu(%7) -> %8 "relu2" : float32[1, 16]
node "gemm3" : Gemm(%8, %9, %10) {transB = 1} -> %11 "logits" : float32[1, 10]
output %11
"""


class Inspect(CommandLine):
    def test_the_example(self) -> None:
        result = run("inspect", NETWORK)
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        self.assertEqual(result.stdout.replace(str(NETWORK), "NETWORK"), INSPECTED)

    def test_every_operator_of_the_table_is_listed(self) -> None:
        result = run("inspect")
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        listed = [line.split()[0] for line in result.stdout.splitlines()[1:]]
        table = (DIGITS.parents[1] / "src" / "ops" / "operator_list.hpp").read_text()
        declared = [name.replace("_", "") for name in re.findall(r"Operator (\w+)_operator\(\);", table)]
        # What passes make is in no file.
        of_files = [name for name in declared if not name.startswith("folded")]
        self.assertEqual(sorted(name.lower() for name in listed), sorted(of_files))
        readme = (DIGITS.parents[1] / "README.md").read_text()
        section = readme[readme.index("**Networks**") : readme.index("**Properties**")]
        self.assertEqual([name for name in listed if not re.search(rf"\b{name}\b", section)], [])

    def test_errors(self) -> None:
        self.assert_error(run("inspect", self.folder / "none.onnx"), BAD_INPUT, "none.onnx")
        self.assert_error(run("inspect", PROVED), BAD_INPUT, "proved.vnnlib")
        self.assert_error(run("inspect", NETWORK, "extra"), USAGE)
        network = self.write("t.onnx", tiny_model("Wobble"))
        self.assert_error(run("inspect", network), UNSUPPORTED, "the_node", "Wobble")


if __name__ == "__main__":
    main()
