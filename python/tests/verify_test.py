"""Properties and verdicts, and how a search is followed and ended."""

import os
import signal
import threading
import unittest

import numpy as np
from support import CNN, DIFFERENCES, DIGITS, IMAGE, MLP, main

import boundflow

PROVED, VIOLATED = DIGITS / "proved.vnnlib", DIGITS / "violated.vnnlib"


def hard_search(**arguments):
    """One that does not end within minutes, however fast splits become: over a box this wide nearly every neuron is
    unstable, and the first logit is asked to stay close above what the attack finds (22); a minute's search is still 16
    from a proof."""
    prop = boundflow.Property(center=np.full(64, 0.4), eps=1, C=-np.eye(10)[:1], offset=[27])
    return boundflow.verify(CNN, prop, **arguments)


class Verdicts(unittest.TestCase):
    def test_files_and_their_text(self):
        self.assertEqual(boundflow.verify(MLP, PROVED).verdict, "unsat")
        network = boundflow.load(MLP)
        for prop in (str(PROVED), boundflow.Property(PROVED), boundflow.Property(text=PROVED.read_text())):
            self.assertEqual(boundflow.verify(network, prop).verdict, "unsat")

    def test_boxes(self):
        ball = boundflow.Property(center=IMAGE, eps=0.04, C=DIFFERENCES)
        self.assertEqual(boundflow.verify(MLP, ball).verdict, "unsat")
        lower, upper = np.clip(IMAGE - 0.04, 0, 1), np.clip(IMAGE + 0.04, 0, 1)
        self.assertEqual(boundflow.verify(MLP, boundflow.Property(lower=lower, upper=upper, C=DIFFERENCES)).verdict, "unsat")
        # The offset counts: no margin is above 1000.
        far = boundflow.Property(center=IMAGE, eps=0.04, C=DIFFERENCES, offset=np.full(9, -1000.0))
        self.assertEqual(boundflow.verify(MLP, far).verdict, "sat")

    def test_a_margin_of_zero_violates(self):
        # At one point the margin is a float32 number: less by it, nothing is left above zero.
        network = boundflow.load(MLP)
        margin = network.evaluate(IMAGE) @ DIFFERENCES[0]
        for offset, verdict in ((-margin[0] - 0.01, "sat"), (-margin[0] + 0.01, "unsat")):
            prop = boundflow.Property(center=IMAGE, eps=0, C=DIFFERENCES[0], offset=[offset])
            self.assertEqual(boundflow.verify(network, prop).verdict, verdict)

    def test_the_witness_violates(self):
        found = boundflow.verify(MLP, VIOLATED)
        self.assertEqual((found.verdict, found.reason), ("sat", ""))
        self.assertEqual((found.witness.shape, found.witness_output.shape), ((64,), (10,)))
        np.testing.assert_allclose(boundflow.load(MLP).evaluate(found.witness)[0], found.witness_output, rtol=1e-4, atol=1e-4)
        self.assertEqual([float(x) for x in found.witness_decimals], found.witness.tolist())
        proved = boundflow.verify(MLP, PROVED)
        self.assertIsNone(proved.witness)
        self.assertEqual(proved.witness_decimals, [])

    def test_statistics(self):
        found = boundflow.verify(MLP, PROVED, seed=3, threads=1)
        self.assertEqual(found.statistics["verdict"], "unsat")
        self.assertEqual((found.statistics["seed"], found.statistics["threads"]), (3, 1))
        self.assertIn("tree", found.statistics["statistics"])

    def test_wrong_properties(self):
        for error, arguments in [
            (boundflow.UsageError, {}),
            (boundflow.UsageError, {"vnnlib": PROVED, "text": "x"}),
            (boundflow.UsageError, {"center": IMAGE, "eps": 0.1}),
            (boundflow.UsageError, {"center": IMAGE, "C": DIFFERENCES}),
            (boundflow.UsageError, {"vnnlib": PROVED, "C": DIFFERENCES}),
        ]:
            with self.subTest(arguments), self.assertRaises(error):
                boundflow.Property(**arguments)
        for message, arguments in [
            ("center has 3 elements", {"center": IMAGE[:3], "eps": 0.1, "C": DIFFERENCES}),
            ("specification", {"center": IMAGE, "eps": 0.1, "C": DIFFERENCES[:, :9]}),
            ("offset has 2", {"center": IMAGE, "eps": 0.1, "C": DIFFERENCES, "offset": [1, 2]}),
            ("radius", {"center": IMAGE, "eps": float("nan"), "C": DIFFERENCES}),
            ("absent.vnnlib", {"vnnlib": "absent.vnnlib"}),
            ("<text>:1:1", {"text": "nonsense"}),
        ]:
            with self.subTest(message), self.assertRaisesRegex(boundflow.InputError, message):
                boundflow.verify(MLP, boundflow.Property(**arguments))
        with self.assertRaisesRegex(boundflow.UsageError, "proves nothing"):
            boundflow.verify(MLP, PROVED, semantics="nominal")


class Ends(unittest.TestCase):
    def test_a_time_limit_is_a_verdict(self):
        found = hard_search(timeout=0.5)
        self.assertEqual(found.verdict, "timeout")
        self.assertGreater(found.progress.open, 0)

    def test_progress_is_told_on_the_calling_thread(self):
        seen = []
        hard_search(timeout=1, progress=lambda p: seen.append((threading.get_ident(), p.elapsed_s, p.open)))
        self.assertGreater(len(seen), 2)
        self.assertEqual({thread for thread, _, _ in seen}, {threading.get_ident()})
        self.assertEqual(sorted(seen, key=lambda s: s[1]), seen)

    def test_what_a_callback_raises_ends_the_search(self):
        def refuse(progress):
            raise LookupError("enough")

        with self.assertRaisesRegex(LookupError, "enough"):
            hard_search(timeout=600, progress=refuse)

    def test_a_callback_may_ask_questions(self):
        answers = []

        def ask(progress):
            answers.append(boundflow.bounds(MLP, center=IMAGE, eps=0.01)[0][0, 0])

        hard_search(timeout=0.5, progress=ask)
        self.assertEqual(len(set(answers)), 1)

    def test_the_keyboard_ends_the_search(self):
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            hard_search(timeout=600)
        timer.join()
        self.assertEqual(boundflow.verify(MLP, PROVED).verdict, "unsat")

    def test_other_handlers_run_and_the_search_goes_on(self):
        seen = []
        before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)  # before that of the handler
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        self.assertEqual(hard_search(timeout=1).verdict, "timeout")
        self.assertEqual(seen, [signal.SIGALRM])

    def test_other_threads_run_meanwhile(self):
        ticks, stop = [], threading.Event()

        def tick():
            while not stop.wait(0.01):
                ticks.append(1)

        other = threading.Thread(target=tick)
        other.start()
        hard_search(timeout=1)
        stop.set()
        other.join()
        self.assertGreater(len(ticks), 3)


if __name__ == "__main__":
    main()
