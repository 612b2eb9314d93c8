"""Against the original auto_LiRPA on random networks: nominal bounds of affine networks with ReLU agree, and linear forms
are the same."""

import unittest

import numpy as np
from support import main, skip_file
from torch_support import environment  # noqa: F401  before torch
from torch_support.auto_lirpa import original

auto_LiRPA, why_not = original()
if auto_LiRPA is None:
    skip_file(why_not)

import torch
from torch import nn

from boundflow import auto_lirpa

PARITY = 1e-4


def random_module(seed):
    """A random network of affine layers and ReLU, and inputs."""
    torch.manual_seed(seed)
    choice = np.random.default_rng(seed)
    layers, size = [], 6
    if seed % 2 == 0:
        layers += [nn.Conv2d(2, int(choice.integers(2, 5)), 3, stride=int(choice.integers(1, 3)),
                             padding=int(choice.integers(0, 2))), nn.ReLU()]
        x = torch.randn(2, 2, 6, 6)
        layers.append(nn.Flatten())
        size = nn.Sequential(*layers)(x).shape[1]
    else:
        x = torch.randn(2, size)
    for _ in range(int(choice.integers(1, 4))):
        wide = int(choice.integers(4, 12))
        layers += [nn.Linear(size, wide), nn.ReLU()]
        size = wide
    return nn.Sequential(*layers, nn.Linear(size, 4)).eval(), x


class Live(unittest.TestCase):
    def bounds(self, library, model, x, eps, norm, method, C):
        ptb = library.perturbations.PerturbationLpNorm(norm=norm, eps=eps)
        lower, upper = model.compute_bounds(x=(library.BoundedTensor(x, ptb),), C=C, method=method)
        return torch.stack([lower.detach(), -upper.detach()])

    def test_bounds(self):
        for seed in range(16):
            module, x = random_module(seed)
            eps = (0.02, 0.1, 0.4)[seed % 3]
            C = torch.randn(2, 3, 4) if seed % 4 else None
            original_model = auto_LiRPA.BoundedModule(module, torch.empty_like(x))
            model = auto_lirpa.BoundedModule(module, torch.empty_like(x), bound_opts={"semantics": "nominal"})
            for method, norm in (("IBP", np.inf), ("CROWN", np.inf), ("CROWN-IBP", np.inf), ("IBP", 2), ("CROWN", 2)):
                theirs = self.bounds(auto_LiRPA, original_model, x, eps, norm, method, C)
                ours = self.bounds(auto_lirpa, model, x, eps, norm, method, C)
                allowed = PARITY * (1 + theirs.abs().max())
                with self.subTest(seed=seed, method=method, norm=norm):
                    self.assertEqual(ours.shape, theirs.shape)
                    self.assertLessEqual((theirs - ours).max(), allowed)
                    if norm == np.inf:  # at borders of images the old release is looser over balls
                        self.assertLessEqual((ours - theirs).max(), allowed)

    def test_linear_forms(self):
        for seed in range(6):
            module, x = random_module(seed)
            C = torch.randn(2, 3, 4)
            forms = []
            for library, options in ((auto_LiRPA, {}), (auto_lirpa, {"semantics": "nominal"})):
                model = library.BoundedModule(module, torch.empty_like(x), bound_opts=options)
                ptb = library.perturbations.PerturbationLpNorm(norm=np.inf, eps=0.1)
                bounded = library.BoundedTensor(x, ptb)
                model(bounded)
                output, source = model.output_name[0], model.input_name[0]
                _, _, A = model.compute_bounds(x=(bounded,), C=C, method="CROWN", return_A=True,
                                               needed_A_dict={output: [source]})
                forms.append(A[output][source])
            theirs, ours = forms
            for key in ("lA", "uA"):
                with self.subTest(seed=seed, key=key):
                    self.assertEqual(ours[key].shape, theirs[key].shape)
                    self.assertLessEqual((ours[key] - theirs[key]).abs().max(), 1e-3)


if __name__ == "__main__":
    main()
