"""Bounds: what they contain, how questions are put, and whose memory arrays are."""

import threading
import unittest

import numpy as np
from support import CNN, DIFFERENCES, IMAGE, MLP, main, points_in

import boundflow

METHODS = ("ibp", "crown-ibp", "crown", "alpha-crown")


class Soundness(unittest.TestCase):
    def test_bounds_contain_executions(self):
        rng = np.random.default_rng(0)
        for path in (MLP, CNN):
            network = boundflow.load(path)
            centers = rng.random((3, 64))
            for method in METHODS:
                lower, upper = boundflow.bounds(network, center=centers, eps=0.03, method=method)
                self.assertEqual(lower.shape, (3, 10))
                for b in range(3):
                    outputs = network.evaluate(points_in(centers[b] - 0.03, centers[b] + 0.03, 100, rng))
                    self.assertTrue((outputs >= lower[b]).all() and (outputs <= upper[b]).all(), (path.name, method))

    def test_balls_lie_in_their_box(self):
        box = boundflow.bounds(MLP, center=IMAGE, eps=0.05)
        for norm in (2, "2", 1.0, 1):
            ball = boundflow.bounds(MLP, center=IMAGE, eps=0.05, norm=norm)
            self.assertTrue((ball[0] >= box[0]).all() and (ball[1] <= box[1]).all(), norm)
        for norm in (np.inf, float("inf"), "inf"):
            np.testing.assert_array_equal(boundflow.bounds(MLP, center=IMAGE, eps=0.05, norm=norm), box)

    def test_linear_forms_hold_at_points(self):
        rng = np.random.default_rng(1)
        network = boundflow.load(CNN)
        lower, upper = np.clip(IMAGE - 0.04, 0, 1), np.clip(IMAGE + 0.04, 0, 1)
        found = boundflow.bounds(network, lower=lower, upper=upper, C=DIFFERENCES, linear_form=True, details=True)
        self.assertEqual(found.lower_form.shape, (1, 9, 64))
        points = points_in(lower, upper, 200, rng)
        rows = network.evaluate(points) @ DIFFERENCES.T
        slack = 1e-9 * (1 + np.abs(rows))  # of these products in float64
        below = points @ found.lower_form[0].T + found.lower_form_constant[0]
        above = points @ found.upper_form[0].T + found.upper_form_constant[0]
        self.assertTrue((rows >= below - slack).all() and (rows <= above + slack).all())
        self.assertTrue((below >= found.lower[0] - slack).all())

    def test_errors_are_what_semantics_adds(self):
        nominal = boundflow.bounds(MLP, center=IMAGE, eps=0.04, semantics="nominal", details=True)
        sound = boundflow.bounds(MLP, center=IMAGE, eps=0.04, details=True)
        self.assertTrue((nominal.lower_error == 0).all() and (sound.lower_error > 0).all())
        self.assertTrue((sound.lower < nominal.lower).all() and (sound.upper > nominal.upper).all())
        # Bounds of hidden neurons have errors, too, and are a little wider.
        np.testing.assert_allclose(sound.lower + sound.lower_error, nominal.lower, rtol=1e-3, atol=1e-3)

    def test_hidden_layers(self):
        rng = np.random.default_rng(2)
        layers = boundflow.layer_bounds(MLP, center=np.stack([IMAGE, IMAGE + 0.01]), eps=0.04)
        self.assertEqual([(name, lower.shape) for name, lower, _ in layers], [("linear1", (2, 32)), ("linear2", (2, 16))])
        wider = boundflow.layer_bounds(MLP, center=IMAGE, eps=0.04, method="ibp")
        self.assertGreater((wider[1][2] - wider[1][1]).mean(), (layers[1][2][:1] - layers[1][1][:1]).mean())
        with self.assertRaisesRegex(boundflow.UsageError, "alpha-crown"):
            boundflow.layer_bounds(MLP, center=IMAGE, eps=0.04, method="alpha-crown")


