"""Writes the broken networks of this folder, onnx/*, and the good networks that broken properties are verified with,
partners/*.onnx. Needs the packages of tests/golden/requirements.txt.

Each function below makes one file, which has the function's name; what is wrong with it, its comment or its code says.
Files without a function were found by fuzzers. Usage: make_networks.py [NAME...]; without names, all are written.
"""

import gzip

import numpy as np
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper

from models import (DOUBLE, FLOAT, FLOAT16, FOLDER, INT64, STRING, behind, compressed_file, file, floats, good, graph, ints,
                    node, spread, summed, write_all)


# ----- not a model

@file
def empty():
    return b""


@file
def binary_junk():
    return bytes((7 * i * i + 13 * i + 255) % 256 for i in range(300))


@file
def property_text():
    return b"(declare-const X_0 Real)\n(assert (<= X_0 1))\n"


@file
def truncated_in_the_header():
    return good().SerializeToString()[:3]


@file
def truncated_in_a_node():
    return good().SerializeToString()[:40]


@file
def truncated_in_the_weights():
    data = good().SerializeToString()
    return data[:data.index(b"W") + 5]


@file
def truncated_by_one_byte():
    return good().SerializeToString()[:-1]


@file
def length_beyond_the_file():
    """The graph claims to be 2^31 bytes long."""
    return b"\x08\x07\x3a\xff\xff\xff\xff\x07"


@compressed_file
def truncated():
    return gzip.compress(good().SerializeToString(), mtime=0)[:60]


@compressed_file
def bad_checksum():
    data = bytearray(gzip.compress(good().SerializeToString(), mtime=0))
    data[-5] ^= 1
    return bytes(data)


@compressed_file
def junk_at_the_end():
    return gzip.compress(good().SerializeToString(), mtime=0) + b"junk"


@compressed_file
def bomb():
    """10 kB that decompress to 10 MB."""
    return gzip.compress(bytes(10_000_000), mtime=0)


@file
def no_graph():
    m = good()
    m.ClearField("graph")
    return m


@file
def no_ir_version():
    m = good()
    m.ClearField("ir_version")
    return m


@file
def old_ir_version():
    m = good()
    m.ir_version = 2
    return m


@file
def no_opset():
    m = good()
    del m.opset_import[:]
    return m


@file
def old_opset():
    m = good()
    m.opset_import[0].version = 5
    return m


@file
def future_opset():
    m = good()
    m.opset_import[0].version = 99
    return m


# ----- graphs

@file
def cycle():
    m = good()
    m.graph.node[0].input[2] = "y"
    return m


@file
def node_reads_itself():
    m = good()
    m.graph.node[1].input[0] = "y"
    return m


@file
def undefined_value():
    m = good()
    m.graph.node[1].input[0] = "nowhere"
    return m


@file
def undefined_output():
    m = good()
    m.graph.output[0].name = "nowhere"
    return m


@file
def value_defined_twice():
    m = good()
    m.graph.node[1].output[0] = "h"
    return m


@file
def two_inputs():
    m = good()
    m.graph.input.append(helper.make_tensor_value_info("z", FLOAT, [1]))
    return m


@file
def no_input():
    m = good()
    del m.graph.input[:]
    m.graph.initializer.append(floats("x", [[1, 2]]))
    return m


@file
def two_outputs():
    m = good()
    m.graph.output.append(helper.make_tensor_value_info("h", FLOAT, [1, 3]))
    return m


@file
def no_output():
    m = good()
    del m.graph.output[:]
    return m


@file
def constant_output():
    m = good()
    m.graph.output[0].name = "W"
    return m


@file
def symbolic_dimension():
    return graph([node("Relu", "x")], x=(1, "features"), y=(1, "features"))


@file
def input_of_no_elements():
    return graph([node("Relu", "x")], x=(1, 0), y=(1, 0))


@file
def negative_dimension_of_input():
    return graph([node("Relu", "x")], x=(1, -7), y=(1, -7))


@file
def input_without_shape():
    m = good()
    m.graph.input[0].type.tensor_type.ClearField("shape")
    return m


@file
def input_is_a_sequence():
    m = good()
    m.graph.input[0].CopyFrom(helper.make_tensor_sequence_value_info("x", FLOAT, [1, 2]))
    return m


