"""Pictures of bounds and searches, drawn with matplotlib (pip install "boundflow[plot]").

Each function draws into `ax`, or into new axes, and returns these: `.figure.savefig("name.png")` keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ._boundflow import VerifyResult, layer_bounds

try:
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise ImportError('boundflow.plot needs matplotlib: pip install "boundflow[plot]"') from error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

# Told apart by the colour-blind, too (Okabe and Ito 2008), and by shape.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = "os^Dvx"


def _axes(ax: Axes | None, title: str, x: str, y: str) -> Axes:
    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
    ax.set_title(title)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(alpha=0.3)
    ax.set_axisbelow(True)
    return ax


def _style(index: int) -> dict:
    return {"color": _COLOURS[index % len(_COLOURS)], "marker": _MARKERS[index % len(_MARKERS)]}


def layer_widths(network, methods: Sequence[str] = ("ibp", "crown"), *, ax: Axes | None = None,
                 **question) -> Axes:
    """How wide the bounds of each activation's input are, on average over neurons and input sets, by method.

    network, question: as in boundflow.layer_bounds (center= and eps=, or lower= and upper=, ...). What activations read
    is bounded by 'crown-ibp' as by 'ibp'.
    """
    ax = _axes(ax, "Bounds of hidden layers", "input of the activation", "mean width (upper - lower)")
    names: list[str] = []
    for index, method in enumerate(methods):
        layers = layer_bounds(network, method=method, **question)
        names = [name for name, _, _ in layers]
        ax.plot([np.mean(upper - lower) for _, lower, upper in layers], label=method, **_style(index))
    ax.set_yscale("log")
    ax.set_xticks(range(len(names)), [f"{k + 1}\n{name}" if len(names) < 8 else str(k + 1) for k, name in enumerate(names)])
    if methods:
        ax.legend()
    return ax


def certified_accuracy(radii: ArrayLike, accuracies: Mapping[str, ArrayLike], *, ax: Axes | None = None) -> Axes:
    """Accuracies over the radius: what an attack leaves above, what is certified below, the truth in between.

    radii: [R], in the units of the input. accuracies: by name, such as "clean", "PGD" and "certified", [R] in 0..1.
    """
    radii = np.asarray(radii, float)
    ax = _axes(ax, "Accuracy under perturbation", "radius", "share of the test set")
    curves = {name: np.asarray(values, float) for name, values in accuracies.items()}
    for index, (name, values) in enumerate(curves.items()):
        ax.plot(radii, values, label=name, **_style(index))
    if "PGD" in curves and "certified" in curves:
        ax.fill_between(radii, curves["certified"], curves["PGD"], color="0.5", alpha=0.15, lw=0, label="neither")
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set_ylim(-0.02, 1.02)
    ax.legend(loc="lower left")
    return ax


def search_tree(result: VerifyResult, *, ax: Axes | None = None) -> Axes:
    """The tree of a search by depth: of the subproblems that came into being there, how many were closed, split, or left.

    result: of boundflow.verify.
    """
    tree = result.statistics["statistics"]["tree"]
    opened, closed, splits = (np.array(tree[key], float) for key in ("opened", "closed", "splits"))
    ax = _axes(ax, f"Search tree: {result.verdict} after {result.time_s:.3g} s", "depth (splits above)", "subproblems")
    depth = np.arange(len(opened))
    below = np.zeros(len(opened))
    parts = (("closed", closed, "#009E73"), ("split", splits, "#0072B2"), ("left", opened - closed - splits, "#D55E00"))
    for name, count, colour in parts:
        count = np.maximum(count, 0)  # work that was put back is counted where it ended
        ax.bar(depth, count, bottom=below, color=colour, label=f"{name}: {count.sum():.0f}", width=0.9)
        below += count
    ax.set_xlim(-0.75, max(len(opened), 4) - 0.25)  # a single bar does not fill it
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return ax


def bounds_over_time(result: VerifyResult, *, ax: Axes | None = None) -> Axes:
    """The worst lower bound of the open subproblems over time, which proves the property above zero, and how many are open.

    result: of boundflow.verify.
    """
    samples = result.statistics["statistics"]["samples"]
    ax = _axes(ax, f"Worst bound: {result.verdict} after {result.time_s:.3g} s", "seconds", "worst lower bound")
    time = np.array([sample["time_s"] for sample in samples], float)
    worst = np.array([np.nan if sample["worst_bound"] is None else sample["worst_bound"] for sample in samples], float)
    number = np.array([sample["open"] for sample in samples], float)
    counts = ax.twinx()
    counts.fill_between(time, number, color="0.6", alpha=0.3, lw=0, step="post")
    counts.set_ylabel("open subproblems", color="0.4")
    counts.set_ylim(bottom=0)
    counts.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_zorder(counts.get_zorder() + 1)  # the bound before the counts
    ax.patch.set_visible(False)
    ax.plot(time, worst, color=_COLOURS[0], drawstyle="steps-post", marker="." if len(samples) < 30 else None)
    ax.axhline(0, color="0.2", lw=1, ls="--")
    ax.annotate("proved above", (1, 0), xycoords=("axes fraction", "data"), xytext=(-4, 4), textcoords="offset points",
                ha="right", fontsize="small", color="0.2")
    return ax
