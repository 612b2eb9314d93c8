"""BoundFlow: bounds and proofs of properties of neural networks, compiled, and sound in floating point.

    network = boundflow.load("net.onnx")
    lower, upper = boundflow.bounds(network, center=x, eps=0.01)
    boundflow.verify(network, boundflow.Property("prop.vnnlib")).verdict

Neither torch nor matplotlib is needed: `boundflow.plot` imports the latter when it is first used.
"""

import importlib

from ._boundflow import (
    Bounds,
    Error,
    InputError,
    InternalError,
    Network,
    Progress,
    Property,
    StoppedError,
    TensorInfo,
    UnsupportedError,
    UsageError,
    VerifyResult,
    __version__,
    bounds,
    layer_bounds,
    load,
    verify,
)
from .specification import margins

__all__ = [
    "Bounds",
    "Error",
    "InputError",
    "InternalError",
    "Network",
    "Progress",
    "Property",
    "StoppedError",
    "TensorInfo",
    "UnsupportedError",
    "UsageError",
    "VerifyResult",
    "__version__",
    "auto_lirpa",
    "bounds",
    "from_torch",
    "layer_bounds",
    "load",
    "margins",
    "plot",
    "verify",
]

# Loaded when they are first used, with what they import.
_LAZY_MODULES = ("auto_lirpa", "plot")


def __getattr__(name):
    if name == "from_torch":
        return importlib.import_module(".torch_frontend", __name__).from_torch
    if name in _LAZY_MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
