"""Opens pages of --report in a headless browser. Usage: report_browser_test.py path/to/boundflow
Exit code 77, with a message, where Chromium is not installed."""

import shutil
import subprocess
import sys
import unittest
from html.parser import HTMLParser
from pathlib import Path

from command_line import DIGITS, NETWORK, OK, PROVED, CommandLine, main, run
from report_page import ReportPage
from report_test import HOSTILE, relu_chain

SKIPPED = 77
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)


class Tags(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)


class Browser(CommandLine):
    def opened(self, path: Path) -> tuple[list[str], list[str]]:
        """The tags of the page as the browser has read it, and what it has written to its console."""
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
                   f"--user-data-dir={self.folder / 'profile'}", "--enable-logging=stderr", "--dump-dom", path.as_uri()]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return Tags(result.stdout).tags, [line for line in result.stderr.splitlines() if "CONSOLE" in line]

    def test_the_browser_reads_what_was_written(self) -> None:
        hostile = self.write("hostile.onnx", relu_chain(HOSTILE))
        for command in (["compile", DIGITS / "digits_cnn.onnx"], ["verify", NETWORK, PROVED, "--timeout", 30],
                        ["bounds", NETWORK, "--center", DIGITS / "image.npy", "--eps", 0.02], ["compile", hostile]):
            path = self.folder / "page.html"
            result = run(*command, "--report", path)
            self.assertEqual(result.returncode, OK, result.stderr)
            tags, messages = self.opened(path)
            self.assertEqual(messages, [])
            self.assertGreaterEqual(tags.count("svg"), 4)
            # Tag by tag: nothing that a name holds has become one, and the browser had nothing to mend.
            self.assertEqual(tags, [tag.lower() for tag in ReportPage(path).tags()])

    def test_a_fault_would_be_seen(self) -> None:
        _, messages = self.opened(self.write("broken.html", "<html><script>fault()</script><p>"))
        self.assertEqual(len(messages), 1)


if __name__ == "__main__":
    if CHROMIUM is None:
        print("chromium is not installed (scripts/setup.sh --checks does it): no page was opened in a browser")
        sys.exit(SKIPPED)
    main()
