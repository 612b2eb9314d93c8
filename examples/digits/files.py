"""Writing networks as ONNX files and their properties as VNN-LIB files."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import onnx
from network import Conv, Layers
from onnx import TensorProto, helper, numpy_helper


def write_onnx(layers: Layers, path: Path) -> None:
    nodes, constants, value = [], [], "image"
    for index, layer in enumerate(layers, start=1):
        last = index == len(layers)
        names = [f"weight{index}", f"bias{index}"]
        parameters = zip((layer.weight, layer.bias), names)
        constants += [numpy_helper.from_array(p.astype(np.float32), n) for p, n in parameters]
        output = "logits" if last else f"linear{index}"
        if isinstance(layer, Conv):
            window = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [layer.stride] * 2}
            nodes.append(helper.make_node("Conv", [value, *names], [output], name=f"conv{index}", **window))
        else:
            if index > 1 and isinstance(layers[index - 2], Conv):
                nodes.append(helper.make_node("Flatten", [value], ["flat"], name="flatten"))
                value = "flat"
            nodes.append(helper.make_node("Gemm", [value, *names], [output], name=f"gemm{index}", transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [output], [f"relu{index}"], name=f"relu{index}"))
        value = f"relu{index}"
    pixels = [1, 8, 8] if isinstance(layers[0], Conv) else [64]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", *pixels])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])
    graph = helper.make_graph(nodes, path.stem, [image], [logits], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def write_vnnlib(path: Path, x: np.ndarray, label: int, epsilon: Decimal, about: str) -> None:
    """The violation: an image within epsilon for which some logit reaches that of the label."""
    lines = [f"; {about}", f"; The digit {label}, every pixel within {epsilon} and in [0, 1].", ""]
    lines += [f"(declare-const X_{i} Real)" for i in range(64)]
    lines += [f"(declare-const Y_{i} Real)" for i in range(10)] + [""]
    for i, pixel in enumerate(Decimal(float(p)) for p in x):  # pixels are multiples of 1/16: exact decimals
        lower, upper = max(pixel - epsilon, Decimal(0)), min(pixel + epsilon, Decimal(1))
        lines += [f"(assert (<= X_{i} {upper}))", f"(assert (>= X_{i} {lower}))"]
    others = [f"    (and (>= Y_{j} Y_{label}))" for j in range(10) if j != label]
    lines += ["", "(assert (or", *others, "))", ""]
    path.write_text("\n".join(lines), encoding="utf-8")
