"""Writes those networks of this folder that are small files and ask for much: onnx/*, see make_networks.py.

Usage: make_large_networks.py [NAME...]; without names, all are written.
"""

import gzip

import numpy as np

from models import compressed_file, file, floats, graph, ints, node, repeated, spread, summed, write_all


@file
def input_of_2_to_the_40():
    return graph([node("Relu", "x")], x=(1024, 2**30), y=(1024, 2**30))


@file
def input_of_2_to_the_62():
    return graph([node("Relu", "x")], x=(2**31, 2**31), y=(2**31, 2**31))


@file
def input_of_1_gb():
    return graph([node("Relu", "x")], x=(1, 2**28), y=(1, 2**28))


@file
def constant_of_8_tb():
    nodes, shapes = repeated("c", [2**40])
    return graph([*nodes, node("Add", "x c")], shapes)


@file
def constant_of_512_mb():
    nodes, shapes = repeated("c", [2**27, 1])
    return summed([*nodes, node("Add", "x c", "h")], shapes)


@file
def many_large_constants():
    """Each alone would be affordable."""
    nodes, shapes, last = [], [], "x"
    for i in range(20):
        constant, shape = repeated(f"c{i}", [2**21])
        nodes += [*constant, node("Slice", f"c{i} zero one", f"s{i}"), node("Add", f"{last} s{i}", f"a{i}")]
        shapes += shape
        last = f"a{i}"
    return summed([*nodes, node("Relu", last, "h")], [*shapes, ints("zero", [0])])


@file
def range_of_2_to_the_50():
    return graph([node("Range", "a b c", "r"), node("Reshape", "x r")],
                 [ints("a", 0), ints("b", 2**50), ints("c", 1)])


@file
def range_of_2_gb():
    return graph([node("Range", "a b c", "r"), node("Reshape", "x r")],
                 [ints("a", 0), ints("b", 2**28), ints("c", 1)])


@file
def variable_expanded_to_1_gb():
    return summed(spread(2**28))


@file
def variable_of_negative_shape():
    return summed([node("Expand", "x s", "h")], [ints("s", [-4, 2])])


@file
def product_of_shapes_overflows():
    return summed([node("Expand", "x s", "h")], [ints("s", [2**33, 2**33])])


@file
def concat_doubles_a_constant():
    nodes = [node("Concat", f"c{i} c{i}", f"c{i + 1}", axis=0) for i in range(40)]
    return summed([*nodes, node("Add", "x c40", "h")], [floats("c0", [[1]])])


@file
def concat_doubles_a_variable():
    nodes = [node("Concat", f"h{i} h{i}", f"h{i + 1}", axis=1) for i in range(40)]
    return summed([node("Identity", "x", "h0"), *nodes, node("Identity", "h40", "h")])


@file
def concat_of_many_copies():
    """100 times the same value, three times over."""
    nodes = [node("Concat", " ".join([f"h{i}"] * 100), f"h{i + 1}", axis=1) for i in range(4)]
    return summed([node("Identity", "x", "h0"), *nodes, node("Identity", "h4", "h")])


@file
def pad_of_2_to_the_40():
    return summed([node("Pad", "x p", "h")], [ints("p", [0, 0, 0, 2**40])])


@file
def pad_of_many_axes():
    """Sixteen axes, each padded by 2^20."""
    return summed([node("Reshape", "x s", "r"), node("Pad", "r p", "h")],
                  [ints("s", [1] * 16), ints("p", [2**20] * 32)])


@file
def unsqueezed_to_a_thousand_axes():
    return summed([node("Unsqueeze", "x a", "h")], [ints("a", list(range(1000)))])


@file
def gather_repeats():
    nodes = [node("Gather", f"h{i} i", f"h{i + 1}", axis=1) for i in range(9)]
    return summed([node("Identity", "x", "h0"), *nodes, node("Identity", "h9", "h")], [ints("i", np.zeros((8, 8)))])


@file
def sum_of_a_row_and_a_column():
    return summed([*spread(20_000, "row"), node("Transpose", "row", "column"), node("Add", "row column", "h")])


@file
def product_of_a_row_and_a_column():
    """A constant [30000, 1] times a variable [1, 30000]."""
    nodes, shapes = repeated("c", [30_000, 1])
    return summed([*spread(30_000, "row"), *nodes, node("MatMul", "c row", "h")], shapes)


@file
def where_stretches():
    nodes, shapes = repeated("c", [50_000, 1])
    return summed([*nodes, *spread(50_000, "row"), node("Equal", "c c", "yes"), node("Where", "yes row c", "h")], shapes)


@file
def product_of_constants():
    """1100 x 1100 twice: 1.3e9 products, which would fold exactly."""
    nodes, shapes = repeated("c", [1100, 1100])
    return summed([*nodes, node("MatMul", "c c", "d"), node("Add", "x d", "h")], shapes)


@file
def matrices_of_a_batch():
    """A constant of 16 matrices: each product is a row of its own."""
    nodes, shapes = repeated("c", [16, 100, 100])
    return summed([*spread(80_000, "wide"), node("Reshape", "wide s", "r"), *nodes, node("MatMul", "r c", "h")],
                  [*shapes, ints("s", [16, 50, 100])])


@file
def gemm_of_a_transposed_variable():
    """Needs a matrix over all pairs of elements."""
    return summed([*spread(40_000, "wide"), node("Reshape", "wide s", "r"), node("Gemm", "r w", "h", transA=1)],
                  [ints("s", [200, 200]), floats("w", np.ones((200, 2)))])


