"""Sums, products and selections of two tensors, element by element."""

import torch


def _operands(t, x, y):
    dtype = t.result_type()
    return [torch.tensor(v, dtype=dtype) if isinstance(v, (int, float)) else t.cast(v, dtype) for v in (x, y)]


def _sum(op):
    def rule(t, x, y, alpha=1):
        x, y = _operands(t, x, y)
        if alpha != 1:
            factor = t.constant(alpha, y)
            y = y * factor if isinstance(y, torch.Tensor) else t.emit("Mul", [y, factor])
        return t.emit(op, [x, y])

    return rule


def _binary(op):
    return lambda t, x, y: t.emit(op, _operands(t, x, y))


def _divide(t, x, y):
    x, y = _operands(t, x, y)
    if not isinstance(y, torch.Tensor):
        t.refuse("a division by what depends on the input is not supported")
    return t.emit("Div", [x, y])


def _power(t, x, exponent):
    if exponent == 1:
        return x
    if exponent != 2:
        t.refuse(f"the power {exponent} is not supported; 2 is")
    return t.emit("Pow", [x, torch.tensor(2, dtype=x.dtype)])


RULES = {
    "aten.add.Tensor": _sum("Add"),
    "aten.add.Scalar": _sum("Add"),
    "aten.sub.Tensor": _sum("Sub"),
    "aten.sub.Scalar": _sum("Sub"),
    "aten.mul.Tensor": _binary("Mul"),
    "aten.mul.Scalar": _binary("Mul"),
    "aten.div.Tensor": _divide,
    "aten.div.Scalar": _divide,
    "aten.maximum.default": _binary("Max"),
    "aten.minimum.default": _binary("Min"),
    "aten.pow.Tensor_Scalar": _power,
}
