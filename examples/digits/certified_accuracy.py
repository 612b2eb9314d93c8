"""Certified accuracy of the digits networks over their whole test set: clean, under attack, and proved, at several radii.

    pip install . && python examples/digits/certified_accuracy.py [--network digits_cnn.onnx] [--plot accuracy.png]

An image counts as certified at a radius if every image within it, pixels in [0, 1], provably keeps its class over the
reals and in float32. CROWN's bounds prove most of them, all images in one call; what they leave open and an attack does
not overturn is searched for, image by image.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import boundflow

HERE = Path(__file__).resolve().parent
RADII = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08)


@dataclass
class Images:
    pixels: np.ndarray  # float64 [n, 64] in [0, 1], multiples of 1/16
    labels: np.ndarray  # [n]

    def __len__(self) -> int:
        return len(self.labels)

    def boxes(self, radius: float) -> tuple[np.ndarray, np.ndarray]:
        """The images within the radius, pixels in [0, 1]: lower and upper ends [n, 64]."""
        return np.maximum(self.pixels - radius, 0), np.minimum(self.pixels + radius, 1)


def test_set(count: int | None = None) -> Images:
    with np.load(HERE / "test_set.npz") as arrays:
        return Images(arrays["images"][:count] / 16, arrays["labels"][:count].astype(int))


def show_progress(done: int, of: int, what: str) -> None:
    """A bar on a terminal, silence elsewhere."""
    if sys.stderr.isatty():
        bar = "#" * (30 * done // of)
        sys.stderr.write(f"\r[{bar:30}] {done}/{of} {what}\033[K" + ("\r\033[K" if done == of else ""))
        sys.stderr.flush()


def keep_their_class(network: boundflow.Network, points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return network.evaluate(points).argmax(axis=1) == labels


def survive_attack(network: boundflow.Network, images: Images, radius: float, steps: int = 40) -> np.ndarray:
    """Which images keep their class under projected gradient descent on the margin to the strongest other class."""
    lower, upper = images.boxes(radius)
    rng = np.random.default_rng(0)
    everyone = np.arange(len(images))
    keep = keep_their_class(network, images.pixels, images.labels)
    point = rng.uniform(lower, upper)
    outputs = network.evaluate(point)
    for _ in range(steps):
        others = outputs.copy()
        others[everyone, images.labels] = -np.inf
        margin = np.zeros_like(outputs)
        margin[everyone, images.labels] = 1
        margin[everyone, others.argmax(axis=1)] = -1
        _, gradient = network.gradient(point, margin)
        point = np.clip(point - 4 * radius / steps * np.sign(gradient), lower, upper)
        outputs = network.evaluate(point)
        keep &= outputs.argmax(axis=1) == images.labels
    return keep


def certify(network: boundflow.Network, images: Images, radius: float, candidates: np.ndarray, timeout: float = 10,
            progress=show_progress) -> np.ndarray:
    """Which of the candidates provably keep their class within the radius."""
    lower, upper = images.boxes(radius)
    margins = boundflow.margins(images.labels, network.output.size)
    certified = np.zeros(len(images), bool)
    asked = np.flatnonzero(candidates)
    if len(asked):
        bounds, _ = boundflow.bounds(network, lower=lower[asked], upper=upper[asked], C=margins[asked])
        certified[asked] = (bounds > 0).all(axis=1)
    left = np.flatnonzero(candidates & ~certified)
    for done, k in enumerate(left, start=1):
        prop = boundflow.Property(lower=lower[k], upper=upper[k], C=margins[k])
        certified[k] = boundflow.verify(network, prop, timeout=timeout).verdict == "unsat"
        progress(done, len(left), f"searches at radius {radius:g}")
    return certified


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="digits_mlp.onnx", help="one of this folder (default: digits_mlp.onnx)")
    parser.add_argument("--radii", type=float, nargs="+", default=RADII)
    parser.add_argument("--images", type=int, help="only so many of the 450 images")
    parser.add_argument("--timeout", type=float, default=10, help="seconds for one search (default: 10)")
    parser.add_argument("--plot", help="draw the accuracies into this file; needs matplotlib")
    arguments = parser.parse_args()

    network = boundflow.load(HERE / arguments.network)
    images = test_set(arguments.images)
    clean = keep_their_class(network, images.pixels, images.labels)
    print(f"{arguments.network}: {len(images)} images")
    print(" radius    clean      PGD  certified  seconds")
    shares: dict[str, list[float]] = {"clean": [], "PGD": [], "certified": []}
    for radius in arguments.radii:
        begin = time.perf_counter()
        robust = survive_attack(network, images, radius)
        certified = certify(network, images, radius, robust, arguments.timeout)
        seconds = time.perf_counter() - begin
        for name, group in (("clean", clean), ("PGD", robust), ("certified", certified)):
            shares[name].append(group.mean())
        print(f"{radius:7g}  {clean.mean():7.2%}  {robust.mean():7.2%}    {certified.mean():7.2%}  {seconds:7.2f}", flush=True)
    if arguments.plot:
        ax = boundflow.plot.certified_accuracy(arguments.radii, shares)
        ax.set_title(f"{arguments.network}, {len(images)} images")
        ax.figure.savefig(arguments.plot)


if __name__ == "__main__":
    main()
