"""Trains the example network and writes its two properties.

A 64-32-16-10 ReLU network for scikit-learn's 8x8 digits, trained in numpy on images perturbed by projected gradient
descent, so that its robustness can be proved. Deterministic for given versions of the packages. The files it writes are
in git; run it only to change them:

    python3 -m venv .venv && .venv/bin/pip install numpy scikit-learn onnx && .venv/bin/python examples/digits/train.py
"""

from decimal import Decimal
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

HERE = Path(__file__).resolve().parent
SIZES = [64, 32, 16, 10]
TRAINING_EPSILON = 0.05
PROVED_EPSILON = Decimal("0.04")
VIOLATED_EPSILON = Decimal("0.15")

Layers = list[tuple[np.ndarray, np.ndarray]]  # (W, b) of y = W x + b, float64


def forward(layers: Layers, x: np.ndarray) -> list[np.ndarray]:
    """The inputs of all layers, and the logits last; x is [batch, 64]."""
    values = [x]
    for index, (weight, bias) in enumerate(layers):
        y = values[-1] @ weight.T + bias
        values.append(y if index + 1 == len(layers) else np.maximum(y, 0))
    return values


def backward(layers: Layers, values: list[np.ndarray], gradient: np.ndarray) -> tuple[list, np.ndarray]:
    """Gradients at (W, b) of each layer and at the input, from the gradient at the logits."""
    gradients = []
    for index in reversed(range(len(layers))):
        gradients.insert(0, (gradient.T @ values[index], gradient.sum(axis=0)))
        gradient = gradient @ layers[index][0]
        if index > 0:
            gradient = gradient * (values[index] > 0)
    return gradients, gradient