@file
def integer_input():
    return graph([node("Relu", "x")], x_type=INT64)


@file
def float16_input():
    return graph([node("Relu", "x")], x_type=FLOAT16)


@file
def declared_output_shape():
    m = good()
    m.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    return m


@file
def declared_output_type():
    m = good()
    m.graph.output[0].type.tensor_type.elem_type = DOUBLE
    return m


# ----- constants

def weights(change) -> ModelProto:
    m = good()
    change(m.graph.initializer[0])
    return m


@file
def nan_weight():
    m = good()
    m.graph.initializer[0].CopyFrom(floats("W", [[1, 2, 3], [4, np.nan, 6]]))
    return m


@file
def infinite_weight():
    m = good()
    m.graph.initializer[0].CopyFrom(floats("W", [[1, 2, 3], [4, -np.inf, 6]]))
    return m


def external(**keys):
    def change(w):
        w.ClearField("raw_data")
        w.data_location = TensorProto.EXTERNAL
        for key, value in keys.items():
            w.external_data.add(key=key, value=value)
    return weights(change)


@file
def external_data():
    """There is no such file."""
    return external(location="weights.bin")


@file
def external_data_elsewhere():
    """The file is there, outside the model's folder."""
    return external(location="../manifest.txt", length="24")


@file
def external_data_of_another_length():
    """The file is another network of this folder."""
    return external(location="empty.onnx")


@file
def external_data_at_no_number():
    return external(location="weights.bin", offset="1e3")


@file
def external_data_beyond_everything():
    """Its end is past 2^64."""
    return external(location="empty.onnx", offset="18446744073709551600", length="24")


@file
def float16_weight():
    m = good()
    m.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones((2, 3), np.float16), "W"))
    return m


@file
def int32_weight():
    m = good()
    m.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones((2, 3), np.int32), "W"))
    return m


@file
def string_weight():
    m = good()
    m.graph.initializer[0].CopyFrom(helper.make_tensor("W", STRING, [2, 3], [b"a"] * 6))
    return m


@file
def unknown_element_type():
    return weights(lambda w: setattr(w, "data_type", 99))


@file
def raw_data_too_short():
    return weights(lambda w: setattr(w, "raw_data", w.raw_data[:-3]))


@file
def negative_dimension():
    return weights(lambda w: w.dims.__setitem__(0, -2))


@file
def absurd_dimensions():
    return weights(lambda w: w.dims.__setitem__(0, 2**62))


@file
def dimensions_without_data():
    """Claims 2^36 weights, which would be 256 GB."""
    return weights(lambda w: w.dims.__setitem__(0, 2**35))


@file
def sparse_weight():
    m = good()
    sparse = m.graph.sparse_initializer.add()
    sparse.values.CopyFrom(floats("s", [1]))
    sparse.dims.append(3)
    return m


# ----- operators and attributes

@file
def unknown_operator():
    return graph([node("Frobnicate", "x")])


@file
def operator_of_another_domain():
    return graph([node("Relu", "x", domain="com.example")])


@file
def operator_redefined():
    m = good()
    m.functions.append(helper.make_function("", "Relu", ["a"], ["b"], [helper.make_node("Abs", ["a"], ["b"])],
                                            [helper.make_opsetid("", 13)]))
    return m


@file
def branch():
    """If, with subgraphs."""
    then = helper.make_graph([], "then", [], [helper.make_tensor_value_info("x", FLOAT, [1, 2])])
    return graph([node("Constant", "", "c", value=numpy_helper.from_array(np.array(True), "c")),
                  node("If", "c", then_branch=then, else_branch=then)])


@file
def unknown_attribute():
    return graph([node("Relu", "x", slope=0.5)])


@file
def attribute_of_another_type():
    return behind([node("LeakyRelu", "h", alpha="steep")])


@file
def attribute_is_a_subgraph():
    body = helper.make_graph([], "body", [], [])
    return graph([node("Relu", "x", body=body)])


@file
def attribute_twice():
    n = node("LeakyRelu", "x", alpha=0.5)
    n.attribute.append(n.attribute[0])
    return graph([n])


