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

# Loaded when they are first used, with what they import: the module that has it.
_LAZY = {"auto_lirpa": "auto_lirpa", "from_torch": "torch_frontend", "plot": "plot"}


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        loaded = importlib.import_module(f".{_LAZY[name]}", __name__)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(f"boundflow.{name} needs torch: pip install torch") from error
    return loaded.from_torch if name == "from_torch" else loaded


def __dir__():
    return __all__
