"""Specifications C that are asked for often."""

from __future__ import annotations

TYPE_CHECKING = False  # True to type checkers; importing `typing` would take longer than all of the package
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


def margins(label: int | ArrayLike, outputs: int) -> np.ndarray:
    """Rows C whose products with logits y are y[label] - y[other]: all positive where the class is `label`.

    label: a class, or an array of B classes. Returns float64 [outputs - 1, outputs], or [B, outputs - 1, outputs].
    Raises IndexError for a class that there is not.
    """
    import numpy as np

    labels = np.atleast_1d(np.asarray(label))
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise TypeError("label: an integer or an array [B] of integers is expected")
    if np.any((labels < 0) | (labels >= outputs)):
        raise IndexError(f"label: classes from 0 to {outputs - 1} are expected")
    identity = np.eye(outputs)
    rows = np.stack([np.delete(identity[k] - identity, k, axis=0) for k in labels])
    return rows if np.ndim(label) else rows[0]
