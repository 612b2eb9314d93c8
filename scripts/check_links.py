#!/usr/bin/env python3
"""Checks that relative links of Markdown files, and files that they name in backticks, exist. Prints file:line for each
that does not; exit code 1.

Usage: check_links.py [--root DIR] FILE...
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Iterator

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# A path from the project's folder, such as `docs/soundness.md`: what begins with one of its folders.
NAMED = re.compile(r"`((?:docs|src|tests|scripts|examples|bench|include|tools|cmake)/[\w./-]+\.(?:md|py|sh|cpp|hpp|onnx|vnnlib|npy|txt))`")


def faults(root: Path, file: Path) -> Iterator[str]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        for target in LINK.findall(line):
            if "://" not in target and not (file.parent / target).exists():
                yield f"{file}:{number}: the link to {target} leads nowhere"
        for target in NAMED.findall(line):
            if not (root / target).exists():
                yield f"{file}:{number}: {target} does not exist"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("."))
    parser.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args()
    found = [fault for file in arguments.files for fault in faults(arguments.root, file)]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
