"""boundflow.from_torch: what it computes, what it leaves alone, and what it refuses."""

import io
import re
import runpy
import unittest
import warnings
from contextlib import redirect_stdout

import numpy as np
from support import DIGITS, main, points_in
from torch_support import environment  # noqa: F401  before torch

import torch
import torch.nn.functional as F
from torch import nn
from torch_support.architectures import ARCHITECTURES, BATCH_NORM, Function, build, image, row

import boundflow


def of_function(function, example=None, **options):
    torch.manual_seed(0)
    return boundflow.from_torch(Function(function).eval(), row() if example is None else example, **options)


class Computes(unittest.TestCase):
    def test_the_module(self):
        rng = torch.Generator().manual_seed(1)
        for name in [*list(ARCHITECTURES)[::4], *BATCH_NORM]:
            module, example = build(name)
            network = boundflow.from_torch(module, example)
            points = torch.randn((5, *example.shape[1:]), generator=rng)
            with torch.no_grad():
                expected = torch.cat([module(p[None]) for p in points]).reshape(5, -1).numpy()
            with self.subTest(name):
                self.assertEqual(network.input.shape, tuple(example.shape))
                np.testing.assert_allclose(network.evaluate(points), expected, rtol=1e-4, atol=1e-5)

    def test_bounds_hold_at_points(self):
        rng = np.random.default_rng(2)
        for name in ("mlp_leaky", "cnn_max_pool", "resnet", "gated", "mlp_tanh", "decoder", "clamp", "normalised_input"):
            module, example = build(name)
            network = boundflow.from_torch(module, example)
            lower, upper = (example.numpy().ravel() + d for d in (-0.1, 0.1))
            points = points_in(lower, upper, 100, rng)
            with torch.no_grad():
                outputs = module(torch.from_numpy(points).reshape(100, *example.shape[1:])).reshape(100, -1).numpy()
            for method in ("ibp", "crown"):
                low, high = boundflow.bounds(network, lower=lower, upper=upper, method=method)
                with self.subTest(name, method=method):
                    self.assertTrue((low <= outputs).all() and (outputs <= high).all())

    def test_moves_that_onnx_has_no_word_for(self):
        for name, function in {
            "flip": lambda m, x: x.flip(1),
            "repeat": lambda m, x: x.repeat(1, 2),
            "roll": lambda m, x: x.roll(2, 1),
            "picked": lambda m, x: x[:, [4, 0, 0]],
        }.items():
            with self.subTest(name):
                x = row()
                np.testing.assert_array_equal(of_function(function).evaluate(x), function(None, x).reshape(1, -1))
        network = boundflow.from_torch(nn.Upsample(scale_factor=2), image())
        x = image()
        np.testing.assert_array_equal(network.evaluate(x), nn.Upsample(scale_factor=2)(x).reshape(1, -1))

    def test_what_depends_on_parameters_alone_is_a_constant(self):
        torch.manual_seed(0)
        module = nn.utils.parametrizations.weight_norm(nn.Linear(6, 3))
        network = boundflow.from_torch(module, row())
        self.assertNotIn("Div", network.text())
        x = row()
        np.testing.assert_allclose(network.evaluate(x), module(x).detach(), rtol=1e-5)

    def test_float64(self):
        module = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.1), nn.Linear(8, 3)).double()
        network = boundflow.from_torch(module, row().double())
        self.assertEqual(network.input.dtype, "float64")
        x = row().double()
        np.testing.assert_allclose(network.evaluate(x), module(x).detach(), rtol=1e-12)

    def test_rows_of_a_batch(self):
        module, _ = build("mlp")
        one, many = (boundflow.from_torch(module, torch.randn(b, 6)) for b in (1, 7))
        self.assertEqual(one.content_hash(), many.content_hash())
        whole = boundflow.from_torch(module, torch.randn(7, 6), batched=False)
        self.assertEqual((whole.input.shape, whole.output.shape), ((7, 6), (7, 3)))
        self.assertEqual(boundflow.from_torch(module, torch.randn(6)).input.shape, (6,))

    def test_names_say_where(self):
        def forward(module, x):
            return module.first(x).relu()

        network = of_function(forward)
        self.assertRegex(network.text(), r"relu \(torch_frontend_test\.py:\d+\)")
        self.assertRegex(network.text(), r"linear \(torch_frontend_test\.py:\d+, first\)")


