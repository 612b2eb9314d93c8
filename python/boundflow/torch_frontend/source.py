"""Where a node of an exported program comes from, in its user's terms."""

import os
import re
from dataclasses import dataclass

import torch

_FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+), in .*\n\s*(?P<text>.*)')
_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep


@dataclass(frozen=True)
class Source:
    """A line of the user's code and the submodule that it ran in; either may be unknown."""

    file: str = ""
    line: int = 0
    text: str = ""
    module: str = ""  # its path, such as "features.0"
    module_class: str = ""

    def label(self) -> str:
        """What nodes of the network have behind their names: "net.py:12, features.0"."""
        parts = [f"{os.path.basename(self.file)}:{self.line}"] if self.file else []
        return ", ".join(parts + ([self.module] if self.module else []))

    def __str__(self) -> str:
        parts = [f"at {self.file}:{self.line}: {self.text}"] if self.file else []
        if self.module:
            parts.append(f"in submodule '{self.module}' ({self.module_class})")
        return ", ".join(parts)


def source_of(node: torch.fx.Node) -> Source:
    """The innermost line outside of torch, and the innermost submodule."""
    frames = [m for m in _FRAME.finditer(node.meta.get("stack_trace") or "")
              if not os.path.abspath(m["file"]).startswith(_TORCH)]
    modules = [(path, kind) for path, kind in (node.meta.get("nn_module_stack") or {}).values() if path]
    frame = frames[-1] if frames else None
    path, kind = modules[-1] if modules else ("", "")
    name = kind if isinstance(kind, str) else kind.__name__
    return Source(frame["file"] if frame else "", int(frame["line"]) if frame else 0,
                  frame["text"].strip() if frame else "", path, name.rsplit(".", 1)[-1])
