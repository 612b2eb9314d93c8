"""One normal form: a module, and what torch's exporters make of it, are the same network and get the same bounds."""

import tempfile
import unittest
from pathlib import Path

import numpy as np
from support import main, shared_folder
from torch_support import environment  # noqa: F401  before torch

import torch
from torch_support.architectures import ARCHITECTURES, BATCH_NORM, build
from torch_support.exporters import by_dynamo, by_file, by_script
from torch_support.onnx_module import OnnxModule

import boundflow

SHARED = shared_folder()


def bounds_of(network, center, **options):
    found = boundflow.bounds(network, center=center, eps=0.05, details=True, **options)
    return np.stack([found.lower, found.upper, found.lower_error, found.upper_error])


class SameNetwork(unittest.TestCase):
    def expect_same(self, networks, center):
        first = networks[0]
        self.assertTrue(np.isfinite(bounds_of(first, center)).all())
        for other in networks[1:]:
            self.assertEqual(other.structural_hash(), first.structural_hash(),
                             first.text(normal=True) + other.text(normal=True))
            self.assertEqual(other.content_hash(), first.content_hash())
            for method in ("ibp", "crown"):
                a, b = (bounds_of(n, center, method=method) for n in (first, other))
                self.assertTrue(np.array_equal(a, b), method)  # to the bit


class Architectures(SameNetwork):
    def test_all(self):
        for name in ARCHITECTURES:
            module, example = build(name)
            with self.subTest(name):
                self.expect_same([boundflow.from_torch(module, example), by_script(module, example),
                                  by_dynamo(module, example)], example)

    def test_what_torch_writes_by_default(self):
        module, example = build("mlp")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.onnx"
            self.expect_same([boundflow.from_torch(module, example), by_file(module, example, str(path))], example)
            # The file's weights lie beside it, where the other cases have one file.
            self.assertEqual([file.name for file in path.parent.iterdir() if file != path], ["net.onnx.data"])

    def test_other_weights_have_the_same_structure(self):
        for name in ("mlp", "resnet"):
            one, two = (boundflow.from_torch(*build(name, seed)) for seed in (0, 1))
            self.assertEqual(one.structural_hash(), two.structural_hash())
            self.assertNotEqual(one.content_hash(), two.content_hash())

    def test_other_architectures_have_another_structure(self):
        hashes = [boundflow.from_torch(*build(name)).structural_hash()
                  for name in ("mlp", "mlp_tanh", "cnn_max_pool", "cnn_average_pool", "cnn_dropout", "dense")]
        self.assertEqual(hashes[2], hashes[4])  # dropout is nothing
        self.assertEqual(len(set(hashes)), 5)


class BatchNorm(SameNetwork):
    def test_an_exporter_that_keeps_it(self):
        for name in BATCH_NORM:
            module, example = build(name)
            kept = by_script(module, example, training=torch.onnx.TrainingMode.PRESERVE)
            with self.subTest(name):
                self.expect_same([boundflow.from_torch(module, example), kept], example)

    def test_exporters_that_round_it_into_weights(self):
        for name in BATCH_NORM:
            module, example = build(name)
            network = boundflow.from_torch(module, example)
            for export in (by_script, by_dynamo):
                exported = export(module, example)
                with self.subTest(name, export=export.__name__):
                    self.assertEqual(exported.structural_hash(), network.structural_hash())
                    a, b = (bounds_of(n, example, semantics="nominal") for n in (network, exported))
                    self.assertLessEqual(np.abs(a - b).max(), 1e-5 * (1 + np.abs(a).max()))


@unittest.skipIf(SHARED is None, "no shared golden data")
class Golden(SameNetwork):
    def expect_same_as_file(self, path, exporters):
        original = boundflow.load(path)
        module = OnnxModule(path).eval()
        torch.manual_seed(0)
        example = torch.rand(module.input_shape)
        networks = [original, boundflow.from_torch(module, example, batched=False)]
        networks += [export(module, example) for export in exporters]
        self.expect_same(networks, example)

    def test_small(self):
        files = sorted((SHARED / "golden" / "small").glob("*.onnx"))
        self.assertGreaterEqual(len(files), 16)
        for path in files:
            # Here the exporters round batch-norm into weights.
            exporters = [] if path.stem == "cnn_batchnorm" else [by_script, by_dynamo]
            with self.subTest(path.stem):
                self.expect_same_as_file(path, exporters)

    def test_large(self):
        files = {str(np.load(f)["onnx"]) for f in (SHARED / "golden" / "large").glob("*.npz")}
        self.assertGreaterEqual(len(files), 6)
        for file in sorted(files):
            with self.subTest(file):
                self.expect_same_as_file(SHARED / "instances" / file, [by_script, by_dynamo])


if __name__ == "__main__":
    main()
