#!/usr/bin/env python3
"""Makes PyPI's torch importable without the CUDA libraries that its wheel for Linux asks for.

    torch_without_cuda.py SITE_PACKAGES

On a machine without a GPU none of CUDA is used, but the dynamic loader wants its libraries, more than two gigabytes of
them. This writes small libraries of their names beside torch's own, in which every function that torch refers to
answers that there is no device. For tests on CPUs only: what such a torch says of CUDA means nothing.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

NO_DEVICE = 100  # cudaErrorNoDevice, CUDA_ERROR_NO_DEVICE
ABSENT = re.compile(r"lib(cu|nv|nccl)[^/]*\.so\.\d+$")
SYMBOL = re.compile(r"(__cuda|cu|nccl|nv)\w+$")


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wanted(library):
    """The libraries that `library` needs and does not bring, and its undefined symbols as (name, version) pairs."""
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "-Wd", library))
    symbols = re.findall(r" UND (\S+?)(?:@(\S+))?(?: \(\d+\))?$", output_of("readelf", "-W", "--dyn-syms", library), re.M)
    return {name for name in needed if ABSENT.match(name)}, set(symbols)


def versions_by_library(library):
    """Which library defines which versions of symbols, as `library` has it: {version: library}."""
    found, owner = {}, None
    for line in output_of("objdump", "-p", library).splitlines():
        if match := re.match(r"\s*required from (\S+):", line):
            owner = match[1]
        elif owner and (match := re.match(r"\s+0x\w+ 0x\w+ \d+ (\S+)", line)):
            found[match[1]] = owner
    return found


def write_library(path, symbols):
    """A shared library of functions, given as (name, version) pairs, that all return NO_DEVICE or an empty text."""
    versions = {version for _, version in symbols if version}
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "absent.c")
        source.write_text("".join(
            f'const char* {name}(void) {{ return ""; }}\n' if "String" in name or "ErrorName" in name
            else f"long {name}(void) {{ return {NO_DEVICE}; }}\n"
            for name in sorted({name for name, _ in symbols})))
        script = pathlib.Path(folder, "versions")
        script.write_text("".join(
            f"{version} {{ {' '.join(f'{name};' for name, v in sorted(symbols) if v == version)} }};\n"
            for version in sorted(versions)))
        options = [f"-Wl,--version-script={script}"] if versions else []
        subprocess.run(["cc", "-shared", "-fPIC", "-w", "-fno-builtin", f"-Wl,-soname,{path.name}", *options,
                        source, "-o", path], check=True)


def main(site_packages):
    folder = pathlib.Path(site_packages, "torch", "lib")
    libraries = [path for path in folder.glob("*.so*") if not ABSENT.match(path.name)]
    absent, symbols, owners = set(), set(), {}
    for library in libraries:
        names, undefined = wanted(library)
        absent |= names
        symbols |= undefined
        owners |= versions_by_library(library)
    for name in sorted(absent):
        mine = {(s, v) for s, v in symbols if v and owners.get(v) == name}
        # Symbols without a version belong to one of the libraries without versions, and which one does not matter.
        write_library(folder / name, mine or {(s, v) for s, v in symbols if not v and SYMBOL.match(s)})


if __name__ == "__main__":
    main(sys.argv[1])
