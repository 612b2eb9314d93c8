"""The pages of --report: what they hold, and that names from files do no harm. Usage: report_test.py path/to/boundflow"""

import itertools
import json
import re
import unittest
from pathlib import Path

from command_line import (DIGITS, NETWORK, OK, PROVED, SPLIT_INPUTS, USAGE, VIOLATED, CommandLine, deep_model, main,
                          message_of, npy, run, value_of, varint_of)
from report_page import BOTTOM, LEFT, RIGHT, TOP, ReportPage

CONVOLUTIONAL = DIGITS / "digits_cnn.onnx"
AROUND = ["--center", DIGITS / "image.npy", "--eps", 0.02]
HOSTILE = [b"<script>alert(1)</script>", b'"><img src=x onerror=alert(1)>', b"]]></style></svg><h1>", b"&lt;&#0;&bogus;",
           b"a\x01\x1b[31m\x7f", "\u202egnol\u2066\ufffe".encode(), "n" .encode() * 5000]


def relu_chain(names: list[bytes]) -> bytes:
    """An ONNX model x [1, 1] -> Relu -> ... -> y, whose nodes have the given names."""
    nodes, last = b"", b"x"
    for k, name in enumerate(names):
        out = b"y" if k + 1 == len(names) else b"h%d" % k
        nodes += message_of(1, message_of(1, last) + message_of(2, out) + message_of(3, name) + message_of(4, b"Relu"))
        last = out
    graph = nodes + message_of(2, b"g") + message_of(11, value_of(b"x", 1)) + message_of(12, value_of(b"y", 1))
    return varint_of(1, 7) + message_of(7, graph) + message_of(8, varint_of(2, 13))


