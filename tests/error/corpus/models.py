"""What make_networks.py and make_large_networks.py share: small ONNX models, and writing them to onnx/."""

import sys
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

FOLDER = Path(__file__).resolve().parent / "onnx"
MAKERS = {}  # file names to functions
FLOAT, DOUBLE, INT64, FLOAT16, INT32, STRING = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64,
                                                TensorProto.FLOAT16, TensorProto.INT32, TensorProto.STRING)


def file(make, suffix: str = ".onnx"):
    MAKERS[make.__name__ + suffix] = make
    return make


def compressed_file(make):
    return file(make, ".onnx.gz")


def floats(name: str, array) -> TensorProto:
    return numpy_helper.from_array(np.asarray(array, np.float32), name)


def ints(name: str, values) -> TensorProto:
    return numpy_helper.from_array(np.asarray(values, np.int64), name)


def graph(nodes, constants=(), x=(1, 2), y=(1, 3), opset: int = 13, x_type: int = FLOAT) -> ModelProto:
    """x -> nodes -> y. Without y, the file does not say what shape the output has."""
    made = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", x_type, x)],
                             [helper.make_tensor_value_info("y", FLOAT, y)], list(constants))
    return helper.make_model(made, ir_version=7, opset_imports=[helper.make_opsetid("", opset)])


def node(op: str, inputs: str, output: str = "y", **attributes) -> NodeProto:
    return helper.make_node(op, inputs.split(), output.split(), name=f"the_{op.lower()}_of_{output.split()[0]}",
                            **attributes)


def good() -> ModelProto:
    """x [1, 2] -> Gemm -> Relu -> y [1, 3]; the same as partners/small.onnx."""
    return graph([node("Gemm", "x W b", "h"), node("Relu", "h")],
                 [floats("W", [[1, 2, 3], [4, 5, 6]]), floats("b", [0.5, -1, 0])])


def behind(nodes, constants=()) -> ModelProto:
    """The layer of the good network, h [1, 3], and then `nodes`: for errors that are found after the property is read."""
    return graph([node("Gemm", "x W", "h"), *nodes], [floats("W", [[1, 2, 3], [4, 5, 6]]), *constants])


def spread(count: int, output: str = "h") -> list:
    """x [1, 1] to `count` copies of it, a tensor [1, count]."""
    return [node("Constant", "", "count", value=ints("count", [1, count])), node("Expand", "x count", output)]


def summed(nodes, constants=()) -> ModelProto:
    """x [1, 1] -> nodes -> h -> its sum y [1, 1]: what is large is inside."""
    return graph([*nodes, node("Reshape", "h flat_shape", "flat"), node("ReduceSum", "flat one", "y")],
                 [*constants, ints("flat_shape", [1, -1]), ints("one", [1])], (1, 1), (1, 1))


def repeated(name: str, shape, value: float = 1) -> list:
    """A constant of any size in a few bytes."""
    return [node("ConstantOfShape", f"{name}_shape", name, value=floats("v", [value]))], [ints(f"{name}_shape", shape)]


def write_all() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, make in MAKERS.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        made = make()
        (FOLDER / name).write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
