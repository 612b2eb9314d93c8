"""Matrix products, convolutions, and batch-norm by its running statistics."""

import torch

from .activations import rounded


def _is_constant(value):
    return value is None or isinstance(value, torch.Tensor)


def _linear(t, x, weight, bias=None):
    if len(x.shape) == 2 and len(weight.shape) == 2:
        return t.emit("Gemm", [x, weight, bias], {"transB": 1})
    if not _is_constant(weight):
        t.refuse("weights that depend on the input are not supported")
    product = t.emit("MatMul", [x, weight.T if weight.dim() == 2 else weight])
    return product if bias is None else t.emit("Add", [product, bias])


def _matmul(t, x, y):
    return t.emit("MatMul", [x, y])


def _addmm(t, bias, x, y, beta=1, alpha=1):
    attributes = {"alpha": rounded(alpha, x.dtype), "beta": rounded(beta, x.dtype)}
    return t.emit("Gemm", [x, y, bias], attributes)


def _convolution(t, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    attributes = {"strides": list(stride), "pads": [*padding, *padding], "dilations": list(dilation), "group": groups}
    if transposed and any(output_padding):
        attributes["output_padding"] = list(output_padding)
    axes = len(stride)
    single = len(x.shape) == axes + 1  # one image, without a batch
    image = t.emit("Reshape", [x, [1, *x.shape]]) if single else x
    y = t.emit("ConvTranspose" if transposed else "Conv", [image, weight, bias], attributes)
    return t.emit("Reshape", [y, list(y.shape[1:])]) if single else y


def _batch_norm(t, x, weight, bias, mean, variance, momentum, eps):
    channels = x.shape[1]
    weight = torch.ones(channels, dtype=x.dtype) if weight is None else weight
    bias = torch.zeros(channels, dtype=x.dtype) if bias is None else bias
    y = t.emit("BatchNormalization", [x, weight, bias, mean, variance], {"epsilon": rounded(eps, x.dtype)})
    return y, None, None


RULES = {
    "aten._native_batch_norm_legit_no_training.default": _batch_norm,
    "aten.addmm.default": _addmm,
    "aten.bmm.default": _matmul,
    "aten.convolution.default": _convolution,
    "aten.linear.default": _linear,
    "aten.matmul.default": _matmul,
    "aten.mm.default": _matmul,
}