@file
def attribute_of_unknown_type():
    n = node("Relu", "x")
    n.attribute.append(AttributeProto(name="a", type=14))
    return graph([n])


@file
def gemm_shapes():
    return graph([node("Gemm", "x W")], [floats("W", np.ones((5, 3)))])


@file
def matmul_of_a_scalar():
    return graph([node("MatMul", "x s")], [floats("s", 3)])


@file
def broadcast_shapes():
    return graph([node("Add", "x c")], [floats("c", np.ones((1, 3)))])


@file
def mixed_types():
    return graph([node("Add", "x c")], [numpy_helper.from_array(np.ones((1, 2)), "c")])


@file
def concat_shapes():
    return graph([node("Concat", "x c", axis=0)], [floats("c", np.ones((1, 5)))])


@file
def reshape_count():
    return graph([node("Reshape", "x s")], [ints("s", [1, 3])])


@file
def reshape_to_a_variable_shape():
    return graph([node("Cast", "x", "s", to=INT64), node("Reshape", "x s")])


@file
def axis_out_of_range():
    return graph([node("Concat", "x x", axis=7)])


@file
def gather_out_of_range():
    return graph([node("Gather", "x i", axis=1)], [ints("i", [5])])


@file
def slice_of_step_0():
    return graph([node("Slice", "x s e a t")], [ints("s", [0]), ints("e", [1]), ints("a", [1]), ints("t", [0])])


@file
def transpose_permutation():
    return graph([node("Transpose", "x", perm=[0, 0])])


@file
def squeeze_of_a_long_axis():
    return graph([node("Squeeze", "x a")], [ints("a", [1])])


@file
def split_does_not_add_up():
    return graph([node("Split", "x s", "y z", axis=1)], [ints("s", [1, 2])])


@file
def division_by_zero():
    return behind([node("Div", "h c")], [floats("c", [1, 0, 1])])


@file
def clip_by_nan():
    return graph([node("Clip", "x lo")], [floats("lo", np.nan)], y=(1, 2))


@file
def constants_that_overflow():
    return behind([node("Add", "big big", "c"), node("Add", "h c")], [floats("big", [3e38])])


@file
def negative_variance():
    return behind([node("BatchNormalization", "h s b m v")],
                  [floats(name, [1, 1, value]) for name, value in [("s", 1), ("b", 0), ("m", 0), ("v", -2)]])


@file
def conv_channels():
    return graph([node("Conv", "x W")], [floats("W", np.ones((1, 3, 2, 2)))], x=(1, 2, 4, 4))


@file
def conv_groups():
    return graph([node("Conv", "x W", group=3)], [floats("W", np.ones((3, 1, 2, 2)))], x=(1, 2, 4, 4))


@file
def conv_kernel_larger_than_the_image():
    return graph([node("Conv", "x W")], [floats("W", np.ones((1, 1, 9, 9)))], x=(1, 1, 4, 4))


@file
def conv_in_three_dimensions():
    return graph([node("Conv", "x W")], [floats("W", np.ones((1, 1, 2, 2, 2)))], x=(1, 1, 4, 4, 4))


@file
def conv_of_stride_0():
    return graph([node("Conv", "x W", strides=[0, 1])], [floats("W", np.ones((1, 1, 2, 2)))], x=(1, 1, 4, 4))


@file
def pool_of_padding_only():
    return summed([*spread(1, "row"), node("Reshape", "row s", "image"),
                   node("MaxPool", "image", "h", kernel_shape=[1, 1], pads=[3] * 4)], [ints("s", [1] * 4)])


# ----- partners

def sum_of(count: int) -> ModelProto:
    """x [1, count] to the rectified sum of its elements."""
    return graph([node("ReduceSum", "x one", "h"), node("Relu", "h")], [ints("one", [1])], (1, count), (1, 1))


def main() -> None:
    write_all()
    partners = FOLDER.parent / "partners"
    partners.mkdir(exist_ok=True)
    (partners / "small.onnx").write_bytes(good().SerializeToString())
    for count in [4, 15, 24, 1000]:
        (partners / f"sum_of_{count}.onnx").write_bytes(sum_of(count).SerializeToString())


if __name__ == "__main__":
    main()
