#!/usr/bin/env python3
"""What a forward linear domain would give on networks with few inputs, against CROWN: why BoundFlow has none.

    bench/forward_bounds.py net.onnx...     sub-boxes of [-0.5, 0.5]^n, of a share of its width; needs numpy and onnx

A forward domain keeps a linear function of the inputs below and above each neuron, which is cheap where inputs are
few. Printed is, as the median over boxes, how wide the outputs are by its bounds alone, and by CROWN rows of the
outputs with its bounds for all hidden neurons, in units of CROWN's (rows for the neurons of each layer). Everything is
plain arithmetic without error terms; fully connected networks with ReLU only.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

Bounds = tuple[np.ndarray, np.ndarray]


def affine_layers(path: str) -> list[tuple[np.ndarray, np.ndarray]]:
    graph = onnx.load(path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor).astype(float) for tensor in graph.initializer}
    layers = []
    for node in graph.node:
        given = [constants[name] for name in node.input if name in constants]
        if node.op_type == "MatMul":
            layers.append((given[0].T, np.zeros(given[0].shape[1])))
        elif node.op_type == "Gemm":
            transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
            layers.append((given[0] if transposed else given[0].T, given[1]))
        elif node.op_type == "Add" and layers:
            layers[-1] = (layers[-1][0], layers[-1][1] + given[0].ravel())
        elif node.op_type not in ("Relu", "Flatten", "Reshape", "Sub", "Constant"):
            raise SystemExit(f"{path}: {node.op_type} is not of a fully connected network with ReLU")
    return layers


def relu_lines(lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The slope below, and slope and intercept above: CROWN's choice."""
    crossing = (lower < 0) & (upper > 0)
    above = np.where(crossing, upper / np.where(crossing, upper - lower, 1), upper > 0)
    below = np.where(crossing, upper > -lower, upper > 0)
    return below, above, np.where(crossing, -above * lower, 0)


def over_box(below: np.ndarray, above: np.ndarray, shifts: Bounds, box: Bounds) -> Bounds:
    centre, radius = (box[0] + box[1]) / 2, (box[1] - box[0]) / 2
    return below @ centre - abs(below) @ radius + shifts[0], above @ centre + abs(above) @ radius + shifts[1]


def backward(layers, last: int, hidden: list[Bounds], box: Bounds) -> Bounds:
    below = above = layers[last][0]
    low = high = layers[last][1]
    for (weights, bias), bounds in zip(layers[:last][::-1], hidden[:last][::-1]):
        slope_below, slope_above, intercept = relu_lines(*bounds)
        low = low + np.minimum(below, 0) @ intercept
        high = high + np.maximum(above, 0) @ intercept
        below = np.maximum(below, 0) * slope_below + np.minimum(below, 0) * slope_above
        above = np.maximum(above, 0) * slope_above + np.minimum(above, 0) * slope_below
        low, high = low + below @ bias, high + above @ bias
        below, above = below @ weights, above @ weights
    return over_box(below, above, (low, high), box)


def crown(layers, box: Bounds) -> list[Bounds]:
    hidden: list[Bounds] = []
    for k in range(len(layers)):
        hidden.append(backward(layers, k, hidden, box))
    return hidden


def forward(layers, box: Bounds) -> list[Bounds]:
    below = above = np.eye(len(box[0]))
    low = high = np.zeros(len(box[0]))
    found = []
    for weights, bias in layers:
        positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
        below, above = positive @ below + negative @ above, positive @ above + negative @ below
        low, high = positive @ low + negative @ high + bias, positive @ high + negative @ low + bias
        found.append(over_box(below, above, (low, high), box))
        slope_below, slope_above, intercept = relu_lines(*found[-1])
        below, low = below * slope_below[:, None], low * slope_below
        above, high = above * slope_above[:, None], high * slope_above + intercept
    return found


def width(bounds: Bounds) -> float:
    return float((bounds[1] - bounds[0]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--boxes", type=int, default=20)
    arguments = parser.parse_args()
    print(f"{'network':40} {'box':>6} {'forward':>10} {'CROWN on forward':>17}")
    for path in arguments.networks:
        layers = affine_layers(path)
        random = np.random.default_rng(0)
        for share in (0.25, 0.05, 0.01):
            alone, mixed = [], []
            for _ in range(arguments.boxes):
                lower = random.random(layers[0][0].shape[1]) * (1 - share) - 0.5
                box = (lower, lower + share)
                exact, cheap = crown(layers, box), forward(layers, box)
                if width(exact[-1]) == 0:
                    continue  # all neurons are stable, and constant
                alone.append(width(cheap[-1]) / width(exact[-1]))
                mixed.append(width(backward(layers, len(layers) - 1, cheap, box)) / width(exact[-1]))
            print(f"{Path(path).name:40} {share:6} {np.median(alone):10.1f} {np.median(mixed):17.1f}", flush=True)


if __name__ == "__main__":
    main()
