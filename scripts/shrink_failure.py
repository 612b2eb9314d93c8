#!/usr/bin/env python3
"""Makes an input on which a fuzzer fails smaller, for as long as it fails in the same way.

Usage: shrink_failure.py TARGET FILE --out FILE [--seconds 120]

The result goes to --out: a file for tests/fuzz/corpus/onnx or vnnlib. What the fuzzers of graphs read are choices; of
those the network and the property are written instead, as OUT.onnx and OUT.vnnlib without the suffix of --out: a pair
for tests/fuzz/corpus/graphs.
"""

import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/fuzz/tests/fuzz"
GRAPHS = ["bounds", "executors", "verdict"]
LIMITS = ["-timeout=20", "-rss_limit_mb=1024", "-malloc_limit_mb=512"]
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "symbolize=0"}  # looking up names takes seconds each time
BATCH = 64  # candidates per process, which ends at the first that fails

# How a failure is told from others, best first: mostly by its place.
SIGNATURES = [
    re.compile(r"^(\S+?:\d+): Failure", re.MULTILINE),  # an expectation
    re.compile(r"(\S+:\d+:\d+): runtime error", re.MULTILINE),
    re.compile(r"SUMMARY: (AddressSanitizer: .*)$", re.MULTILINE),
    re.compile(r"ERROR: (libFuzzer: (?:timeout|out-of-memory|malloc limit))", re.MULTILINE),
    re.compile(r"what\(\):\s+([^0-9]*)", re.MULTILINE),
    re.compile(r"SUMMARY: (.*)$", re.MULTILINE),
]


def signature(output: str) -> str:
    for pattern in SIGNATURES:
        if match := pattern.search(output):
            return match[1]
    return "no message"


class Fuzzer:
    def __init__(self, target: str, folder: Path) -> None:
        self.binary = BUILD / f"fuzz_{target}"
        self.folder = folder

    def first_failure(self, inputs: list[bytes]) -> tuple[int, str] | None:
        """The index of the first input that fails, and how it does."""
        files = [self.folder / str(index) for index in range(len(inputs))]
        for file, content in zip(files, inputs):
            file.write_bytes(content)
        command = [str(self.binary), *LIMITS, f"-artifact_prefix={self.folder}/", *map(str, files)]
        run = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=ENVIRONMENT
        )
        if run.returncode == 0:
            return None
        started = re.findall(r"^Running: \S+/(\d+)$", run.stderr, re.MULTILINE)
        if not started:
            sys.exit(f"{self.binary} did not run:\n{run.stderr[-2000:]}")
        last = run.stderr.rindex("Running: ")
        return int(started[-1]), signature(run.stdout + run.stderr[last:])


def candidates(content: bytes, choices: bool) -> Iterator[bytes]:
    """Simpler inputs, those that lose most first: without a part, with a part of zeros, with a smaller byte."""
    length = len(content)
    size = length
    while size >= 1:
        for start in range(0, length, size):
            yield content[:start] + content[start + size :]
        if choices:
            for start in range(0, length, size):
                part = content[start : start + size]
                if any(part):
                    yield content[:start] + bytes(len(part)) + content[start + size :]
        size //= 2
    for at in range(length):
        for smaller in sorted({content[at] // 2, content[at] - 1} - {content[at], -1}):
            if choices:
                yield content[:at] + bytes([smaller]) + content[at + 1 :]


def shrink(fuzzer: Fuzzer, content: bytes, choices: bool, seconds: float) -> bytes:
    failure = fuzzer.first_failure([content])
    if failure is None:
        sys.exit("the fuzzer does not fail on this file")
    wanted = failure[1]
    print(f"{len(content)} bytes: {wanted}")
    deadline = time.monotonic() + seconds
    stream = candidates(content, choices)
    while time.monotonic() < deadline:
        batch = list(itertools.islice(stream, BATCH))
        if not batch:
            break
        while batch and (failure := fuzzer.first_failure(batch)):
            index, found = failure
            if found == wanted:
                content = batch[index]
                print(f"{len(content)} bytes")
                stream = candidates(content, choices)
                break
            batch = batch[index + 1 :]
    return content


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=["onnx", "vnnlib", *GRAPHS])
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=120)
    arguments = parser.parse_args()
    choices = arguments.target in GRAPHS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fuzzer = Fuzzer(arguments.target, folder)
        content = shrink(fuzzer, arguments.file.read_bytes(), choices, arguments.seconds)
        if not choices:
            arguments.out.write_bytes(content)
            return 0
        (folder / "choices").write_bytes(content)
        prefix = str(arguments.out.with_suffix(""))
        return subprocess.run(
            [str(BUILD / "write_fuzz_files"), "case", str(folder / "choices"), prefix], check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
