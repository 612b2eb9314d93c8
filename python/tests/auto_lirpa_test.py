"""auto_LiRPA's interface: a user's script, shapes, soundness at points, agreement with the golden bounds, and what is
not offered."""

import math
import unittest

import numpy as np
from support import main, shared_folder
from torch_support import environment  # noqa: F401  before torch

import torch
from torch import nn
from torch_support.architectures import build
from torch_support.onnx_module import OnnxModule

import boundflow
from boundflow.auto_lirpa import BoundedModule, BoundedTensor
from boundflow.auto_lirpa.perturbations import PerturbationL0Norm, PerturbationLpNorm

SHARED = shared_folder()
METHODS = ("IBP", "CROWN", "crown-ibp", "alpha-CROWN")


def bounded(name="cnn_max_pool", batch=3, **perturbation):
    """A BoundedModule, inputs, and the perturbation around them."""
    module, example = build(name)
    x = torch.randn(batch, *example.shape[1:], generator=torch.Generator().manual_seed(5))
    ptb = PerturbationLpNorm(**(perturbation or {"norm": np.inf, "eps": 0.05}))
    return BoundedModule(module, torch.empty_like(x)), x, BoundedTensor(x, ptb)


def points_of(x, ptb, count, generator):
    """Points of the set around x [B, ...]: [count, B, ...], some of them at its border."""
    noise = torch.rand((count, *x.shape), generator=generator) * 2 - 1
    if ptb.norm == math.inf:
        lower, upper = ptb.box(x)
        noise[::2] = noise[::2].sign()
        inside = (lower + upper) / 2 + noise * (upper - lower) / 2
        points = torch.minimum(torch.maximum(inside, lower), upper).float()
        return torch.where(points > upper, points.nextafter(torch.tensor(-math.inf)),
                           torch.where(points < lower, points.nextafter(torch.tensor(math.inf)), points))
    lengths = noise.flatten(2).norm(ptb.norm, dim=-1).reshape(count, -1, *[1] * (x.dim() - 1))
    return x + noise / lengths * ptb.eps * (1 - 1e-5)


class Script(unittest.TestCase):
    def test_a_usual_one(self):
        model = nn.Sequential(nn.Flatten(), nn.Linear(72, 10), nn.ReLU(), nn.Linear(10, 4))
        image, true_label = torch.rand(2, 2, 6, 6), torch.tensor([1, 3])
        lirpa_model = BoundedModule(model, torch.empty_like(image), device="cpu")
        ptb = PerturbationLpNorm(norm=float("inf"), eps=0.01)
        image = BoundedTensor(image, ptb)
        pred = lirpa_model(image)
        self.assertTrue(torch.equal(pred, model(torch.Tensor(image))))
        self.assertIs(type(pred), torch.Tensor)
        lb, ub = lirpa_model.compute_bounds(x=(image,), method="backward")
        self.assertEqual((lb.shape, ub.shape, lb.dtype), (pred.shape, pred.shape, torch.float32))
        self.assertTrue((lb <= pred).all() and (pred <= ub).all())
        C = torch.zeros(2, 1, 4)
        for i, target in enumerate([0, 1]):
            C[i, 0, true_label[i]], C[i, 0, target] = 1, -1
        required = {lirpa_model.output_name[0]: {lirpa_model.input_name[0]}}
        lb, ub, A = lirpa_model.compute_bounds(x=(image,), method="CROWN", C=C, return_A=True, needed_A_dict=required)
        form = A[lirpa_model.output_name[0]][lirpa_model.input_name[0]]
        self.assertEqual((lb.shape, form["lA"].shape, form["lbias"].shape), ((2, 1), (2, 1, 2, 6, 6), (2, 1)))

    def test_without_x_the_last_call_counts(self):
        model, _, x = bounded()
        model(x)
        for a, b in zip(model.compute_bounds(method="CROWN"), model.compute_bounds(x=(x,), method="CROWN")):
            self.assertTrue(torch.equal(a, b))

    def test_sides_that_are_not_asked_for(self):
        model, _, x = bounded()
        lower, upper = model.compute_bounds(x=(x,), method="CROWN")
        self.assertTrue(torch.equal(model.compute_bounds(x=(x,), method="CROWN", bound_upper=False)[0], lower))
        self.assertIsNone(model.compute_bounds(x=(x,), bound_upper=False)[1])
        below, above, A = model.compute_bounds(x=(x,), bound_lower=False, return_A=True)
        form = A[model.output_name[0]][model.input_name[0]]
        self.assertIsNone(below)
        self.assertTrue(torch.equal(above, upper))
        self.assertIsNone(form["lA"])
        self.assertIsNotNone(form["uA"])
        with self.assertRaises(ValueError):
            model.compute_bounds(x=(x,), bound_lower=False, bound_upper=False)

    def test_names_of_methods(self):
        model, _, x = bounded()
        for names in (("ibp", "IBP"), ("crown", "CROWN", "Backward"), ("CROWN-IBP", "crown-ibp", "IBP+backward"),
                      ("alpha-crown", "CROWN-Optimized")):
            results = [model.compute_bounds(x=(x,), method=name)[0] for name in names]
            for other in results[1:]:
                self.assertTrue(torch.equal(results[0], other))
        self.assertTrue(torch.equal(model.compute_bounds(x=(x,), IBP=True, method=None)[0],
                                    model.compute_bounds(x=(x,), method="IBP")[0]))
        self.assertTrue(torch.equal(model.compute_bounds(x=(x,), IBP=True, method="backward")[0],
                                    model.compute_bounds(x=(x,), method="CROWN-IBP")[0]))

    def test_parameters_that_change(self):
        model, x, bounded_x = bounded("mlp")
        before = model.network
        self.assertIs(model.network, before)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(1.5)
        lower, upper = model.compute_bounds(x=(bounded_x,), method="IBP")
        output = model(x)
        self.assertTrue((lower <= output).all() and (output <= upper).all())
        self.assertNotEqual(model.network.content_hash(), before.content_hash())

    def test_steps(self):
        model, _, x = bounded("mlp")
        few = model.compute_bounds(x=(x,), method="alpha-CROWN")[0]
        model.set_bound_opts({"optimize_bound_args": {"iteration": 100, "lr_alpha": 0.1}})
        self.assertGreaterEqual((model.compute_bounds(x=(x,), method="alpha-CROWN")[0] - few).sum(), -1e-6)


