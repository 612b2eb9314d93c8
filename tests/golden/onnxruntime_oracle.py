"""What onnxruntime and onnx say about networks: outputs at seeded inputs, and the shapes of all named values.

    onnxruntime_oracle.py OUT.npz NET.onnx[.gz]   [repeated in pairs]

Each OUT.npz holds x and y, one row per input and its output, and the shapes as names, ranks and dims (flat); or `error`,
where a network cannot be run. Exits with 77 where the packages of requirements.txt are missing.
"""

import gzip
import sys
import zlib

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"onnxruntime oracle: {missing}", file=sys.stderr)
    sys.exit(77)

INPUTS = 3


def read_model(path):
    with open(path, "rb") as file:
        data = file.read()
    model = onnx.load_from_string(gzip.decompress(data) if path.endswith(".gz") else data)
    # A symbolic batch is one, here as there.
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        if len(dims) > 0 and not dims[0].HasField("dim_value"):
            dims[0].dim_value = 1
    return model


def static_shapes(model):
    """Name and dimensions of every value whose shape onnx infers in full."""
    # Declared outputs may name another batch; what is inferred counts.
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = onnx.shape_inference.infer_shapes(bare, data_prop=True).graph
    for value in [*graph.input, *graph.value_info, *graph.output]:
        tensor = value.type.tensor_type
        dims = [dim.dim_value for dim in tensor.shape.dim if dim.HasField("dim_value")]
        if tensor.HasField("shape") and len(dims) == len(tensor.shape.dim) and value.name.isascii():
            yield value.name, dims


def run(model, seed):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    constants = {initializer.name for initializer in model.graph.initializer}
    (source,) = [value for value in session.get_inputs() if value.name not in constants]
    dtype = {"tensor(float)": np.float32, "tensor(double)": np.float64}[source.type]
    random = np.random.default_rng(seed)
    xs, ys = [], []
    for k in range(INPUTS):
        x = random.uniform(-1 if k > 0 else 0, 1, source.shape).astype(dtype)
        ys.append(session.run(None, {source.name: x})[0].ravel())
        xs.append(x.ravel())
    return np.stack(xs), np.stack(ys)


def describe(path):
    model = read_model(path)
    x, y = run(model, zlib.crc32(path.rsplit("/", 1)[-1].encode()))
    shapes = list(static_shapes(model))
    dims = [extent for _, shape in shapes for extent in shape]
    return {
        "x": x,
        "y": y,
        "names": np.array([name for name, _ in shapes], dtype=str),
        "ranks": np.array([len(shape) for _, shape in shapes], dtype=np.int64),
        "dims": np.array(dims, dtype=np.int64),
    }


def main(arguments):
    for out, path in zip(arguments[0::2], arguments[1::2], strict=True):
        try:
            arrays = describe(path)
        except Exception as error:  # the test says which networks have no reference, and why
            arrays = {"error": np.array([ascii(error)])}
        np.savez(out, **arrays)


if __name__ == "__main__":
    main(sys.argv[1:])
