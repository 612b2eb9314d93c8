"""What onnxruntime and onnx say about networks: outputs at seeded inputs, and the shapes of all named values.

    onnxruntime_oracle.py OUT.npz NET.onnx[.gz]   [repeated in pairs]
    onnxruntime_oracle.py --executions keep|flush OUT.npz NET.onnx POINTS.npz   [repeated in triples]

In the first form, each OUT.npz holds x and y, one row per input and its output, and the shapes as names, ranks and dims
(flat). In the second, y is [configurations, points, outputs]: the outputs at all x of POINTS.npz under every level of
optimisation with one thread and with two, named in `configurations`; with `flush`, subnormal numbers count as zero.
Where a network cannot be run, OUT.npz holds `error`. Exits with 77 where the packages of requirements.txt are missing.
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
LEVELS = ["ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"]


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


def session_of(model, level="ORT_DISABLE_ALL", threads=0, flush=False):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    if flush:
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model, seed):
    session = session_of(model)
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


def execute(path, x, flush):
    model = read_model(path)
    names, ys = [], []
    for level in LEVELS:
        for threads in [1, 2]:
            session = session_of(model, level, threads, flush)
            (source,) = session.get_inputs()
            ys.append([session.run(None, {source.name: point.reshape(source.shape)})[0].ravel() for point in x])
            names.append(f"{level}, {threads} threads")
    return {"y": np.array(ys), "configurations": np.array(names)}


def save(out, answer):
    try:
        arrays = answer()
    except Exception as error:  # the test says which networks have no reference, and why
        arrays = {"error": np.array([ascii(error)])}
    np.savez(out, **arrays)


def main(arguments):
    if arguments[0] == "--executions":
        flush = arguments[1] == "flush"
        outs, paths = arguments[2::3], arguments[3::3]
        # All inputs first: once a session flushes subnormal numbers to zero, so does every conversion here.
        xs = [np.load(path)["x"].astype(np.float32) for path in arguments[4::3]]
        for out, path, x in zip(outs, paths, xs, strict=True):
            save(out, lambda: execute(path, x, flush))
        return
    for out, path in zip(arguments[0::2], arguments[1::2], strict=True):
        save(out, lambda: describe(path))


if __name__ == "__main__":
    main(sys.argv[1:])
