"""The examples: certified accuracy is what the command says of each image, and the scripts run."""

import os
import subprocess
import sys
import tempfile
import unittest
from decimal import Decimal
from pathlib import Path

import numpy as np
from support import CNN, DIGITS, MLP, main

import boundflow

sys.path.insert(0, str(DIGITS))
import certified_accuracy as example  # noqa: E402

COMMAND = os.environ.get("BOUNDFLOW_COMMAND", "boundflow")


def write_vnnlib(path: Path, lower: np.ndarray, upper: np.ndarray, label: int) -> None:
    """Some logit reaches that of the label. The ends of the box are written digit by digit."""
    lines = [f"(declare-const X_{i} Real)" for i in range(64)] + [f"(declare-const Y_{j} Real)" for j in range(10)]
    for i in range(64):
        lines += [f"(assert (>= X_{i} {Decimal(float(lower[i])):f}))", f"(assert (<= X_{i} {Decimal(float(upper[i])):f}))"]
    others = " ".join(f"(and (>= Y_{j} Y_{label}))" for j in range(10) if j != label)
    path.write_text("\n".join([*lines, f"(assert (or {others}))", ""]))


class CertifiedAccuracy(unittest.TestCase):
    def test_it_is_the_commands_image_by_image(self):
        for path, radius, count in ((MLP, 0.05, 150), (CNN, 0.04, 60)):
            network, images = boundflow.load(path), example.test_set(count)
            robust = example.survive_attack(network, images, radius)
            certified = example.certify(network, images, radius, robust, timeout=60)
            lower, upper = images.boxes(radius)
            proved = []
            with tempfile.TemporaryDirectory() as folder:
                prop = Path(folder) / "image.vnnlib"
                for k in range(count):
                    write_vnnlib(prop, lower[k], upper[k], images.labels[k])
                    command = [COMMAND, "verify", path, prop, "--timeout", "60"]
                    verdict = subprocess.run(command, check=True, text=True, capture_output=True).stdout.split("\n")[0]
                    self.assertIn(verdict, ("sat", "unsat"), (path.name, k))
                    proved.append(verdict == "unsat")
            np.testing.assert_array_equal(certified, proved, path.name)
            self.assertTrue((certified <= robust).all())
            self.assertTrue(0 < certified.sum() < count)  # both kinds occur

    def test_the_script_runs(self):
        command = [sys.executable, DIGITS / "certified_accuracy.py", "--images", "40", "--radii", "0", "0.03"]
        printed = subprocess.run(command, check=True, text=True, capture_output=True)
        self.assertEqual(printed.stderr, "")
        self.assertEqual(len(printed.stdout.splitlines()), 4)


if __name__ == "__main__":
    main()
