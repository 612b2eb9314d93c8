"""Pictures: what is drawn is what was found."""

import unittest

import numpy as np
from support import CNN, DIGITS, IMAGE, MLP, main, skip_file

import boundflow

try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    skip_file("no matplotlib (scripts/setup.sh --python installs it)")


class Pictures(unittest.TestCase):
    def tearDown(self):
        plt.close("all")

    def draw(self, ax):
        ax.figure.canvas.draw()  # what cannot be drawn fails here
        return ax

    def test_widths_by_layer(self):
        ax = self.draw(boundflow.plot.layer_widths(MLP, ("ibp", "crown"), center=IMAGE, eps=0.03))
        layers = boundflow.layer_bounds(MLP, center=IMAGE, eps=0.03)
        np.testing.assert_allclose(ax.lines[1].get_ydata(), [(upper - lower).mean() for _, lower, upper in layers])
        self.assertEqual([line.get_label() for line in ax.lines], ["ibp", "crown"])
        self.assertGreater(ax.lines[0].get_ydata()[1], ax.lines[1].get_ydata()[1])

    def test_accuracies(self):
        _, given = plt.subplots()
        shares = {"clean": [1, 1], "PGD": [1, 0.9], "certified": [1, 0.7]}
        ax = self.draw(boundflow.plot.certified_accuracy([0, 0.1], shares, ax=given))
        self.assertIs(ax, given)
        self.assertEqual(ax.lines[2].get_ydata().tolist(), [1, 0.7])

    def test_a_search(self):
        prop = boundflow.Property(center=np.full(64, 0.4), eps=0.4, C=-np.eye(10)[:1], offset=[20])
        found = boundflow.verify(CNN, prop, branching="activation", timeout=60)
        tree = found.statistics["statistics"]["tree"]
        ax = self.draw(boundflow.plot.search_tree(found))
        heights = [bar.get_height() for bar in ax.containers[0]]
        self.assertEqual(heights, tree["closed"])
        ax = self.draw(boundflow.plot.bounds_over_time(found))
        self.assertEqual(len(ax.lines[0].get_xdata()), len(found.statistics["statistics"]["samples"]))

    def test_a_search_that_ends_at_once(self):
        found = boundflow.verify(MLP, DIGITS / "proved.vnnlib")
        self.draw(boundflow.plot.search_tree(found))
        self.draw(boundflow.plot.bounds_over_time(found))


if __name__ == "__main__":
    main()
