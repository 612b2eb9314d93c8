"""Bounds through Python against auto_LiRPA's, by the rule of tests/golden: on networks of affine nodes and ReLU no row
is looser than 1e-4 (1 + max |reference|); where lines or planes may be chosen, widths are compared. Linear forms are
tried at points of the input sets."""

import re
import unittest

import numpy as np
from support import main, points_in, shared_folder, skip_file

import boundflow

SHARED = shared_folder()
GOLDEN = SHARED / "golden" if SHARED else None
PARITY = 1e-4
METHODS = {"ibp": ("linf", "l2", "l1"), "crown_ibp": ("linf",), "crown": ("linf", "l2", "l1")}
NORMS = {"linf": "inf", "l2": "2", "l1": "1"}


def excess(lower, reference) -> float:
    """By how much lower bounds are looser than the reference; NaN is infinitely loose."""
    looser = (reference - lower) / (1 + np.abs(reference).max())
    return np.where(np.isnan(looser), np.inf, looser).max()


def has_freedom(network) -> bool:
    return re.search(r": (MaxPool|Sigmoid|Tanh|Mul)\(", network.text(normal=True)) is not None


def input_sets(golden, norm: str) -> dict:
    """As the reference computed them: in float32."""
    center, eps = golden["center"].astype(np.float32), golden[f"eps_{norm}"].astype(np.float32)
    if norm == "linf":
        return {"lower": center - eps, "upper": center + eps}
    return {"center": center, "eps": float(eps), "norm": NORMS[norm]}


def by_reference_rule(network, method: str, **question):
    rule = "auto-lirpa" if method == "crown" else "adaptive"
    return boundflow.bounds(network, method=method.replace("_", "-"), intermediate=rule, semantics="nominal", **question)


class Small(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        files = sorted((GOLDEN / "small").glob("*.onnx"))
        cls.cases = [(f.stem, boundflow.load(f), np.load(f.with_suffix(".npz"))) for f in files]
        assert len(cls.cases) >= 16, files

    def test_bounds_are_as_tight(self):
        for name, network, golden in self.cases:
            for method, norms in METHODS.items():
                for norm in norms:
                    for spec, C in (("id", None), ("C", golden["C"])):
                        key = f"{norm}_{method}_{spec}"
                        lower, upper = by_reference_rule(network, method, C=C, **input_sets(golden, norm))
                        with self.subTest(name, key=key):
                            self.compare(network, method, lower, upper, golden[key + "_lb"], golden[key + "_ub"])

    def compare(self, network, method, lower, upper, reference_lower, reference_upper):
        self.assertEqual(lower.shape, reference_lower.shape)
        if has_freedom(network) and method != "ibp":
            width, reference = upper - lower, reference_upper - reference_lower
            self.assertLessEqual(width.sum() / reference.sum(), 1 + 1e-6)
            self.assertLessEqual((width / reference).max(), 1.02)
        else:
            self.assertLessEqual(max(excess(lower, reference_lower), excess(-upper, -reference_upper)), PARITY)

    def test_linear_forms_hold_at_points(self):
        rng = np.random.default_rng(0)
        for name, network, golden in self.cases:
            sets = input_sets(golden, "linf")
            for method in ("crown-ibp", "crown"):
                found = boundflow.bounds(network, method=method, C=golden["C"], linear_form=True, details=True, **sets)
                for b, C in enumerate(golden["C"]):
                    points = points_in(sets["lower"][b].ravel(), sets["upper"][b].ravel(), 100, rng)
                    rows = network.evaluate(points) @ C.T.astype(float)
                    slack = 1e-9 * (1 + np.abs(rows))  # of these products in float64
                    below = points @ found.lower_form[b].T + found.lower_form_constant[b]
                    above = points @ found.upper_form[b].T + found.upper_form_constant[b]
                    with self.subTest(name, method=method, b=b):
                        self.assertTrue((below - slack <= rows).all() and (rows <= above + slack).all())
                        self.assertTrue((found.lower[b] - slack <= rows).all() and (rows <= found.upper[b] + slack).all())


class Large(unittest.TestCase):
    def test_margins_are_as_tight(self):
        files = sorted((GOLDEN / "large").glob("*.npz"))
        self.assertGreaterEqual(len(files), 11)
        for file in files:
            golden = np.load(file)
            network = boundflow.load(SHARED / "instances" / str(golden["onnx"]))
            question = {"lower": golden["x_lo"], "upper": golden["x_hi"], "C": golden["C"]}
            for method, key in (("ibp", "lb_IBP"), ("crown_ibp", "lb_CROWN-IBP"), ("crown", "lb_CROWN")):
                lower, _ = by_reference_rule(network, method, **question)
                looser = excess(lower, golden[key])
                if file.stem == "oval_deep_b1" and method == "crown":  # where our rule agrees (parity_large_test.cpp)
                    lower, _ = boundflow.bounds(network, semantics="nominal", **question)
                    self.assertLessEqual(looser, 2 * PARITY)
                    looser = min(looser, excess(lower, golden[key]))
                with self.subTest(file.stem, method=method):
                    self.assertEqual(lower.shape, golden[key].shape)
                    self.assertLessEqual(looser, PARITY)
                print(f"{file.stem:16} {method:10} largest excess {looser:8.1e}")

    def test_optimised_slopes_are_as_good(self):
        """After as many steps as the reference took: optimisers of another kind reach other digits, so that means count."""
        for name in ("mnist256x2_b1", "mnist256x6_b1", "oval_base_b1"):
            golden = np.load(GOLDEN / "large" / f"{name}.npz")
            network = boundflow.load(SHARED / "instances" / str(golden["onnx"]))
            lower, _ = boundflow.bounds(network, lower=golden["x_lo"], upper=golden["x_hi"], C=golden["C"], steps=20,
                                        method="alpha-crown", semantics="nominal")
            with self.subTest(name):
                self.assertGreaterEqual((lower - golden["lb_CROWN-Optimized"]).mean(), -PARITY)

    def test_linear_forms_hold_at_points(self):
        rng = np.random.default_rng(0)
        for name in ("mnist256x2_b1", "oval_base_b1"):
            golden = np.load(GOLDEN / "large" / f"{name}.npz")
            network = boundflow.load(SHARED / "instances" / str(golden["onnx"]))
            found = boundflow.bounds(network, lower=golden["x_lo"], upper=golden["x_hi"], C=golden["C"],
                                     linear_form=True, details=True)
            points = points_in(golden["x_lo"][0], golden["x_hi"][0], 50, rng)
            rows = network.evaluate(points) @ golden["C"][0].T.astype(float)
            below = points @ found.lower_form[0].T + found.lower_form_constant[0]
            with self.subTest(name):
                self.assertTrue((below - 1e-9 * (1 + np.abs(rows)) <= rows).all())


if __name__ == "__main__":
    if GOLDEN is None or not GOLDEN.is_dir():
        skip_file("no shared golden data")
    main()
