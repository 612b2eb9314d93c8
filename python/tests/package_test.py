"""The package as users get it: an sdist of the sources, a wheel of the sdist, and the wheel in a fresh environment."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

from support import DIGITS, SOURCE, main, skip_file

# What every Linux machine with Python has, or the C++ runtime; all else comes along in the wheel.
SYSTEM = re.compile(r"(lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so\.\d+|ld-linux.*|linux-vdso.*)")

USE = """
import boundflow, sys
image, network = sys.argv[1], sys.argv[2]
assert "numpy" not in sys.modules
import numpy as np
x = np.load(image)
lower, upper = boundflow.bounds(network, center=x, eps=0.04, C=boundflow.margins(6, 10))
assert (lower > 0).all()
print(boundflow.__file__)
"""


def run(*command: object, folder: Path | None = None, **environment: str) -> str:
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "LD_LIBRARY_PATH")}
    done = subprocess.run(list(map(str, command)), cwd=folder, env=kept | environment, text=True, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def hook(name: str, folder: Path, out: Path) -> Path:
    """Calls the build backend as pip does, in this Python, which has what pyproject.toml asks for."""
    program = f"import scikit_build_core.build as b, sys; print(b.{name}(sys.argv[1]))"
    # By the compiler's name in other builds, so that ccache finds what these have compiled (CMakeLists.txt).
    built = run(sys.executable, "-c", program, out, folder=folder, CMAKE_BUILD_PARALLEL_LEVEL="2",
                CXX=os.environ.get("CXX", "c++"))
    return out / built.splitlines()[-1]


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="boundflow_package_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.sdist = hook("build_sdist", SOURCE, cls.folder)
        with tarfile.open(cls.sdist) as archive:
            cls.files = archive.getnames()
            archive.extractall(cls.folder / "sources", filter="data")
        (sources,) = (cls.folder / "sources").iterdir()
        cls.wheel = hook("build_wheel", sources, cls.folder)
        shutil.rmtree(cls.folder / "sources")  # nothing may depend on it
        cls.environment = cls.folder / "environment"
        run(sys.executable, "-m", "venv", cls.environment)
        cls.python = cls.environment / "bin" / "python"
        run(cls.python, "-m", "pip", "install", "--quiet", "--no-deps", cls.wheel)

    def test_the_sdist_has_sources_only(self):
        names = [name.split("/", 1)[1] for name in self.files if "/" in name]
        self.assertIn("src/api/bounds.cpp", names)
        self.assertIn("LICENSE", names)
        unwanted = [name for name in names if re.match(r"(build|tests|bench|\.venv|\.ci|results)/", name)]
        self.assertEqual(unwanted, [])

    def test_the_wheel_is_whole(self):
        names = zipfile.ZipFile(self.wheel).namelist()
        for wanted in ("__init__.py", "_boundflow.pyi", "py.typed", "bin/boundflow", "plot.py"):
            self.assertIn(f"boundflow/{wanted}", names)
        self.assertEqual([name for name in names if "test" in name or name.endswith((".cpp", ".hpp"))], [])

    def test_nothing_is_taken_from_this_machine(self):
        # From a folder without a package of that name, which would come first.
        program = "import boundflow; print(boundflow.__path__[0])"
        package = Path(run(self.python, "-c", program, folder=self.folder).strip())
        programs = [package / "bin/boundflow", *package.glob("*.so"), *package.glob("lib/*")]
        self.assertGreater(len(programs), 4)
        for program in programs:
            for name, path in re.findall(r"(\S+) => (\S+)", run("ldd", program)):
                # Libraries find each other by the path of the program that loads them.
                if not SYSTEM.fullmatch(name) and program.parent.name != "lib":
                    self.assertEqual(Path(path).resolve().parent, (package / "lib").resolve(), (program, name))
            self.assertNotIn(str(SOURCE).encode(), program.read_bytes(), program)

    def test_it_works_from_another_folder(self):
        # numpy is what a user's pip would install; here it is borrowed, so that no network is needed.
        site = Path(run(sys.executable, "-c", "import numpy; print(numpy.__path__[0])").strip()).parent
        program = f"import sys; sys.path.append({str(site)!r})\n{USE}"
        used = run(self.python, "-c", program, DIGITS / "image.npy", DIGITS / "digits_mlp.onnx", folder=self.folder)
        self.assertIn(str(self.environment), used)

    def test_the_command_comes_along(self):
        command = self.environment / "bin" / "boundflow"
        verdict = run(command, "verify", DIGITS / "digits_mlp.onnx", DIGITS / "proved.vnnlib", folder=self.folder)
        self.assertEqual(verdict, "unsat\n")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run([command, "verify", "absent.onnx", "absent.vnnlib"], env=environment, text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("absent.onnx: cannot open", done.stderr)


if __name__ == "__main__":
    try:
        import scikit_build_core  # noqa: F401
    except ImportError:
        skip_file("no scikit-build-core (scripts/setup.sh --python installs it)")
    main()
