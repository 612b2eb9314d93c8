#!/usr/bin/env python3
"""Halving boxes against splitting neurons, on random networks with ReLU: the table in docs/benchmarks.md.

    bench/branching.py --boundflow BIN [--timeout 10]     needs numpy and onnx

A network of n inputs and the given hidden layers (normal weights of variance 2 / fan-in) over the box [-r, r]^n. The
property asks for an output below a threshold that lies a twentieth of the sampled range below what random descent
finds, so that it holds nearly always, and not by much. Printed are the verdict, seconds and subproblems for each kind.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CASES = [(n, hidden, radius) for n in (4, 6, 8, 12, 16) for hidden in ((32, 32), (50, 50, 50)) for radius in (0.1, 0.3)]
KINDS = ("input", "activation", "auto")


def random_layers(inputs: int, hidden: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(inputs)
    sizes = [inputs, *hidden, 1]
    weights = [(random.normal(size=(m, n)) * np.sqrt(2 / n)).astype(np.float32) for n, m in zip(sizes, sizes[1:])]
    return [(w, (0.2 * random.normal(size=len(w))).astype(np.float32)) for w in weights]


def model(layers: list[tuple[np.ndarray, np.ndarray]]) -> onnx.ModelProto:
    nodes, constants, last = [], [], "x"
    for k, (weights, bias) in enumerate(layers):
        constants += [numpy_helper.from_array(weights, f"w{k}"), numpy_helper.from_array(bias, f"b{k}")]
        nodes.append(helper.make_node("Gemm", [last, f"w{k}", f"b{k}"], [f"z{k}"], transB=1))
        last = f"z{k}"
        if k + 1 < len(layers):
            nodes.append(helper.make_node("Relu", [last], [f"h{k}"]))
            last = f"h{k}"
    value = helper.make_tensor_value_info
    inputs = layers[0][0].shape[1]
    graph = helper.make_graph(nodes, "random", [value("x", TensorProto.FLOAT, [1, inputs])],
                              [value(last, TensorProto.FLOAT, [1, 1])], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def values(layers: list[tuple[np.ndarray, np.ndarray]], points: np.ndarray) -> np.ndarray:
    for weights, bias in layers[:-1]:
        points = np.maximum(points @ weights.T + bias, 0)
    return (points @ layers[-1][0].T + layers[-1][1])[:, 0]


def threshold(layers: list[tuple[np.ndarray, np.ndarray]], radius: float) -> float:
    random = np.random.default_rng(1)
    points = random.uniform(-radius, radius, (20000, layers[0][0].shape[1]))
    sampled = values(layers, points)
    points = points[np.argsort(sampled)[:64]]
    for step in (0.3, 0.09, 0.03) * 60:
        moved = np.clip(points + step * radius * random.normal(size=points.shape), -radius, radius)
        better = values(layers, moved) < values(layers, points)
        points[better] = moved[better]
    return float(values(layers, points).min() - 0.05 * (sampled.max() - sampled.min()))


def vnnlib(inputs: int, radius: float, most: float) -> str:
    lines = [f"(declare-const X_{i} Real)" for i in range(inputs)] + ["(declare-const Y_0 Real)"]
    lines += [f"(assert (>= X_{i} {-radius}))\n(assert (<= X_{i} {radius}))" for i in range(inputs)]
    return "\n".join([*lines, f"(assert (<= Y_0 {most:.6f}))", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boundflow", default="boundflow")
    parser.add_argument("--timeout", type=float, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        network, prop, report = (Path(folder) / name for name in ("net.onnx", "p.vnnlib", "r.json"))
        for inputs, hidden, radius in CASES:
            layers = random_layers(inputs, hidden)
            network.write_bytes(model(layers).SerializeToString())
            prop.write_text(vnnlib(inputs, radius, threshold(layers, radius)))
            line = f"{inputs:3} inputs, {' + '.join(map(str, hidden)):14} radius {radius}:"
            for kind in KINDS:
                subprocess.run([arguments.boundflow, "verify", network, prop, "--timeout", str(arguments.timeout),
                                "--branching", kind, "--json", report], capture_output=True)
                answer = json.loads(report.read_text())
                line += f"  {kind} {answer['verdict']} {answer['time_s']:.2f} s, {answer['statistics']['subproblems']}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
