"""Where torch comes from. A test imports this before torch."""

import importlib.util
import logging
import os
import sys
import warnings
from pathlib import Path

from support import skip_file


def _cached() -> Path:
    """The packages that scripts/setup.sh --torch has installed for this Python."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return cache / "boundflow" / "torch" / "lib" / version / "site-packages"


if importlib.util.find_spec("torch") is None:
    if not (_cached() / "torch").is_dir():
        skip_file("no torch for this Python; scripts/setup.sh --torch installs it")
    sys.path.append(str(_cached()))
logging.disable(logging.WARNING)  # torch's, of packages that it does not find
warnings.filterwarnings("ignore", category=DeprecationWarning)