@file
def conv_padded_to_2_to_the_40():
    return graph([node("Conv", "x W", pads=[2**20] * 4)], [floats("W", np.ones((1, 1, 2, 2)))], x=(1, 1, 2, 2))


@file
def conv_of_a_large_kernel():
    """1000 x 1000 taps at 1000 x 1000 places."""
    nodes, shapes = repeated("k", [1, 1, 1000, 1000])
    return summed([node("Reshape", "x s", "image"), *nodes, node("Conv", "image k", "h", pads=[999] * 4)],
                  [*shapes, ints("s", [1, 1, 1, 1])])


@file
def conv_of_many_images():
    """The weights are repeated for each image of the batch."""
    nodes, shapes = repeated("k", [100, 100, 3, 3])
    return summed([*spread(100_000, "row"), node("Reshape", "row s", "images"), *nodes,
                   node("Conv", "images k", "h", pads=[1] * 4)], [*shapes, ints("s", [1000, 100, 1, 1])])


@file
def conv_of_a_huge_stride():
    return graph([node("Conv", "x W", strides=[2**24, 2**24], pads=[2**23] * 4)], [floats("W", np.ones((1, 1, 2, 2)))],
                 x=(1, 1, 2, 2))


@file
def conv_of_a_huge_dilation():
    return graph([node("Conv", "x W", dilations=[2**62, 2])], [floats("W", np.ones((1, 1, 2, 2)))], x=(1, 1, 2, 2))


@file
def transposed_conv_of_a_large_stride():
    return graph([node("ConvTranspose", "x W", strides=[4096, 4096])], [floats("W", np.ones((1, 1, 2, 2)))],
                 x=(1, 1, 16, 16))


@file
def transposed_conv_to_a_large_shape():
    return graph([node("ConvTranspose", "x W", output_shape=[2**20, 2**20])], [floats("W", np.ones((1, 1, 2, 2)))],
                 x=(1, 1, 2, 2))


@file
def max_pool_of_large_windows():
    return summed([*spread(1_000_000, "row"), node("Reshape", "row s", "image"),
                   node("MaxPool", "image", "h", kernel_shape=[500, 500])], [ints("s", [1, 1, 1000, 1000])])


@file
def average_pool_of_large_windows():
    return summed([*spread(1_000_000, "row"), node("Reshape", "row s", "image"),
                   node("AveragePool", "image", "h", kernel_shape=[500, 500], pads=[1] * 4)],
                  [ints("s", [1, 1, 1000, 1000])])


@file
def average_pool_of_many_channels():
    return summed([*spread(1_000_000, "row"), node("Reshape", "row s", "image"),
                   node("AveragePool", "image", "h", kernel_shape=[1, 4000], pads=[0, 3999, 0, 0],
                        count_include_pad=1)], [ints("s", [1, 1_000_000, 1, 1])])


@file
def maximum_of_many():
    """60 numbers, each compared at 100,000 places."""
    nodes = [node("Add", f"x c{i}", f"m{i}") for i in range(60)]
    return summed([*spread(100_000, "wide"), *nodes, node("Max", " ".join(["wide", *(f"m{i}" for i in range(60))]), "h")],
                  [floats(f"c{i}", [i]) for i in range(60)])


def delimited(number: int, data: bytes) -> bytes:
    """A field of the file format."""
    length = len(data)
    header = bytes([number << 3 | 2])
    while length >= 128:
        header += bytes([length % 128 + 128])
        length //= 128
    return header + bytes([length]) + data


def many(field: bytes) -> bytes:
    """A graph of the same field 4 MB long, which compresses to 4 kB."""
    return gzip.compress(b"\x08\x07" + delimited(7, field * (4_000_000 // len(field))) + b"\x42\x02\x10\x0d", mtime=0)


@compressed_file
def many_empty_nodes():
    """Two bytes each, but a hundred in memory."""
    return many(delimited(1, b""))


@compressed_file
def many_empty_attributes():
    return many(delimited(1, delimited(5, b"") * 60))


@compressed_file
def many_empty_constants():
    return many(delimited(5, b""))


# ----- as large as a small file may be: verified within the same memory

@file
def largest_variable():
    return summed([*spread(1_300_000, "wide"), node("Relu", "wide", "h")])


@file
def largest_constant():
    nodes, shapes = repeated("c", [1900, 1900], 0.5)
    return summed([*spread(1900, "wide"), *nodes, node("MatMul", "wide c", "h0"), node("Relu", "h0", "h")], shapes)


@file
def largest_pools():
    pools = [node("MaxPool", f"h{i}", f"h{i + 1}", kernel_shape=[3, 3], pads=[1] * 4) for i in range(2)]
    return summed([*spread(90_000, "wide"), node("Reshape", "wide s", "h0"), *pools, node("Relu", "h2", "h")],
                  [ints("s", [1, 1, 300, 300])])


@file
def strides_that_multiply():
    """Six convolutions of one pixel each: together their strides are 2^72."""
    nodes = [node("Conv", f"h{i} W", f"h{i + 1}", strides=[4096, 4096], pads=[4095] * 4) for i in range(6)]
    rectified = [node("Relu", "h6", "h")]
    return summed([node("Reshape", "x s", "h0"), *nodes, *rectified],
                  [ints("s", [1] * 4), floats("W", np.ones((1, 1, 1, 1)))])


if __name__ == "__main__":
    write_all()