class LeavesAlone(unittest.TestCase):
    def test_modes(self):
        module = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3))
        module[3].eval()
        before = [part.training for part in module.modules()]
        state = {name: value.clone() for name, value in module.state_dict().items()}
        with self.assertWarnsRegex(UserWarning, "training mode"):
            network = boundflow.from_torch(module, row())
        self.assertEqual([part.training for part in module.modules()], before)
        for name, value in module.state_dict().items():
            self.assertTrue(torch.equal(value, state[name]), name)
        x = row()
        np.testing.assert_allclose(network.evaluate(x), module.eval()(x).detach(), rtol=1e-4, atol=1e-6)

    def test_no_warning_where_modes_agree(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            boundflow.from_torch(nn.Sequential(nn.Linear(6, 3), nn.ReLU()).train(), row())

    def test_modes_after_an_error(self):
        module = nn.Sequential(nn.Dropout(), nn.Softmax(1)).train()
        with warnings.catch_warnings(), self.assertRaises(boundflow.UnsupportedError):
            warnings.simplefilter("ignore")
            boundflow.from_torch(module, row())
        self.assertTrue(all(part.training for part in module.modules()))


class Refuses(unittest.TestCase):
    def expect(self, pattern, function, example=None, **options):
        with self.assertRaisesRegex(boundflow.UnsupportedError, pattern) as raised:
            of_function(function, example, **options)
        return str(raised.exception)

    def test_an_operation_by_node_and_line(self):
        def forward(module, x):
            y = module.first(x)
            return torch.erf(y)  # the line to name

        text = self.expect("the operation is not supported", forward)
        line = forward.__code__.co_firstlineno + 2
        self.assertIn("node 'erf' (aten.erf.default)", text)
        self.assertIn(f"torch_frontend_test.py:{line}: return torch.erf(y)  # the line to name", text)

    def test_an_operation_by_submodule(self):
        with self.assertRaisesRegex(boundflow.UnsupportedError, r"_softmax.*in submodule '1' \(Softmax\)"):
            boundflow.from_torch(nn.Sequential(nn.Linear(6, 3), nn.Softmax(1)), row())

    def test_what_an_operator_cannot_do(self):
        def forward(module, x):
            return F.conv3d(x, torch.ones(1, 3, 1, 1, 1))

        text = self.expect("one or two spatial axes", forward, torch.randn(1, 3, 2, 2, 2))
        self.assertRegex(text, r"\(torch's node 'convolution', aten.convolution.default, at .*torch_frontend_test.py:")

    def test_products_of_what_depends_on_the_input(self):
        self.expect("division", lambda m, x: x / (1 + x * x))

    def test_powers(self):
        self.expect("the power 3 is not supported", lambda m, x: x**3)

    def test_dropout_that_is_always_on(self):
        self.expect("not supported", lambda m, x: F.dropout(x, 0.5, training=True))

    def test_statistics_of_a_batch(self):
        self.expect("not supported", lambda m, x: F.batch_norm(x, None, None, training=True), batched=False,
                    example=torch.randn(4, 6))

    def test_buffers_that_change(self):
        def forward(module, x):
            module.mean.add_(1)
            return x + module.mean

        self.expect("changes 'mean'", forward)

    def test_control_flow_by_data(self):
        self.expect("torch.export does not take the module", lambda m, x: x if x.sum() > 0 else -x)

    def test_several_inputs_and_outputs(self):
        self.expect("returns 2 tensors", lambda m, x: (x, x.relu()))
        with self.assertRaisesRegex(boundflow.UnsupportedError, "2 example inputs"):
            boundflow.from_torch(nn.Linear(6, 3), (row(), row()))

    def test_outputs_that_do_not_depend_on_the_input(self):
        self.expect("does not depend on its input", lambda m, x: m.mean + 1)

    def test_other_element_types(self):
        self.expect("float16|Half|half", lambda m, x: x + x, row().half())

    def test_parameters_that_are_not_finite(self):
        module = nn.Linear(6, 3)
        with torch.no_grad():
            module.bias[0] = float("nan")
        with self.assertRaisesRegex(boundflow.InputError, "NaN"):
            boundflow.from_torch(module, row())

    def test_modules_that_mix_rows(self):
        with self.assertRaisesRegex(boundflow.InternalError, "rows of a batch"):
            of_function(lambda m, x: x - x.mean(0), torch.randn(4, 6))


class Example(unittest.TestCase):
    def test_it_ends_in_verdicts(self):
        printed = io.StringIO()
        with redirect_stdout(printed):
            runpy.run_path(str(DIGITS / "torch_to_verdict.py"))
        text = printed.getvalue()
        self.assertLess(float(re.search(r"largest difference between the two: (\S+)", text)[1]), 1e-4)
        shares = [float(share) for share in re.findall(r"proved by \S+ within 0.01: (\S+)%", text)]
        self.assertEqual(shares, sorted(shares))  # tighter methods prove no less
        verdicts = re.findall(r"within \S+: (\w+) \(", text)
        self.assertTrue(verdicts and set(verdicts) <= {"unsat", "sat", "unknown", "timeout"}, text)
        self.assertEqual("takes for a" in text, "sat" in verdicts)


if __name__ == "__main__":
    main()