class Pages(CommandLine):
    def page(self, *arguments) -> ReportPage:
        path = self.folder / "page.html"
        result = run(*arguments, "--report", path)
        self.assertEqual(result.returncode, OK, result.stderr)
        page = ReportPage(path)
        self.assert_alone(page)
        return page

    def assert_alone(self, page: ReportPage) -> None:
        """Nothing is loaded, run or sent: no tag that could, no address that is not within the page."""
        self.assertLessEqual(set(page.tags()) & {"script", "img", "link", "iframe", "object", "embed", "form", "base",
                                                 "image", "use", "foreignObject", "audio", "video"}, set())
        for element in page.root.iter():
            for name, value in element.attrib.items():
                self.assertFalse(name.startswith("on") or name in ("src", "srcset", "style", "action"), (name, value))
                if name == "href":
                    self.assertRegex(value, r"\A#[a-z0-9-]+\Z")
                if name != "content":
                    self.assertNotRegex(value, r"(?i)https?:|url\(|javascript:|data:")
        for style in page.root.iter("style"):
            self.assertNotRegex(style.text, r"(?i)http|url\(|@import|expression")
        identifiers = [element.get("id") for element in page.root.iter() if element.get("id")]
        self.assertEqual(len(identifiers), len(set(identifiers)))
        for link in page.root.iter("a"):
            self.assertIn(link.get("href")[1:], identifiers)

    def assert_storage(self, page: ReportPage, program: int) -> int:
        """Rectangles lie inside their arena, and two of them share at most the op that writes one over the other.
        Returns how many there are."""
        ops = sum(len(list(task.iter("tr"))) for task in page.tasks(program))
        op_width = (RIGHT - LEFT) / ops
        count = 0
        for rectangles in page.arenas(program):
            count += len(rectangles)
            for r in rectangles:
                self.assertGreater(r.height, 0)
                self.assertGreaterEqual(r.width, op_width - 0.02)
                self.assertTrue(LEFT - 0.02 <= r.x and r.x + r.width <= RIGHT + 0.02, r)
                self.assertTrue(TOP - 0.02 <= r.y and r.y + r.height <= BOTTOM + 0.02, r)
            self.assertAlmostEqual(min(r.y for r in rectangles), TOP, delta=0.02)
            for a, b in itertools.combinations(rectangles, 2):
                wide = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
                high = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
                self.assertFalse(wide > op_width + 0.05 and high > 0.05, (a, b))
        return count

    def test_compile_shows_the_network_the_tasks_and_the_storage(self) -> None:
        for network in [NETWORK, CONVOLUTIONAL, self.write("deep.onnx", deep_model(8, 9))]:
            page = self.page("compile", network)
            program = run("compile", network, "--stop-after", "program").stdout.splitlines()
            tasks = [re.match(r"task (?:\d+ )?'(.*)' \(", line)[1] for line in program if line.startswith("task ")]
            shown = page.tasks(0)
            names = [list(task.iter("span"))[1].text for task in shown]
            self.assertEqual(names, tasks)
            self.assertEqual(sum(len(list(task.iter("tr"))) for task in shown),
                             sum(line.startswith("  ") for line in program))
            self.assertEqual(len(page.with_class("g", "box", page.program(0))), len(tasks))
            plan = run("compile", network).stdout.splitlines()
            self.assertEqual(self.assert_storage(page, 0), sum(line.startswith("  %") for line in plan))
            (drawn,) = [section for section in page.root.iter("section") if section.get("id") == "network"]
            lines = run("compile", network, "--stop-after", "network").stdout.splitlines()
            self.assertEqual(len(page.with_class("g", "box", drawn)),
                             sum(line.startswith(("input ", "node ", "output ")) for line in lines))
            self.assertIn("compile has no times", page.text())

    def test_bounds_show_times_and_intervals(self) -> None:
        page = self.page("bounds", NETWORK, *AROUND)
        self.assertEqual(page.programs(), 1)
        self.assert_storage(page, 0)
        text = page.text()
        for words in ["row 9", "Time per task and per op", "import", "bounding", "products with weights", "concretize"]:
            self.assertIn(words, text)
        # All ops that have run, with how often.
        self.assertIn("1×", text)
        self.assertNotIn("no times", text)

    def test_verify_shows_the_verdict_and_the_search(self) -> None:
        for prop, verdict in [(PROVED, "unsat"), (VIOLATED, "sat")]:
            page = self.page("verify", NETWORK, prop, "--timeout", 30)
            self.assertEqual([e.text for e in page.with_class("span", "answer")], [verdict])
            for program in range(page.programs()):
                self.assert_storage(page, program)
            text = page.text()
            for words in ["subproblems bounded", "splits", "worst bound", "Values and gradients"]:
                self.assertIn(words, text)
            self.assertEqual("X_63" in text, verdict == "sat")

    def test_the_course_of_a_search_is_drawn(self) -> None:
        network = self.write("deep.onnx", deep_model(24, 3))
        report = self.folder / "r.json"
        for branching, what, split in [("activation", "layer", 2), ("input", "input", 0)]:
            page = self.page("verify", network, self.endless(8, 2, 2 if what == "layer" else 1.5), "--branching",
                             branching, "--timeout", 20, "--json", report)
            found = json.loads(report.read_text())["statistics"]
            self.assertGreater(found["splits"], 10)
            self.assertEqual(sum(found["tree"]["splits"]), found["splits"])
            self.assertEqual(sum(found["tree"][f"splits_by_{what}"]), found["splits"])
            self.assertEqual(sum(found["tree"]["closed"]), found["closed"])
            (search,) = [section for section in page.root.iter("section") if section.get("id") == "search"]
            for name, counts in [("closed", found["tree"]["closed"]), ("split", found["tree"]["splits"])]:
                bars = [rect for rect in page.with_class("rect", name, search) if rect.get("x")]
                self.assertEqual(len(bars), sum(count > 0 for count in counts))
                for bar in bars:
                    self.assertTrue(LEFT <= float(bar.get("x")) and 0 < float(bar.get("height")) <= BOTTOM, bar.attrib)
            curves = page.with_class("polyline", "curve", search)
            self.assertGreaterEqual(len(curves), 2)
            for curve in curves:
                xs = [float(point.split(",")[0]) for point in curve.get("points").split()]
                self.assertEqual(xs, sorted(xs))
            text = page.text()
            for words in ["Subproblems by depth", f"{what} {split}", "Worst bound of the open",
                          "Phases of the search"]:
                self.assertIn(words, text)

    def test_a_limit_leaves_what_was_reached(self) -> None:
        page = self.page("verify", NETWORK, self.endless(), *SPLIT_INPUTS, "--timeout", 0.5)
        self.assertEqual([e.text for e in page.with_class("span", "answer")], ["timeout"])
        self.assertIn("time limit", page.text())
        page = self.page("verify", NETWORK, self.endless(), *SPLIT_INPUTS, "--timeout", 1e-9)
        self.assertIn("ended before the network was read", page.text())
        page = self.page("bounds", NETWORK, *AROUND, "--timeout", 1e-9)
        self.assertIn("ended before the network was read", page.text())

    def test_stop_after_network_has_no_program(self) -> None:
        self.assertEqual(self.page("compile", NETWORK, "--stop-after", "network").programs(), 0)

    def test_hostile_names_are_text(self) -> None:
        network = self.write("<b onclick=x>&.onnx", relu_chain(HOSTILE))
        prop = self.write("p.vnnlib", "(declare-const X_0 Real)(declare-const Y_0 Real)"
                                      "(assert (>= X_0 -1))(assert (<= X_0 1))(assert (>= Y_0 2))")
        for command in (["compile", network], ["verify", network, prop], ["bounds", network, "--lower", self.one(-1),
                                                                          "--upper", self.one(1)]):
            page = self.page(*command)
            text = page.text()
            for name in ["<script>alert(1)</script>", "&lt;&#0;&bogus;", "]]></style></svg><h1>", "a\ufffd\ufffd[31m\ufffd"]:
                self.assertIn(name, text)
            self.assertNotRegex(page.source, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
            self.assertEqual(page.root.find("body/header/h1").text, "<b onclick=x>&.onnx")

    def one(self, value: float) -> Path:
        return self.write(f"{value}.npy".replace("-", "m"), npy([value], 1, 1))


class Outputs(CommandLine):
    def test_errors_of_writing_come_before_the_work(self) -> None:
        nowhere = self.folder / "missing" / "page.html"
        same = self.folder / "same"
        for command in (["compile", NETWORK], ["bounds", NETWORK, *AROUND], ["verify", NETWORK, PROVED]):
            self.assert_error(run(*command, "--report", nowhere), USAGE, "--report", "cannot write")
            self.assert_error(run(*command, "--report", self.folder), USAGE, "--report")
        for command in (["bounds", NETWORK, *AROUND], ["verify", NETWORK, PROVED]):
            self.assert_error(run(*command, "--report", same, "--json", same), USAGE, "--report", "--json")

    def test_a_report_changes_nothing_else(self) -> None:
        page, trace = self.folder / "page.html", self.folder / "trace.json"
        plain = run("compile", NETWORK)
        self.assertEqual(run("compile", NETWORK, "--report", page).stdout, plain.stdout)
        for options in ([], ["--profile", trace]):
            result = run("verify", NETWORK, VIOLATED, "--seed", 5, "--report", page, *options)
            self.assertEqual(result.stdout, run("verify", NETWORK, VIOLATED, "--seed", 5).stdout)
        self.assertGreater(trace.stat().st_size, 1000)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"page.html", "trace.json"})


if __name__ == "__main__":
    main()
