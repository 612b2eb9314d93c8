"""Sets of inputs around a point."""

import math

import torch


class PerturbationLpNorm:
    """All points within `eps` of a tensor by a norm, or with norm=inf all between x_L and x_U.

    Args:
        eps: the radius; with norm=inf also a tensor that broadcasts to the input. Of the other norms a number.
        norm: inf, 2 or 1, as a number or a text.
        x_L, x_U: ends of the box, shaped like the input, instead of eps; with norm=inf only.
        eps_min: has to be 0.
    """

    def __init__(self, eps=0, norm=math.inf, x_L=None, x_U=None, eps_min=0, **others):
        self.norm = float(norm)
        self.eps, self.x_L, self.x_U = eps, x_L, x_U
        if self.norm not in (math.inf, 2, 1):
            raise NotImplementedError(f"PerturbationLpNorm(norm={norm}): inf, 2 and 1 are offered")
        if (x_L is not None or x_U is not None) and self.norm != math.inf:
            raise NotImplementedError(f"PerturbationLpNorm(x_L=, x_U=) with norm={norm}: norm=inf is offered")
        if eps_min:
            raise NotImplementedError("PerturbationLpNorm(eps_min=) is not offered")
        for name, value in others.items():
            if value is not None:
                raise NotImplementedError(f"PerturbationLpNorm({name}=) is not offered")

    def question(self, x):
        """The set around x [B, ...] as keyword arguments of boundflow.bounds."""
        if self.norm != math.inf:
            if isinstance(self.eps, torch.Tensor) and self.eps.numel() != 1:
                raise NotImplementedError("PerturbationLpNorm: a tensor eps is offered with norm=inf only")
            return {"center": x.numpy(), "eps": float(self.eps), "norm": self.norm}
        lower, upper = self.box(x)
        return {"lower": lower.numpy(), "upper": upper.numpy()}

    def box(self, x):
        """The smallest box around the set, float64: (lower, upper), shaped like x [B, ...]."""
        x = x.to(torch.float64)
        eps = torch.as_tensor(self.eps, dtype=torch.float64)
        ends = [x - eps if self.x_L is None else self.x_L, x + eps if self.x_U is None else self.x_U]
        return tuple(end.detach().to(torch.float64).expand_as(x).contiguous() for end in ends)

    def __repr__(self):
        box = f", x_L={self.x_L}, x_U={self.x_U}" if self.x_L is not None or self.x_U is not None else ""
        return f"PerturbationLpNorm(norm={self.norm}, eps={self.eps}{box})"


def _not_offered(name):
    def make(*_, **__):
        raise NotImplementedError(f"{name} is not offered; PerturbationLpNorm is")

    return make


PerturbationL0Norm = _not_offered("PerturbationL0Norm")
PerturbationSynonym = _not_offered("PerturbationSynonym")
