"""ONNX files as torch modules, for the operators of the golden networks."""

import gzip
from pathlib import Path

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper


def _conv(x, w, b=None, *, kernel_shape, pads, strides, dilations=(1, 1), group=1):
    half = len(pads) // 2
    assert pads[:half] == pads[half:]
    return F.conv2d(x, w, b, strides, pads[:half], dilations, group)


def _conv_transpose(x, w, b=None, *, kernel_shape, pads, strides, dilations=(1, 1), group=1):
    half = len(pads) // 2
    assert pads[:half] == pads[half:]
    return F.conv_transpose2d(x, w, b, strides, pads[:half], 0, group, dilations)


def _gemm(x, w, b, *, alpha=1.0, beta=1.0, transB=0):
    assert alpha == beta == 1.0
    return F.linear(x, w if transB else w.T, b)


def _max_pool(x, *, kernel_shape, pads, strides, dilations=(1, 1), ceil_mode=0):
    return F.max_pool2d(x, kernel_shape, strides, pads[:2], dilations, bool(ceil_mode))


def _average_pool(x, *, kernel_shape, pads, strides, ceil_mode=0, count_include_pad=0):
    return F.avg_pool2d(x, kernel_shape, strides, pads[:2], bool(ceil_mode), bool(count_include_pad))


def _batch_norm(x, scale, b, mean, variance, *, epsilon, momentum):
    return F.batch_norm(x, mean, variance, scale, b, eps=epsilon)


_OPERATORS = {
    "Add": lambda a, b: a + b,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Concat": lambda *x, axis: torch.cat(x, axis),
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Flatten": lambda x, *, axis=1: torch.flatten(x, axis),
    "Gemm": _gemm,
    "LeakyRelu": lambda x, *, alpha: F.leaky_relu(x, alpha),
    "MaxPool": _max_pool,
    "Mul": lambda a, b: a * b,
    "Relu": torch.relu,
    "Reshape": lambda x, shape: x.reshape([int(extent) for extent in shape]),
    "Sigmoid": torch.sigmoid,
    "Sub": lambda a, b: a - b,
    "Tanh": torch.tanh,
    "Transpose": lambda x, *, perm: x.permute(perm),
}


class OnnxModule(torch.nn.Module):
    """Runs the nodes of a file one by one."""

    def __init__(self, path: Path):
        super().__init__()
        content = path.read_bytes()
        graph = onnx.load_from_string(gzip.decompress(content) if path.suffix == ".gz" else content).graph
        self.nodes = [(node.op_type, list(node.input), list(node.output),
                       {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}) for node in graph.node]
        self.output = graph.output[0].name
        self.shapes = {}  # of int64, which are no parameters
        weights = {w.name: torch.from_numpy(numpy_helper.to_array(w).copy()) for w in graph.initializer}
        for op, _, outputs, attributes in self.nodes:
            if op == "Constant":
                weights[outputs[0]] = torch.from_numpy(numpy_helper.to_array(attributes["value"]).copy())
        self.weights = torch.nn.ParameterList(w for w in weights.values() if w.is_floating_point())
        self.places = {name: i for i, name in enumerate(n for n, w in weights.items() if w.is_floating_point())}
        self.shapes = {name: w.tolist() for name, w in weights.items() if not w.is_floating_point()}
        self.input = next(i.name for i in graph.input if i.name not in weights)
        self.input_shape = [d.dim_value or 1 for i in graph.input if i.name == self.input
                            for d in i.type.tensor_type.shape.dim]

    def forward(self, x):
        values = {self.input: x, **self.shapes, **{name: self.weights[i] for name, i in self.places.items()}}
        for op, inputs, outputs, attributes in self.nodes:
            if op != "Constant":
                values[outputs[0]] = _OPERATORS[op](*(values[i] for i in inputs), **attributes)
        return values[self.output]
