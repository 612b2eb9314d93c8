"""What the tests of the package share."""

import os
import sys
import unittest
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).resolve().parents[2]
DIGITS = SOURCE / "examples" / "digits"
MLP = DIGITS / "digits_mlp.onnx"
CNN = DIGITS / "digits_cnn.onnx"
IMAGE = np.load(DIGITS / "image.npy")  # float32 [64]: a 6
DIFFERENCES = np.load(DIGITS / "differences.npy")  # [9, 10]: the logit of 6 minus each of the others


def shared_folder() -> Path | None:
    """The folder of data that is not part of the project, where there is one."""
    folder = Path(os.environ.get("BOUNDFLOW_SHARED", SOURCE.parent / "shared"))
    return folder if folder.is_dir() else None


def skip_file(reason: str) -> None:
    """Ends a test file so that ctest reports it as skipped."""
    print(f"skipped: {reason}")
    sys.exit(77)


def points_in(lower, upper, count: int, rng) -> np.ndarray:
    """float32 points of a box [inputs]: half of them corners."""
    lower, upper = np.asarray(lower, np.float64), np.asarray(upper, np.float64)
    inside = rng.uniform(lower, upper, (count, len(lower)))
    corners = np.where(rng.random((count, len(lower))) < 0.5, lower, upper)
    points = np.where(np.arange(count)[:, None] % 2 == 0, inside, corners).astype(np.float32)
    below, above = points < lower, points > upper  # rounded out of the box
    points[below] = np.nextafter(points[below], np.float32(np.inf))
    points[above] = np.nextafter(points[above], np.float32(-np.inf))
    return points


def main() -> None:
    unittest.main(verbosity=2)
