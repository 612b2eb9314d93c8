"""torch's two exporters."""

import io
import warnings
from contextlib import redirect_stdout

import torch

import boundflow


def by_script(module, example, **options):
    """The network of torch.onnx.export(dynamo=False)."""
    file = io.BytesIO()
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (example,), file, dynamo=False, **options)
    return boundflow.load(file.getvalue())


def by_dynamo(module, example, **options):
    """The network of torch.onnx.export(dynamo=True)."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(module, (example,), dynamo=True, verbose=False, **options)
    return boundflow.load(program.model_proto.SerializeToString())


def by_file(module, example, path):
    """The network of torch.onnx.export(..., path), whatever torch writes beside that path."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (example,), path, verbose=False)
    return boundflow.load(path)
