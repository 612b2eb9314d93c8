"""Functions of each element."""

import torch


def _function(op):
    return lambda t, x: t.emit(op, [x])


def _leaky_relu(t, x, negative_slope=0.01):
    return t.emit("LeakyRelu", [x], {"alpha": rounded(negative_slope, x.dtype)})


def _prelu(t, x, weight):
    if not isinstance(weight, torch.Tensor):
        t.refuse("a slope that depends on the input is not supported")
    if weight.numel() == 1:
        return t.emit("LeakyRelu", [x], {"alpha": float(weight)})
    t.refuse("a slope for each channel is not supported; one slope is")


def _clip(t, x, lower=None, upper=None):
    bounds = [None if b is None else t.constant(b, x) if isinstance(b, (int, float)) else b for b in (lower, upper)]
    if any(b is not None and not isinstance(b, torch.Tensor) for b in bounds):
        t.refuse("bounds that depend on the input are not supported")
    if any(b is not None and b.numel() != 1 for b in bounds):
        t.refuse("bounds of each element are not supported; torch.maximum and torch.minimum are")
    return t.emit("Clip", [x, *(b if b is None else b.reshape(()).to(x.dtype) for b in bounds)])


def _hardtanh(t, x, min_val=-1.0, max_val=1.0):
    return _clip(t, x, min_val, max_val)


def rounded(number, dtype):
    """A number of an operation's arguments as executions have it: in the dtype of the tensors."""
    return float(torch.tensor(number, dtype=dtype))


RULES = {
    "aten.abs.default": _function("Abs"),
    "aten.clamp.default": _clip,
    "aten.clamp.Tensor": _clip,
    "aten.hardtanh.default": _hardtanh,
    "aten.leaky_relu.default": _leaky_relu,
    "aten._prelu_kernel.default": _prelu,
    "aten.prelu.default": _prelu,
    "aten.neg.default": _function("Neg"),
    "aten.relu.default": _function("Relu"),
    "aten.sigmoid.default": _function("Sigmoid"),
    "aten.tanh.default": _function("Tanh"),
}