class Questions(unittest.TestCase):
    def setUp(self):
        self.network = boundflow.load(MLP)

    def test_specifications(self):
        centers = np.stack([IMAGE, IMAGE * 0.9])
        each = np.stack([DIFFERENCES, -DIFFERENCES])
        shared = boundflow.bounds(self.network, center=centers, eps=0.02, C=DIFFERENCES)
        own = boundflow.bounds(self.network, center=centers, eps=0.02, C=each)
        self.assertEqual(own[0].shape, (2, 9))
        np.testing.assert_array_equal(own[0][0], shared[0][0])
        np.testing.assert_allclose(own[0][1], -shared[1][1], rtol=1e-12)
        one = boundflow.bounds(self.network, center=IMAGE, eps=0.02, C=DIFFERENCES[0])
        np.testing.assert_array_equal(one[0], shared[0][:1, :1])

    def test_margins(self):
        np.testing.assert_array_equal(boundflow.margins(6, 10), DIFFERENCES)
        self.assertEqual(boundflow.margins([1, 2], 10).shape, (2, 9, 10))
        with self.assertRaises(IndexError):
            boundflow.margins(10, 10)
        with self.assertRaises(TypeError):
            boundflow.margins(0.5, 10)

    def test_boxes_and_shapes(self):
        by_ball = boundflow.bounds(self.network, center=IMAGE, eps=0.125)
        exact = IMAGE.astype(float)
        by_box = boundflow.bounds(self.network, lower=exact - 0.125, upper=exact + 0.125)
        np.testing.assert_allclose(by_ball, by_box, rtol=1e-12)  # the ball's box is rounded outward
        image = boundflow.bounds(CNN, center=IMAGE.reshape(1, 1, 8, 8), eps=0.125)
        np.testing.assert_array_equal(boundflow.bounds(CNN, center=IMAGE, eps=0.125), image)

    def test_statistics(self):
        found = boundflow.bounds(self.network, center=IMAGE, eps=0.02, details=True, threads=1, memory="500M")
        self.assertEqual((found.complete, found.reason), (1, ""))
        self.assertEqual(found.statistics["queries"], 1)
        self.assertNotIn("lower", found.statistics)
        self.assertIsNone(found.lower_form)

    def test_a_limit_leaves_bounds_unknown(self):
        found = boundflow.bounds(self.network, center=np.tile(IMAGE, (20000, 1)), eps=0.02, timeout=1e-6, details=True)
        self.assertEqual(found.reason, "timeout")
        self.assertLess(found.complete, 20000)
        self.assertTrue(np.isinf(found.lower).any())

    def test_wrong_questions(self):
        ask = lambda **arguments: boundflow.bounds(self.network, **arguments)
        for error, message, arguments in [
            (boundflow.UsageError, "one needs the other", {"center": IMAGE}),
            (boundflow.UsageError, "one needs the other", {"eps": 0.1}),
            (boundflow.UsageError, "either", {}),
            (boundflow.UsageError, "--method", {"center": IMAGE, "eps": 0.1, "method": "crowm"}),
            (boundflow.UsageError, "--norm", {"center": IMAGE, "eps": 0.1, "norm": 3}),
            (boundflow.UsageError, "--semantics", {"center": IMAGE, "eps": 0.1, "semantics": "float16"}),
            (boundflow.UsageError, "details=True", {"center": IMAGE, "eps": 0.1, "linear_form": True}),
            (boundflow.UsageError, "memory", {"center": IMAGE, "eps": 0.1, "memory": "5T"}),
            (boundflow.InputError, "radius", {"center": IMAGE, "eps": -1}),
            (boundflow.InputError, "element 0 is nan", {"center": IMAGE * np.nan, "eps": 0.1}),
            (boundflow.InputError, "exceeds the upper", {"lower": IMAGE + 1, "upper": IMAGE}),
            (boundflow.InputError, "specification", {"center": IMAGE, "eps": 0.1, "C": np.ones((2, 9))}),
            (boundflow.InputError, "^center: an array of numbers", {"center": "image", "eps": 0.1}),
            (boundflow.InputError, "^center: an array of numbers", {"center": IMAGE * 1j, "eps": 0.1}),
            (TypeError, "path is expected", {"network": 5, "center": IMAGE, "eps": 0.1}),
        ]:
            with self.subTest(message), self.assertRaisesRegex(error, message):
                arguments.pop("network", None) and boundflow.bounds(5) or ask(**arguments)


class Memory(unittest.TestCase):
    class Shared:
        """Memory that only DLPack reaches."""

        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **arguments):
            return self.array.__dlpack__(**arguments)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    def test_every_kind_of_array_asks_the_same(self):
        expected = boundflow.bounds(MLP, center=IMAGE, eps=0.02)
        column_order = np.asfortranarray(IMAGE.reshape(8, 8).T.copy().T)
        frozen = IMAGE.copy()
        frozen.flags.writeable = False
        for center in (IMAGE.astype(float), IMAGE.tolist(), column_order, np.repeat(IMAGE, 2)[::2], frozen,
                       self.Shared(IMAGE), IMAGE.astype(np.float16), memoryview(IMAGE)):
            np.testing.assert_array_equal(boundflow.bounds(MLP, center=center, eps=0.02), expected)

    def test_numbers_of_numpy_are_numbers(self):
        expected = boundflow.bounds(MLP, center=IMAGE, eps=0.25)
        np.testing.assert_array_equal(boundflow.bounds(MLP, center=IMAGE, eps=np.float32(0.25), norm=np.inf), expected)
        np.testing.assert_array_equal(boundflow.bounds(MLP, center=IMAGE, eps=np.array(0.25), threads=np.int64(1)), expected)

    def test_results_own_memory_that_dlpack_shares(self):
        lower, upper = boundflow.bounds(MLP, center=IMAGE, eps=0.02)
        shared = np.from_dlpack(lower)
        lower[0, 0] = 7
        self.assertEqual(shared[0, 0], 7)
        self.assertFalse(np.shares_memory(lower, upper))

    def test_threads_ask_one_network_at_the_same_time(self):
        network = boundflow.load(CNN)
        centers = np.random.default_rng(3).random((4, 64))
        expected = [boundflow.bounds(network, center=c, eps=0.02) for c in centers]
        found = [None] * 4

        def ask(k):
            for _ in range(20):
                found[k] = boundflow.bounds(network, center=centers[k], eps=0.02)

        callers = [threading.Thread(target=ask, args=(k,)) for k in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        np.testing.assert_array_equal(found, expected)


if __name__ == "__main__":
    main()
