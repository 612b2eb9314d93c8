"""The original auto_LiRPA, where it can be imported. Its release on PyPI is older than the torch of the tests, and uses a
few names that torch and numpy have moved since."""

import importlib
import sys
import types
import warnings

import numpy as np
import torch


def _put_back_old_names():
    # By import_module: torch.onnx has attributes of these names that are other modules.
    symbolic_helper, utils = (importlib.import_module(f"torch.onnx.{name}") for name in ("symbolic_helper", "utils"))
    from torch.onnx._internal.torchscript_exporter import utils as script_utils
    from torch.onnx._internal.torchscript_exporter._globals import GLOBALS

    arrays = types.ModuleType("numpy.lib.arraysetops")
    arrays.isin = np.isin
    sys.modules.setdefault("numpy.lib.arraysetops", arrays)

    def set_opset(version):
        GLOBALS.export_onnx_opset_version = version

    symbolic_helper._set_opset_version = set_opset
    utils._optimize_graph = script_utils._optimize_graph
    torch._C.Node.__getitem__ = lambda node, name: getattr(node, node.kindOf(name))(name)


def original():
    """The module auto_LiRPA, or None, and why."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _put_back_old_names()
            import auto_LiRPA
            import auto_LiRPA.perturbations
    except (ImportError, AttributeError) as error:
        return None, f"auto_LiRPA cannot be imported: {error}"
    return auto_LiRPA, ""
