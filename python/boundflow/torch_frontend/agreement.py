"""Whether a translated network computes what its module computes."""

import numpy
import torch

from boundflow._boundflow import InternalError

# Of outputs, relative to the largest one: executions of one network in another order are closer than this.
_TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10}
_MOST_ROWS = 8


def expect_agreement(network, module, example, rows):
    """Compares outputs at the example, and at random points about it; raises an InternalError where they differ.

    `rows`: the first dimension of the example is a batch, of which the network takes one row at a time.
    """
    generator = torch.Generator().manual_seed(0)
    scale = float(example.abs().max()) or 1.0
    noise = torch.randn(example.shape, generator=generator, dtype=example.dtype)
    for points in (example, example + scale * noise, scale * noise):
        with torch.no_grad():
            expected = module(points)
        if rows:
            points, expected = points[:_MOST_ROWS], expected[:_MOST_ROWS]
        _compare(network, points, expected, rows)


def _compare(network, points, expected, rows):
    count = len(points) if rows else 1
    got = numpy.asarray(network.evaluate(points.numpy())).reshape(count, -1)
    want = expected.detach().numpy().reshape(count, -1)
    if not numpy.isfinite(want).all():
        return  # no bound could say anything about such a point
    allowed = _TOLERANCE[points.dtype] * (1 + numpy.abs(want).max())
    gap = numpy.abs(got - want).max()
    if not gap <= allowed:
        raise InternalError(f"the network differs from the module by {gap:.3g} where {allowed:.3g} is allowed; either "
                            "the module treats the rows of a batch differently, or is not a function of its input "
                            "alone, or this is a bug of BoundFlow: please report it")
