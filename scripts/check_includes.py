#!/usr/bin/env python3
"""Checks the rooms' include table, include cycles and file lengths. Prints file:line for each violation, exit code 1.

Usage: check_includes.py [--root DIR]
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Iterator, NamedTuple

# What a room of src/ may include beside itself; closed under transitivity. src/CMakeLists.txt links by the same table.
ROOMS: dict[str, list[str]] = {
    "base": [],
    "ir": ["base"],
    "io": ["ir"],
    "ops": ["ir"],
    "frontends": ["ops", "io"],
    "passes": ["ops"],
    "program": ["ir"],
    "domains": ["ops", "program"],
    "exec": ["program"],
    "codegen": ["exec"],
    "engine": ["domains", "exec", "passes"],
    "search": ["ir"],
    "check": ["ops", "program"],
    "report": ["ir"],
    "api": ["frontends", "engine", "search", "check", "report", "io"],
}
# Folders of these rooms do not include each other (files directly in the room are shared), but for these: the tvm
# executor takes native kernels for what it does not generate.
SEPARATE_FOLDERS = ["domains", "exec"]
FALLBACKS = {"exec/tvm": "exec/native"}
# The public headers, include/boundflow: the façade implements them, and `base` derives its errors from the public one.
PUBLIC = "boundflow"
READS_PUBLIC = ["api", "base"]
# Outside src/: exactly these. What is not named here (tests, bench) may include anything.
OUTSIDE: dict[str, list[str]] = {"tools": ["base", "api", PUBLIC], "include": [PUBLIC], "python": [PUBLIC]}
# Quoted includes that belong to no room: generated files and headers that are customarily quoted.
FOREIGN = re.compile(r".*\.pb\.h|hwy/.*")

SOURCE_KINDS = {".cpp", ".hpp", ".h", ".py", ".sh", ".cmake", ".txt", ".proto", ".md"}
CPP_KINDS = {".cpp", ".hpp", ".h"}
MOST_LINES = 800
MANY_LINES = 500

INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')


class Include(NamedTuple):
    file: str  # from the root of the project, with /
    line: int
    target: str  # as written
    quoted: bool


def closure(room: str) -> set[str]:
    allowed = {room}
    for dependency in ROOMS[room]:
        allowed |= closure(dependency)
    return allowed


def room_of(path: str) -> str:
    """The room or folder that a file belongs to: 'ir' for src/ir/network.hpp, 'tools' for tools/main.cpp."""
    parts = PurePosixPath(path).parts
    return parts[1] if parts[0] == "src" and len(parts) > 1 else parts[0]


def separate_folder(path_in_src: str) -> str | None:
    """'domains/crown' for domains/crown/relu.hpp; nothing for domains/registry.hpp or ir/tensor.hpp."""
    parts = PurePosixPath(path_in_src).parts
    return "/".join(parts[:2]) if len(parts) > 2 and parts[0] in SEPARATE_FOLDERS else None


def read_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def includes_of(root: Path, file: str) -> Iterator[Include]:
    for number, text in enumerate(read_lines(root / file), start=1):
        if match := INCLUDE.match(text):
            yield Include(file, number, match[2], match[1] == '"')


def fault(include: Include) -> str | None:
    """Why the table forbids this include, or None."""
    room = room_of(include.file)
    in_src = include.file.startswith("src/")
    if not in_src and room not in OUTSIDE:
        return None
    if in_src and room not in ROOMS:
        return f"src/{room} is not in the table of rooms"

    target_room = PurePosixPath(include.target).parts[0]
    if not in_src and target_room == room:
        return None
    if target_room not in ROOMS and target_room != PUBLIC:
        if include.quoted and not FOREIGN.fullmatch(include.target):
            return f'"{include.target}" names no room; write the path from src/'
        return None
    allowed = closure(room) if in_src else set(OUTSIDE[room])
    if room in READS_PUBLIC:
        allowed.add(PUBLIC)
    if target_room not in allowed:
        return f'{room} may not include "{include.target}" (it may: {", ".join(sorted(allowed))})'

    if in_src:
        here = separate_folder(include.file.removeprefix("src/"))
        there = separate_folder(include.target)
        if here and there and here != there and FALLBACKS.get(here) != there:
            return f'{here} may not include "{include.target}": folders of {room} are separate'
    return None


def resolve(include: Include, files: set[str]) -> str | None:
    """The project's file that an include means: beside the file, in src/, in include/ or in the top folder."""
    folder = PurePosixPath(include.file).parent
    for candidate in (folder, PurePosixPath("src"), PurePosixPath("include"), PurePosixPath(folder.parts[0]), PurePosixPath()):
        if (path := str(candidate / include.target)) in files:
            return path
    return None


def cycles(includes: list[Include], files: set[str]) -> Iterator[str]:
    """One message for each include that closes a cycle, found by a depth-first walk."""
    edges: dict[str, list[tuple[str, Include]]] = {}
    for include in includes:
        if target := resolve(include, files):
            edges.setdefault(include.file, []).append((target, include))

    finished: set[str] = set()
    for start in sorted(edges):
        if start in finished:
            continue
        path = [(start, iter(edges[start]))]
        while path:
            file, rest = path[-1]
            target, include = next(rest, (None, None))
            if target is None:
                path.pop()
                finished.add(file)
                continue
            chain = [earlier for earlier, _ in path]
            if target in chain:
                closed = chain[chain.index(target):] + [target]
                yield f"{file}:{include.line}: include cycle: {' -> '.join(closed)}"
            elif target not in finished:
                path.append((target, iter(edges.get(target, []))))


def check(root: Path, files: list[str]) -> tuple[list[str], list[str]]:
    """(violations, warnings) of the given files of a project."""
    violations: list[str] = []
    warnings: list[str] = []
    cpp_files = [file for file in files if PurePosixPath(file).suffix in CPP_KINDS]
    includes = [include for file in cpp_files for include in includes_of(root, file)]

    for include in includes:
        if reason := fault(include):
            violations.append(f"{include.file}:{include.line}: {reason}")
    violations.extend(cycles(includes, set(cpp_files)))

    for file in files:
        if PurePosixPath(file).suffix not in SOURCE_KINDS:
            continue
        count = len(read_lines(root / file))
        if count > MOST_LINES:
            violations.append(f"{file}:{count}: {count} lines, more than {MOST_LINES}")
        elif count > MANY_LINES:
            warnings.append(f"{file}:{count}: warning: {count} lines, more than {MANY_LINES}")
    return violations, warnings


def project_files(root: Path) -> list[str]:
    """What git holds or would hold: tracked files and new ones that are not ignored."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    return sorted({file for file in listed if file and (root / file).is_file()})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    violations, warnings = check(root, project_files(root))
    for line in warnings + violations:
        print(line)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