class Sound(unittest.TestCase):
    def check(self, name, methods, **perturbation):
        generator = torch.Generator().manual_seed(6)
        model, x, bounded_x = bounded(name, **perturbation)
        C = torch.randn(len(x), 4, model.network.output.size, generator=generator)
        points = points_of(x, bounded_x.ptb, 50, generator)
        with torch.no_grad():
            outputs = model(points.flatten(0, 1)).reshape(50, len(x), -1)
        rows = torch.einsum("pbo,bso->pbs", outputs.double(), C.double())
        slack = 1e-9 * (1 + rows.abs())
        for method in methods:
            for spec, values in ((None, outputs.double()), (C, rows)):
                lower, upper = model.compute_bounds(x=(bounded_x,), C=spec, method=method)
                with self.subTest(name, method=method, C=spec is not None):
                    self.assertTrue((lower.reshape(values.shape[1:]) <= values + slack.max()).all())
                    self.assertTrue((upper.reshape(values.shape[1:]) >= values - slack.max()).all())
        for method in ("CROWN", "CROWN-IBP"):
            _, _, A = model.compute_bounds(x=(bounded_x,), C=C, method=method, return_A=True)
            form = A[model.output_name[0]][model.input_name[0]]
            flat = points.double().flatten(2)
            below, above = (torch.einsum("pbi,bsi->pbs", flat, form[side].double().flatten(2)) + form[bias].double()
                            for side, bias in (("lA", "lbias"), ("uA", "ubias")))
            with self.subTest(name, method=method, form=True):
                self.assertTrue((below <= rows + slack).all() and (rows <= above + slack).all())

    def test_boxes(self):
        for name in ("mlp", "cnn_max_pool", "resnet", "mlp_tanh", "gated"):
            self.check(name, METHODS, norm=np.inf, eps=0.1)

    def test_balls(self):
        for norm in (2, 1):
            self.check("cnn_average_pool", ("IBP", "CROWN", "CROWN-IBP"), norm=norm, eps=0.3)

    def test_boxes_by_their_ends(self):
        x = torch.randn(3, 6, generator=torch.Generator().manual_seed(5))
        self.check("mlp", METHODS, norm=np.inf, x_L=x - 0.1, x_U=x + 0.3)

    def test_radii_of_each_input(self):
        self.check("mlp", METHODS, norm=np.inf, eps=torch.rand(1, 6) / 5)

    def test_rounding_is_outward(self):
        from boundflow.auto_lirpa.rounding import downward, upward

        values = np.random.default_rng(0).normal(size=1000) / 3
        self.assertTrue((downward(values, torch.float32).double().numpy() <= values).all())
        self.assertTrue((upward(values, torch.float32).double().numpy() >= values).all())
        self.assertTrue((downward(values, torch.float32).double().numpy() >= values - 1e-6).all())
        self.assertEqual(downward(np.array([-np.inf]), torch.float32).item(), -math.inf)


