"""Bounds in double as tensors of another dtype, rounded so that they stay bounds."""

import numpy as np
import torch


def downward(values, dtype):
    """The largest numbers of the dtype that are not above the values."""
    exact = torch.from_numpy(np.ascontiguousarray(values))
    rounded = exact.to(dtype)
    below = torch.nextafter(rounded, torch.full_like(rounded, -torch.inf))
    return torch.where(rounded.to(torch.float64) > exact, below, rounded)


def upward(values, dtype):
    """The smallest numbers of the dtype that are not below the values."""
    return -downward(-np.asarray(values), dtype)


def lower_form(coefficients, constant, magnitudes, dtype):
    """Tensors (A, b) with A x + b <= coefficients x + constant wherever |x| <= magnitudes.

    coefficients [B, S, n], constant [B, S], magnitudes [B, n].
    """
    exact = torch.from_numpy(np.ascontiguousarray(coefficients))
    rounded = exact.to(dtype)
    lost = ((rounded.to(torch.float64) - exact).abs() * torch.as_tensor(magnitudes)[:, None, :]).sum(-1).numpy()
    # The sum itself rounds, relatively by less than this.
    return rounded, downward(np.asarray(constant) - lost * (1 + 1e-9), dtype)


def upper_form(coefficients, constant, magnitudes, dtype):
    """The same with A x + b >= coefficients x + constant."""
    slopes, offset = lower_form(-np.asarray(coefficients), -np.asarray(constant), magnitudes, dtype)
    return -slopes, -offset