def cross_entropy_gradient(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    gradient = exponentials / exponentials.sum(axis=1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient


def attack(layers: Layers, x: np.ndarray, labels: np.ndarray, epsilon: float, steps: int, rng) -> np.ndarray:
    """Projected gradient ascent of the loss inside the box of radius epsilon around x, cut to [0, 1]."""
    lower, upper = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    point = rng.uniform(lower, upper)
    for _ in range(steps):
        values = forward(layers, point)
        _, gradient = backward(layers, values, cross_entropy_gradient(values[-1], labels))
        point = np.clip(point + 2 * epsilon / steps * np.sign(gradient), lower, upper)
    return point


def train(x: np.ndarray, labels: np.ndarray, rng, epochs: int = 150, batch: int = 64) -> Layers:
    """Adam on adversarial images."""
    layers = [(rng.normal(0, np.sqrt(2 / n), (m, n)), np.zeros(m)) for n, m in zip(SIZES, SIZES[1:])]
    moments = [[np.zeros_like(p), np.zeros_like(p)] for layer in layers for p in layer]
    step = 0
    for epoch in range(epochs):
        rate = 3e-3 * (1 - epoch / epochs)
        for chosen in np.split(rng.permutation(len(x)), range(batch, len(x), batch)):
            images = attack(layers, x[chosen], labels[chosen], TRAINING_EPSILON, 4, rng)
            values = forward(layers, images)
            gradients, _ = backward(layers, values, cross_entropy_gradient(values[-1], labels[chosen]) / len(chosen))
            step += 1
            parameters = [p for layer in layers for p in layer]
            flat = [g for pair in gradients for g in pair]
            for parameter, gradient, (first, second) in zip(parameters, flat, moments):
                first += 0.1 * (gradient - first)
                second += 0.001 * (gradient**2 - second)
                corrected = second / (1 - 0.999**step)
                parameter -= rate * (first / (1 - 0.9**step) / (np.sqrt(corrected) + 1e-8) + 1e-3 * parameter)
    return [(w.astype(np.float32).astype(np.float64), b.astype(np.float32).astype(np.float64)) for w, b in layers]


def crown_lower(layers: Layers, rows: np.ndarray, offset: np.ndarray, bounds: list, lower, upper) -> np.ndarray:
    """Lower bounds of rows @ (output of layers) + offset over the box; bounds[k] are those of layer k's output."""
    for index in reversed(range(len(layers))):
        weight, bias = layers[index]
        offset = offset + rows @ bias
        rows = rows @ weight
        if index > 0:
            low, high = bounds[index - 1]
            unstable = (low < 0) & (high > 0)
            slope = np.where(unstable, high / np.where(unstable, high - low, 1), (low >= 0).astype(float))
            below = np.where(unstable, (high > -low).astype(float), slope)
            offset = offset + np.minimum(rows, 0) @ np.where(unstable, -slope * low, 0)
            rows = np.where(rows >= 0, rows * below, rows * slope)
    return offset + np.maximum(rows, 0) @ lower + np.minimum(rows, 0) @ upper


def margin(layers: Layers, x: np.ndarray, label: int, epsilon: float) -> float:
    """CROWN's lower bound of the smallest logit difference label - other over the box (plain float64)."""
    lower, upper = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    bounds: list = []
    for depth in range(1, len(layers)):
        identity = np.eye(SIZES[depth])
        low = crown_lower(layers[:depth], identity, np.zeros(SIZES[depth]), bounds, lower, upper)
        high = -crown_lower(layers[:depth], -identity, np.zeros(SIZES[depth]), bounds, lower, upper)
        bounds.append((low, high))
    rows = np.delete(np.eye(10)[label] - np.eye(10), label, axis=0)
    return crown_lower(layers, rows, np.zeros(9), bounds, lower, upper).min()


def write_onnx(layers: Layers, path: Path) -> None:
    nodes, constants, value = [], [], "image"
    for index, (weight, bias) in enumerate(layers, start=1):
        last = index == len(layers)
        names = [f"weight{index}", f"bias{index}"]
        constants += [numpy_helper.from_array(p.astype(np.float32), n) for p, n in zip((weight, bias), names)]
        output = "logits" if last else f"linear{index}"
        nodes.append(helper.make_node("Gemm", [value, *names], [output], name=f"gemm{index}", transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [output], [f"relu{index}"], name=f"relu{index}"))
        value = f"relu{index}"
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", SIZES[0]])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", SIZES[-1]])
    graph = helper.make_graph(nodes, "digits_mlp", [image], [logits], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def write_vnnlib(path: Path, x: np.ndarray, label: int, epsilon: Decimal, about: str) -> None:
    """The violation: an image within epsilon for which some logit reaches that of the label."""
    lines = [f"; {about}", f"; The digit {label}, every pixel within {epsilon} and in [0, 1].", ""]
    lines += [f"(declare-const X_{i} Real)" for i in range(SIZES[0])]
    lines += [f"(declare-const Y_{i} Real)" for i in range(SIZES[-1])] + [""]
    for i, pixel in enumerate(Decimal(float(p)) for p in x):  # pixels are multiples of 1/16: exact decimals
        lower, upper = max(pixel - epsilon, Decimal(0)), min(pixel + epsilon, Decimal(1))
        lines += [f"(assert (<= X_{i} {upper}))", f"(assert (>= X_{i} {lower}))"]
    others = [f"    (and (>= Y_{j} Y_{label}))" for j in range(SIZES[-1]) if j != label]
    lines += ["", "(assert (or", *others, "))", ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    rng = np.random.default_rng(0)
    digits = load_digits()
    images, labels = digits.data / 16, digits.target
    order = rng.permutation(len(images))
    training, test = order[: len(order) * 3 // 4], order[len(order) * 3 // 4 :]

    layers = train(images[training], labels[training], rng)
    write_onnx(layers, HERE / "digits_mlp.onnx")
    x, y = images[test], labels[test]
    correct = forward(layers, x)[-1].argmax(axis=1) == y
    margins = np.array([margin(layers, x[i], y[i], float(PROVED_EPSILON)) for i in range(len(test))])
    print(f"test accuracy {correct.mean():.4f}, proved by CROWN at {PROVED_EPSILON}: {(margins > 0).mean():.4f}")

    # The proved image: the median margin of those that are provable, so a typical one. The violated image: a correctly
    # classified one that this attack overturns at two thirds of the radius already.
    provable = np.flatnonzero(margins > 0)
    proved = provable[np.argsort(margins[provable])[len(provable) // 2]]
    radius = float(VIOLATED_EPSILON)
    weaker = forward(layers, attack(layers, x, y, radius * 2 / 3, 40, rng))[-1].argmax(axis=1) != y
    violated = np.flatnonzero(correct & weaker)[0]
    found = forward(layers, attack(layers, x[[violated]], y[[violated]], radius, 40, rng))[-1][0]
    print(f"proved: digit {y[proved]}, CROWN margin {margins[proved]:.3f}")
    print(f"violated: digit {y[violated]}, attack exceeds it by {found.max() - found[y[violated]]:.3f}")

    write_vnnlib(HERE / "proved.vnnlib", x[proved], y[proved], PROVED_EPSILON, "Holds: expected verdict unsat.")
    write_vnnlib(HERE / "violated.vnnlib", x[violated], y[violated], VIOLATED_EPSILON, "Fails: expected verdict sat.")


if __name__ == "__main__":
    main()
