"""The command `boundflow`, which is a program of its own beside this module."""

import os
import sys
from pathlib import Path


def main() -> None:
    program = Path(__file__).with_name("bin") / "boundflow"
    os.execv(program, ["boundflow", *sys.argv[1:]])
