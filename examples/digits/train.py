"""Trains the example networks, writes two properties of each, and the images that they were not trained on.

Two ReLU networks for scikit-learn's 8x8 digits: digits_mlp, fully connected (64-32-16-10), and digits_cnn, two
convolutions and a layer of logits. Both are trained on images perturbed by projected gradient descent, so that their
robustness can be proved. Deterministic for given versions of the packages. The files it writes are in git; run it only
to change them:

    python3 -m venv .venv && .venv/bin/pip install numpy scikit-learn onnx && .venv/bin/python examples/digits/train.py
"""

from decimal import Decimal
from pathlib import Path

import numpy as np
from files import write_onnx, write_vnnlib
from network import Conv, Dense, attack, forward, margin, matrices, train
from sklearn.datasets import load_digits

HERE = Path(__file__).resolve().parent
TRAINING_EPSILON = 0.05
PROVED_EPSILON = Decimal("0.04")
VIOLATED_EPSILON = Decimal("0.15")


def fully_connected(rng) -> list:
    return [Dense.random(64, 32, rng), Dense.random(32, 16, rng), Dense.random(16, 10, rng)]


def convolutional(rng) -> list:
    return [Conv.random(1, 4, 8, 1, rng), Conv.random(4, 8, 8, 2, rng), Dense.random(8 * 4 * 4, 10, rng)]


def shuffled_digits(rng) -> tuple[np.ndarray, np.ndarray, int]:
    """Images [n, 64] of pixels 0..16, their labels, and how many of them are for training."""
    digits = load_digits()
    order = rng.permutation(len(digits.data))
    return digits.data[order], digits.target[order], len(order) * 3 // 4


def write_test_set() -> None:
    images, labels, training = shuffled_digits(np.random.default_rng(0))
    np.savez_compressed(HERE / "test_set.npz", images=images[training:].astype(np.uint8),
                        labels=labels[training:].astype(np.uint8))


def make(name: str, prefix: str, build, epochs: int) -> None:
    """NAME.onnx, PREFIXproved.vnnlib and PREFIXviolated.vnnlib; for the proved one also the image in the middle of the
    box, and the differences of logits that have to be positive."""
    rng = np.random.default_rng(0)
    pixels, labels, training = shuffled_digits(rng)
    images = pixels / 16

    layers = build(rng)
    train(layers, images[:training], labels[:training], TRAINING_EPSILON, epochs, rng)
    write_onnx(layers, HERE / f"{name}.onnx")
    network = matrices(layers)
    x, y = images[training:], labels[training:]
    correct = forward(network, x)[-1].argmax(axis=1) == y
    margins = np.array([margin(network, x[i], y[i], float(PROVED_EPSILON)) for i in range(len(x))])
    proved_share = (margins > 0).mean()
    print(f"{name}: test accuracy {correct.mean():.4f}, proved by CROWN at {PROVED_EPSILON}: {proved_share:.4f}")

    # The proved image: the median margin of those that are provable, so a typical one. The violated image: a correctly
    # classified one that this attack overturns at two thirds of the radius already.
    provable = np.flatnonzero(margins > 0)
    proved = provable[np.argsort(margins[provable])[len(provable) // 2]]
    radius = float(VIOLATED_EPSILON)
    weaker = forward(network, attack(network, x, y, radius * 2 / 3, 40, rng))[-1].argmax(axis=1) != y
    violated = np.flatnonzero(correct & weaker)[0]
    found = forward(network, attack(network, x[[violated]], y[[violated]], radius, 40, rng))[-1][0]
    print(f"proved: digit {y[proved]}, CROWN margin {margins[proved]:.3f}")
    print(f"violated: digit {y[violated]}, attack exceeds it by {found.max() - found[y[violated]]:.3f}")

    differences = np.delete(np.eye(10)[y[proved]] - np.eye(10), y[proved], axis=0)
    np.save(HERE / f"{prefix}image.npy", x[proved].astype(np.float32))
    np.save(HERE / f"{prefix}differences.npy", differences.astype(np.float32))
    write_vnnlib(HERE / f"{prefix}proved.vnnlib", x[proved], y[proved], PROVED_EPSILON, "Holds: expected verdict unsat.")
    write_vnnlib(
        HERE / f"{prefix}violated.vnnlib", x[violated], y[violated], VIOLATED_EPSILON, "Fails: expected verdict sat."
    )


def main() -> None:
    write_test_set()
    make("digits_mlp", "", fully_connected, epochs=150)
    make("digits_cnn", "cnn_", convolutional, epochs=40)


if __name__ == "__main__":
    main()
