#!/usr/bin/env python3
"""Checks that no type and no inline function is defined twice under one name (C++'s one-definition rule).

No compiler or linker reports it: of two types of one name the linker keeps the destructor of either, for both. Prints
file:line of each definition after the first, exit code 1.

Usage: check_definitions.py [--root DIR]
"""

import argparse
import re
import sys
from pathlib import Path

FOLDERS = ["src", "include", "tools", "python", "tests", "bench"]
KINDS = {".cpp", ".hpp", ".h"}

# The format puts what lies in a namespace, and the brace that ends one, at the beginning of a line.
NAMESPACE = re.compile(r"(?:inline )?namespace ?([\w:]*) ?\{(\s*\})?")
NAMESPACE_END = re.compile(r"\}  // namespace")
TYPE = re.compile(r"(?:struct|class|enum class|enum|union) (\w+)(?: final)?(?: :| \{|$)")
INLINE = re.compile(r"inline [^=;]*?(\w+\([^{;]*)(?!.*;$)")


def definitions(text: str) -> list[tuple[str, int]]:
    """Qualified names with their lines, of what other files can see: nothing of unnamed namespaces."""
    found: list[tuple[str, int]] = []
    namespaces: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if opened := NAMESPACE.match(line):
            if not opened.group(2):
                namespaces.append(opened.group(1))
        elif NAMESPACE_END.match(line):
            namespaces.pop()
        elif "" not in namespaces:
            if defined := TYPE.match(line) or INLINE.match(line):
                found.append(("::".join([*namespaces, defined.group(1).strip()]), number))
    return found


def check(root: Path) -> list[str]:
    first: dict[str, str] = {}
    violations: list[str] = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in KINDS:
                continue
            file = path.relative_to(root).as_posix()
            for name, line in definitions(path.read_text(encoding="utf-8")):
                place = f"{file}:{line}"
                before = first.setdefault(name, place)
                if before != place:
                    violations.append(f"{place}: {name} is defined in {before}, too: give one of them another name")
    return violations


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    violations = check(parser.parse_args().root)
    print("\n".join(violations), end="\n" if violations else "")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
