"""Broken input: `boundflow verify` (`bounds` for archives of arrays) on every file of tests/error/corpus, against manifest.txt there.

Usage: corpus_test.py path/to/boundflow [--sanitized] [unittest arguments]. Memory and time are limited, but for
sanitizers, which reserve more than any limit allows.
"""

import re
import resource
import subprocess
import sys
import unittest
from pathlib import Path
from typing import NamedTuple

from command_line import BAD_INPUT, OK, ROOT, UNSUPPORTED, boundflow, main

CORPUS = ROOT / "tests" / "error" / "corpus"
MANIFEST = CORPUS / "manifest.txt"
PARTNERS = CORPUS / "partners"
FOLDERS = {"onnx": [".onnx", ".onnx.gz"], "vnnlib": [".vnnlib", ".vnnlib.gz"], "arrays": [".npy", ".npz"]}
VERDICTS = ["unsat", "sat", "unknown", "timeout"]
MEMORY_BYTES = 2 << 30
SECONDS = 30  # of processor time; what is refused takes far less
SANITIZED = "--sanitized" in sys.argv
if SANITIZED:
    sys.argv.remove("--sanitized")


class Entry(NamedTuple):
    line: int
    file: str
    exit_code: int
    partner: str
    message: str


def entries() -> list[Entry]:
    result = []
    for number, line in enumerate(MANIFEST.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            file, exit_code, partner, message = line.split(maxsplit=3)
            result.append(Entry(number, file, int(exit_code), partner, message.strip()))
    return result


def arguments(entry: Entry) -> list[Path | str]:
    """The command that reads the file."""
    file = CORPUS / entry.file
    network, prop = PARTNERS / "small.onnx", PARTNERS / "small.vnnlib"
    partner = None if entry.partner == "-" else PARTNERS / entry.partner
    match entry.file.split("/")[0]:
        case "onnx":
            return ["verify", file, partner or prop]
        case "vnnlib":
            return ["verify", partner or network, file]
        case "arrays" if file.suffix == ".npz":
            return ["bounds", network, "--center", file, "--eps", "0.1"]
        case "arrays":
            return ["verify", network, prop, "--observe", file]
    raise ValueError(f"{entry.file}: unknown folder")


def limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def verify(entry: Entry) -> subprocess.CompletedProcess:
    # What is refused is refused however slow the machine is; only a verdict need not be waited for.
    seconds = 3 if entry.exit_code == OK else 600
    command = [boundflow(), *map(str, arguments(entry)), "--threads", "2", "--timeout", str(seconds)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=900,
                          preexec_fn=None if SANITIZED else limit_resources)


class Corpus(unittest.TestCase):
    def test_every_file_is_in_the_manifest_once(self) -> None:
        listed = [entry.file for entry in entries()]
        self.assertEqual(sorted(listed), sorted(set(listed)), "listed twice")
        found = [f"{folder}/{path.name}" for folder in FOLDERS for path in (CORPUS / folder).iterdir()]
        self.assertEqual(sorted(listed), sorted(found))
        for file in listed:
            folder, name = file.split("/")
            self.assertTrue(any(name.endswith(suffix) for suffix in FOLDERS[folder]), file)
        self.assertGreater(len(listed), 150)

    def test_every_partner_is_used(self) -> None:
        used = {entry.partner for entry in entries()} - {"-"} | {"small.onnx", "small.vnnlib"}
        self.assertEqual(sorted(used), sorted(path.name for path in PARTNERS.iterdir()))

    def test_the_corpus_is_small(self) -> None:
        self.assertLess(sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()), 500_000)

    def test_the_partners_are_good(self) -> None:
        result = verify(Entry(0, "onnx/../partners/small.onnx", 0, "-", ""))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (OK, "unsat\n", ""))

    def test_every_file_is_handled(self) -> None:
        for entry in entries():
            with self.subTest(f"manifest.txt:{entry.line}", file=entry.file):
                self.check(entry, verify(entry))

    def check(self, entry: Entry, result: subprocess.CompletedProcess) -> None:
        self.assertEqual(result.returncode, entry.exit_code, f"{result.stdout[:200]}{result.stderr[:2000]}")
        if entry.exit_code == OK:
            verdict, _, reason = entry.message.partition(": ")
            self.assertIn(verdict, VERDICTS)
            first_line = result.stdout.split("\n")[0]
            if first_line != "timeout":  # always true, and a matter of the machine
                self.assertEqual(first_line, verdict, result.stderr)
                self.assertIn(reason, result.stderr)
            return
        self.assertIn(entry.exit_code, [BAD_INPUT, UNSUPPORTED])
        self.assertEqual(result.stdout, "", "an error prints no verdict")
        located = entry.message.startswith(":")  # line and column
        self.assertIn(entry.file + entry.message if located else entry.message, result.stderr)
        self.assertTrue(result.stderr.startswith("boundflow: "), result.stderr[:200])
        self.assertLess(len(result.stderr), 2000, "a message is for reading")
        places = [re.escape(entry.file), r"(node|constant) '.*' \(.+\): "]
        self.assertRegex(result.stderr, "|".join(places[:1] if entry.file.startswith("vnnlib") else places))


if __name__ == "__main__":
    main()
