"""--backend and --cache-dir, as users meet them. Usage: cli_backend_test.py path/to/boundflow; what needs TVM is skipped
where BoundFlow is built without it."""

import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path

from command_line import DIGITS, NETWORK, OK, PROVED, USAGE, CommandLine, main, run

AROUND = ["bounds", NETWORK, "--center", DIGITS / "image.npy", "--eps", 0.01]
HOW_TO_GET = "scripts/setup.sh --tvm"


class BackendCase(CommandLine):
    def bounds(self, *options, warnings: str = "") -> dict:
        report = self.folder / "r.json"
        result = run(*AROUND, *options, "--json", report)
        self.assertEqual(result.returncode, OK, result.stderr)
        (self.assertIn if warnings else self.assertEqual)(warnings, result.stderr)
        return json.loads(report.read_text())

    def assert_close(self, a: dict, b: dict) -> None:
        for side in ["lower", "upper"]:
            for x, y in zip(a[side][0], b[side][0]):
                self.assertAlmostEqual(x, y, delta=1e-3)


class Backends(BackendCase):
    def test_native_and_reference_agree(self) -> None:
        native, reference = self.bounds(), self.bounds("--backend", "reference")
        self.assertEqual((native["executor"], reference["executor"]), ("native", "reference"))
        self.assertNotIn("kernels", native)
        self.assert_close(native, reference)

    def test_other_names_are_refused(self) -> None:
        for command in [AROUND, ["verify", NETWORK, PROVED], ["compile", NETWORK]]:
            self.assert_error(run(*command, "--backend", "cuda"), USAGE, "--backend", "native, tvm, reference or auto", "'cuda'")

    def test_without_its_library_tvm_says_how_to_get_it(self) -> None:
        self.write("libboundflow_tvm.so", "")
        result = run(*AROUND, "--backend", "tvm", env=os.environ | {"LD_LIBRARY_PATH": str(self.folder)})
        self.assert_error(result, USAGE, "--backend tvm", HOW_TO_GET)


class Tvm(BackendCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.compiled = Path(folder.name) / "cache"
        result = run(*AROUND, "--backend", "tvm", "--cache-dir", cls.compiled)
        if result.returncode == USAGE and "libboundflow_tvm.so: cannot open" in result.stderr:
            raise unittest.SkipTest("built without TVM (scripts/setup.sh --tvm installs it)")
        assert (result.returncode, result.stderr) == (OK, ""), result.stderr

    def setUp(self) -> None:
        super().setUp()
        self.cache = self.folder / "cache"
        shutil.copytree(self.compiled, self.cache)
        self.tvm = ["--backend", "tvm", "--cache-dir", self.cache]

    def count(self, report: dict, member: str) -> int:
        return sum(kernel[member] for kernel in report["kernels"])

    def test_the_second_process_compiles_nothing(self) -> None:
        report = self.bounds(*self.tvm)
        self.assertEqual(report["executor"], "tvm")
        self.assertEqual(self.count(report, "compiled"), 0)
        self.assertGreater(self.count(report, "from_disk"), 0)
        self.assertGreater(self.count(report, "calls"), 0)
        self.assertGreater(max(kernel["gflops"] for kernel in report["kernels"]), 0)
        self.assertTrue(all(0 <= kernel["share"] <= 1 for kernel in report["kernels"]))
        self.assertLessEqual(sum(kernel["share"] for kernel in report["kernels"]), 1)
        ops = {kernel["op"]: kernel for kernel in report["kernels"] if "op" in kernel}
        self.assertLessEqual({"interval_affine", "relax", "transpose", "concretize"}, set(ops))
        self.assertTrue(all(kernel["executor"] == "native" and kernel["reason"] for kernel in ops.values()))
        self.assertGreater(ops["concretize"]["calls"], 0)
        self.assert_close(report, self.bounds())

    def test_a_flipped_byte_is_reported_and_compiled_again(self) -> None:
        file = sorted(self.cache.iterdir())[0]
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        report = self.bounds(*self.tvm, warnings="damaged")
        self.assertEqual(self.count(report, "compiled"), 1)
        self.assertEqual(self.count(self.bounds(*self.tvm), "compiled"), 0)

    def test_a_folder_that_others_may_write_is_refused(self) -> None:
        self.cache.chmod(0o777)
        self.assert_error(run(*AROUND, *self.tvm), USAGE, "--cache-dir", "0700")

    def test_the_users_cache_folder_is_the_default(self) -> None:
        environment = os.environ | {"XDG_CACHE_HOME": str(self.folder / "user")}
        self.assertEqual(run(*AROUND, "--backend", "tvm", env=environment).returncode, OK)
        self.assertEqual(len(list((self.folder / "user" / "boundflow").iterdir())), len(list(self.cache.iterdir())))

    def test_verify_proves_the_same(self) -> None:
        report = self.folder / "r.json"
        result = run("verify", NETWORK, PROVED, *self.tvm, "--json", report)
        self.assertEqual((result.returncode, result.stdout), (OK, "unsat\n"))
        self.assertEqual(json.loads(report.read_text())["executor"], "tvm")

    def test_auto_says_what_it_decided_and_why(self) -> None:
        automatic = ["--backend", "auto", "--cache-dir", self.cache]
        report = self.bounds(*automatic)
        self.assertEqual(report["executor"], "auto")
        self.assertTrue(all(kernel["reason"] for kernel in report["kernels"]))
        self.assert_close(report, self.bounds())
        log = run(*AROUND, *automatic, "--log-level", "info").stderr
        self.assertIn("native", log)

    def test_tune_measures_what_others_use(self) -> None:
        tuned = run("tune", NETWORK, "--cache-dir", self.cache)
        self.assertEqual((tuned.returncode, tuned.stderr), (OK, ""))
        self.assertEqual(len([line for line in tuned.stdout.splitlines() if line.startswith("dense")]), 9)
        report = self.bounds("--backend", "auto", "--cache-dir", self.cache)
        self.assertEqual(self.count(report, "compiled"), 0)
        products = [kernel for kernel in report["kernels"] if kernel.get("map", "").startswith("dense")]
        self.assertTrue(all("rows: native" in kernel["reason"] for kernel in products))
        self.assert_close(self.bounds(*self.tvm), self.bounds())

    def test_inspect_opens_no_backend(self) -> None:
        environment = os.environ | {"LD_LIBRARY_PATH": str(self.folder)}
        self.write("libboundflow_tvm.so", "")
        self.assertEqual(run("inspect", NETWORK, "--backend", "tvm", env=environment).returncode, OK)

    def test_another_version_of_tvm_is_refused(self) -> None:
        found = list(Path(__file__).resolve().parents[2].glob(".venv/lib/*/site-packages/tvm_ffi/lib/libtvm_ffi.so"))
        if not found:
            self.skipTest("TVM lies elsewhere")
        elsewhere = self.folder / "packages" / "tvm_ffi" / "lib"
        elsewhere.mkdir(parents=True)
        shutil.copy(found[0], elsewhere)
        result = run(*AROUND, *self.tvm, env=os.environ | {"LD_LIBRARY_PATH": str(elsewhere)})
        self.assert_error(result, USAGE, "--backend tvm", "not the TVM", HOW_TO_GET)


if __name__ == "__main__":
    main()
