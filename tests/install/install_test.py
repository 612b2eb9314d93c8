"""Installs a build below a DESTDIR, moves it elsewhere, and uses it as others would: the command, a project that
finds the package with find_package, and a compiler line of pkg-config.

Usage: install_test.py BUILD CMAKE CXX
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
DIGITS = SOURCE / "examples" / "digits"
BUILD, CMAKE, CXX = Path(), "", ""  # from the command line


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(list(map(str, command)), env=os.environ | environment, text=True, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="boundflow_install_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        # Stripped, since debug information names the sources.
        run(CMAKE, "--install", BUILD, "--prefix", "/opt/first", "--strip", DESTDIR=str(cls.folder / "stage"))
        cls.prefix = cls.folder / "moved"
        (cls.folder / "stage/opt/first").rename(cls.prefix)
        cls.library = next(cls.prefix.rglob("libboundflow.so"))

    def consume(self, consumer: Path, **environment: str) -> None:
        answers = run(consumer, DIGITS, **environment).splitlines()
        self.assertRegex(answers[0], r"^version \d+\.\d+\.\d+$")
        self.assertEqual(len(answers), 8, answers)

    def test_the_command_verifies(self) -> None:
        answer = run(self.prefix / "bin/boundflow", "verify", DIGITS / "digits_mlp.onnx", DIGITS / "proved.vnnlib")
        self.assertEqual(answer, "unsat\n")

    def test_find_package(self) -> None:
        build = self.folder / "build"
        run(CMAKE, "-S", HERE, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_COMPILER={CXX}")
        run(CMAKE, "--build", build)
        self.consume(build / "consumer")

    def test_pkg_config(self) -> None:
        packages = next(self.prefix.rglob("boundflow.pc")).parent
        flags = run("pkg-config", "--cflags", "--libs", "boundflow", PKG_CONFIG_PATH=str(packages)).split()
        consumer = self.folder / "by_pkg_config"
        run(CXX, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", HERE / "consumer.cpp", *flags, "-o", consumer)
        self.consume(consumer, LD_LIBRARY_PATH=str(self.library.parent))

    def test_backend_tvm_is_a_component(self) -> None:
        prefix = self.folder / "with_tvm"
        shutil.copytree(self.prefix, prefix, symlinks=True)
        bounds = [prefix / "bin/boundflow", "bounds", DIGITS / "digits_mlp.onnx", "--center", DIGITS / "image.npy", "--eps",
                  "0.01", "--backend", "tvm", "--cache-dir", self.folder / "cache"]
        without = subprocess.run(list(map(str, bounds)), text=True, capture_output=True)
        self.assertEqual(without.returncode, 2, without.stderr)
        self.assertIn("--component tvm adds it to an installed BoundFlow", without.stderr)
        if not (BUILD / "src/codegen/libboundflow_tvm.so").exists():
            self.skipTest("built without TVM (scripts/setup.sh --tvm installs it)")
        run(CMAKE, "--install", BUILD, "--prefix", prefix, "--component", "tvm")
        run(*bounds)
        self.assertNotIn(str(BUILD), run("readelf", "-d", next(prefix.rglob("libboundflow_tvm.so"))))

    def test_each_header_stands_alone(self) -> None:
        headers = sorted((self.prefix / "include/boundflow").iterdir())
        self.assertEqual([h.name for h in headers], sorted(h.name for h in (SOURCE / "include/boundflow").iterdir()))
        for header in headers:
            run(CXX, "-std=c++20", "-fsyntax-only", "-I", self.prefix / "include", "-x", "c++", "-include", header,
                os.devnull)

    def test_no_file_names_the_build_or_the_sources(self) -> None:
        files = [path for path in self.prefix.rglob("*") if path.is_file()]
        self.assertGreater(len(files), 8)
        for path in files:
            content = path.read_bytes()
            for place in (BUILD, SOURCE, self.folder, Path("/opt/first")):
                self.assertNotIn(str(place).encode(), content, f"{path} names {place}")

    def test_the_library_shows_the_public_interface_only(self) -> None:
        shown = {line.split(maxsplit=2)[2] for line in run("nm", "-DC", "--defined-only", self.library).splitlines()}
        headers = "".join(h.read_text() for h in (SOURCE / "include/boundflow").iterdir())
        functions = {f"boundflow::{name}" for name in re.findall(r"^BOUNDFLOW_API .+? (\w+)\(", headers, re.M)}
        classes = re.findall(r"^class BOUNDFLOW_API (\w+)", headers, re.M)
        self.assertGreaterEqual(len(functions), 9)
        self.assertGreaterEqual(set(classes), {"Error", "StoppedError", "Model"})
        members = re.compile(rf"boundflow::({'|'.join(classes)})\b")
        names = {re.sub(r"(\[abi:\w+\])?\(.*", "", name) for name in shown}
        self.assertEqual({name for name in names if not members.search(name)}, functions)


if __name__ == "__main__":
    BUILD, CMAKE, CXX = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    unittest.main(argv=sys.argv[:1], verbosity=2)
