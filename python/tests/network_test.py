"""Networks in memory: loading, looking inside, evaluating."""

import re
import subprocess
import sys
import unittest

import numpy as np
from support import CNN, DIGITS, IMAGE, MLP, main

import boundflow


class Network(unittest.TestCase):
    def test_a_path_and_its_bytes_are_the_same_network(self):
        by_path, by_text, by_bytes = boundflow.load(MLP), boundflow.load(str(MLP)), boundflow.load(MLP.read_bytes())
        self.assertEqual(by_path.text(), by_text.text())
        self.assertEqual(by_path.text(), by_bytes.text())
        self.assertEqual(by_path.name, str(MLP))
        self.assertEqual(by_bytes.name, "<bytes>")
        self.assertEqual(by_path.content_hash(), by_bytes.content_hash())

    def test_inputs_outputs_and_counts(self):
        network = boundflow.load(CNN)
        self.assertEqual((network.input.name, network.input.dtype), ("image", "float32"))
        self.assertEqual((network.input.shape, network.input.size), ((1, 1, 8, 8), 64))
        self.assertEqual((network.output.shape, network.parameters), ((1, 10), 1626))
        self.assertIn("1626 parameters", repr(network))

    def test_inspect_is_the_commands(self):
        self.assertRegex(boundflow.load(MLP).inspect(), r"(?m)^Gemm +3 +yes +yes +yes$")
        self.assertIn("Relu", boundflow.load(MLP).text(normal=True))

    def test_hashes_tell_architectures_and_weights_apart(self):
        mlp, cnn = boundflow.load(MLP), boundflow.load(CNN)
        self.assertRegex(mlp.structural_hash(), r"^[0-9a-f]{64}$")
        self.assertNotEqual(mlp.structural_hash(), cnn.structural_hash())
        self.assertNotEqual(mlp.structural_hash(), mlp.content_hash())
        # One bit of a weight, in the middle of the file.
        changed = bytearray(MLP.read_bytes())
        changed[len(changed) // 2] ^= 1
        other = boundflow.load(bytes(changed))
        self.assertEqual(mlp.structural_hash(), other.structural_hash())
        self.assertNotEqual(mlp.content_hash(), other.content_hash())

    def test_evaluation_is_batched_and_matches_gradients_outputs(self):
        network = boundflow.load(CNN)
        points = np.random.default_rng(0).random((5, 1, 8, 8), np.float32)
        outputs = network.evaluate(points)
        self.assertEqual((outputs.shape, outputs.dtype), ((5, 10), np.float64))
        for point, output in zip(points, outputs):
            np.testing.assert_array_equal(network.evaluate(point)[0], output)
        compiled, _ = network.gradient(points, np.ones((5, 10)))
        np.testing.assert_allclose(compiled, outputs, rtol=1e-4, atol=1e-4)

    def test_gradients_are_those_of_differences(self):
        network = boundflow.load(MLP)
        rng = np.random.default_rng(0)
        point, cotangent, step = rng.random(64), rng.normal(size=10), 1e-3
        _, gradient = network.gradient(point, cotangent)
        for i in range(0, 64, 7):
            ends = network.evaluate(np.stack([point + step * np.eye(64)[i], point - step * np.eye(64)[i]])) @ cotangent
            self.assertAlmostEqual(gradient[0, i], (ends[0] - ends[1]) / (2 * step), delta=0.05)

    def test_plans_are_dictionaries(self):
        plan = boundflow.load(MLP).plan()
        self.assertEqual(plan["schema"], 1)
        self.assertEqual([arena["unit"] for arena in plan["arenas"]], ["subproblem", "row"])
        self.assertGreater(sum(len(task["ops"]) for task in plan["tasks"]), 5)

    def test_errors_are_the_librarys(self):
        with self.assertRaisesRegex(boundflow.InputError, r"^absent\.onnx: cannot open: ") as absent:
            boundflow.load("absent.onnx")
        self.assertIsInstance(absent.exception, boundflow.Error)
        self.assertIsInstance(absent.exception, ValueError)
        self.assertEqual(absent.exception.code, 3)
        unknown = DIGITS.parents[1] / "tests/error/corpus/onnx/unknown_operator.onnx"
        with self.assertRaisesRegex(boundflow.UnsupportedError, "^unsupported: node '") as unsupported:
            boundflow.load(unknown)
        self.assertEqual(unsupported.exception.code, 4)
        with self.assertRaises(boundflow.StoppedError):
            boundflow.load(MLP, timeout=1e-9)
        with self.assertRaisesRegex(boundflow.UsageError, "--threads"):
            boundflow.load(MLP, threads=-1)
        with self.assertRaisesRegex(TypeError, "no argument or option 'treads'"):
            boundflow.load(MLP, treads=1)
        with self.assertRaisesRegex(TypeError, "path is expected"):
            boundflow.load(3)
        with self.assertRaisesRegex(boundflow.InputError, "multiple of the network's 64 inputs"):
            boundflow.load(MLP).evaluate(IMAGE[:3])
        with self.assertRaisesRegex(boundflow.InputError, "cotangents has 9 elements"):
            boundflow.load(MLP).gradient(IMAGE, np.ones(9))


class Import(unittest.TestCase):
    def test_it_loads_nothing_large(self):
        program = "import boundflow, sys; print([m for m in ('numpy', 'torch', 'matplotlib') if m in sys.modules])"
        loaded = subprocess.run([sys.executable, "-c", program], check=True, text=True, capture_output=True).stdout
        self.assertEqual(loaded.strip(), "[]")

    def test_a_package_that_is_missing_is_named(self):
        for name, package in (("from_torch", "torch"), ("auto_lirpa", "torch"), ("plot", "matplotlib.pyplot")):
            code = f"import sys; sys.modules[{package!r}] = None; import boundflow; boundflow.{name}"
            run = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True)
            self.assertIn(f"ImportError: boundflow.{name} needs {package.split('.')[0]}: pip install ", run.stderr)

    def test_every_public_name_has_a_docstring(self):
        with_torch_or_matplotlib = ("auto_lirpa", "from_torch", "plot")
        for name in boundflow.__all__:
            if name not in with_torch_or_matplotlib and name != "__version__":
                self.assertTrue(getattr(boundflow, name).__doc__, name)

    def test_the_signature_has_every_option_of_the_table(self):
        table = (DIGITS.parents[1] / "include/boundflow/options.hpp").read_text()
        files = {"json", "counterexample", "profile", "report", "log_level"}  # of the command
        options = set(re.findall(r"^  OPTION\([\w:]+,\s+(\w+),", table, re.M)) - files
        self.assertGreater(len(options), 10)
        for option in options:
            self.assertRegex(boundflow.bounds.__doc__, rf"\n    {option}: ")


if __name__ == "__main__":
    main()
