"""A module as a graph of core ATen operations: torch.export, in evaluation mode."""

import contextlib
import warnings

import torch

from boundflow._boundflow import UnsupportedError

# Operations that ONNX has as such: taken apart they would only have to be put together again.
_KEPT = ("linear.default", "matmul.default", "avg_pool1d.default", "max_pool1d.default", "adaptive_avg_pool1d.default")


@contextlib.contextmanager
def evaluation_mode(module: torch.nn.Module):
    """Puts the module and its submodules into evaluation mode; afterwards each is in the mode that it was in."""
    training = [part for part in module.modules() if part.training]
    if any(_differs_in_training(part) for part in training):
        warnings.warn(
            "the module is in training mode; the network is that of evaluation mode, as after module.eval(): without "
            "dropout, with the running statistics of batch-norm", UserWarning, stacklevel=4)
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True


def _differs_in_training(module):
    return isinstance(module, (torch.nn.modules.dropout._DropoutNd, torch.nn.modules.batchnorm._NormBase))


def export(module: torch.nn.Module, example: torch.Tensor) -> torch.export.ExportedProgram:
    """The module as core ATen operations on inputs of the example's shape.

    UnsupportedError where torch.export refuses it, with what torch says.
    """
    table = torch.export.default_decompositions()
    for name in _KEPT:
        packet, overload = name.split(".")
        table.pop(getattr(getattr(torch.ops.aten, packet), overload), None)
    try:
        with torch.no_grad():
            return torch.export.export(module, (example,)).run_decompositions(table)
    except Exception as error:  # torch.export raises errors of many kinds, those of the module's own code among them
        text = str(error).strip() or type(error).__name__
        raise UnsupportedError(f"torch.export does not take the module: {text}") from error
