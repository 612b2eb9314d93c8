"""What the tests of --report share: a page read as strict XML."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

# The plot of an arena, in the units of its chart: src/report/html/arena_chart.cpp.
LEFT, TOP, RIGHT, BOTTOM = 72.0, 22.0, 1072.0, 262.0


class Rectangle(NamedTuple):
    x: float
    y: float
    width: float
    height: float


class ReportPage:
    def __init__(self, path: Path) -> None:
        self.source = path.read_text(encoding="utf-8")  # strict
        self.root = ElementTree.fromstring(self.source)  # strict, too: an error unless it is well-formed

    def text(self) -> str:
        return " ".join(" ".join(self.root.itertext()).split())

    def tags(self) -> list[str]:
        return [element.tag for element in self.root.iter()]

    def with_class(self, tag: str, name: str, within: ElementTree.Element | None = None) -> list[ElementTree.Element]:
        start = self.root if within is None else within
        return [element for element in start.iter(tag) if name in element.get("class", "").split()]

    def program(self, number: int) -> ElementTree.Element:
        (found,) = [section for section in self.root.iter("section") if section.get("id") == f"program-{number}"]
        return found

    def programs(self) -> int:
        return sum(section.get("id").startswith("program-") for section in self.root.iter("section"))

    def tasks(self, program: int) -> list[ElementTree.Element]:
        prefix = f"program-{program}-task-"
        return [e for e in self.program(program).iter("details") if e.get("id", "").startswith(prefix)]

    def arenas(self, program: int) -> list[list[Rectangle]]:
        """Of each arena the rectangles of its buffers."""
        charts = self.with_class("svg", "chart", self.program(program))
        return [[Rectangle(*(float(rect.get(key)) for key in Rectangle._fields))
                 for rect in self.with_class("rect", "buffer", chart)] for chart in charts]