@unittest.skipIf(SHARED is None, "no shared golden data")
class Golden(unittest.TestCase):
    def test_small(self):
        """Affine networks with ReLU to the digits, others as narrow (design of tests/golden)."""
        for file in sorted((SHARED / "golden" / "small").glob("*.npz")):
            golden = np.load(file)
            center = torch.from_numpy(golden["center"].astype(np.float32))
            model = BoundedModule(OnnxModule(file.with_suffix(".onnx")).eval(), center[:1],
                                  bound_opts={"semantics": "nominal"})
            free = any(f": {op}(" in model.network.text(normal=True) for op in ("MaxPool", "Sigmoid", "Tanh", "Mul"))
            C = torch.from_numpy(golden["C"].astype(np.float32))
            for norm, value, methods in (("linf", np.inf, ("ibp", "crown_ibp", "crown")), ("l2", 2, ("ibp", "crown")),
                                         ("l1", 1, ("ibp", "crown"))):
                x = BoundedTensor(center, PerturbationLpNorm(norm=value, eps=float(golden[f"eps_{norm}"])))
                for method in methods:
                    for key, spec in (("id", None), ("C", C)):
                        lower, upper = model.compute_bounds(x=(x,), C=spec, method=method.replace("_", "-"))
                        lb, ub = (golden[f"{norm}_{method}_{key}_{side}"] for side in ("lb", "ub"))
                        with self.subTest(file.stem, norm=norm, method=method, C=key):
                            self.assertEqual(tuple(lower.shape), lb.shape)
                            if free and method != "ibp":
                                width = (upper - lower).numpy() / (ub - lb)
                                self.assertLessEqual(width.max(), 1.02)
                                self.assertLessEqual((upper - lower).sum(), (ub - lb).sum() * (1 + 1e-5))
                            else:
                                for got, want in ((lower, lb), (-upper, -ub)):
                                    looser = (want - got.numpy()).max()
                                    self.assertLessEqual(looser, 1e-4 * (1 + np.abs(want).max()))


class NotOffered(unittest.TestCase):
    def refused(self, pattern):
        return self.assertRaisesRegex(NotImplementedError, pattern)

    def test_says_so(self):
        model, x, bounded_x = bounded("mlp")
        for method in ("forward", "forward+backward", "dynamic-forward", "CROWN-Forward"):
            with self.refused(method.replace("+", r"\+")):
                model.compute_bounds(x=(bounded_x,), method=method)
        with self.refused("forward=True"):
            model.compute_bounds(x=(bounded_x,), forward=True)
        with self.refused("interm_bounds"):
            model.compute_bounds(x=(bounded_x,), interm_bounds={"/1": None})
        with self.refused("return_A"):
            model.compute_bounds(x=(bounded_x,), method="alpha-CROWN", return_A=True)
        with self.refused("needed_A_dict.*'/3'"):
            model.compute_bounds(x=(bounded_x,), return_A=True, needed_A_dict={"/3": {"/0"}})
        with self.refused("2 inputs"):
            model.compute_bounds(x=(bounded_x, bounded_x))
        with self.refused("norm=2"):
            model.compute_bounds(x=(BoundedTensor(x, PerturbationLpNorm(norm=2, eps=0.1)),), method="alpha-CROWN")
        for make, pattern in ((lambda: PerturbationLpNorm(norm=3, eps=1), "norm=3"),
                              (lambda: PerturbationLpNorm(norm=2, x_L=x), "x_L"),
                              (lambda: PerturbationL0Norm(eps=1), "PerturbationL0Norm"),
                              (lambda: BoundedModule(nn.Linear(6, 3), x, custom_ops={"op": None}), "custom_ops"),
                              (lambda: BoundedModule(nn.Linear(6, 3), x, device="cuda"), "cuda"),
                              (lambda: BoundedModule(nn.Linear(6, 3), x, bound_opts={"relu": "zero-lb"}), "zero-lb"),
                              (lambda: BoundedModule(nn.Linear(6, 3), x, bound_opts={"zonotope": 1}), "zonotope"),
                              (lambda: BoundedModule(nn.Softmax(1), x), "softmax")):
            with self.refused(pattern):
                make()

    def test_an_error_of_it_is_one_of_boundflow(self):
        with self.assertRaises(boundflow.UnsupportedError):
            BoundedModule(nn.Softmax(1), torch.randn(1, 6))


if __name__ == "__main__":
    main()
