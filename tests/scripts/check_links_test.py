"""scripts/check_links.py: finds links and named files that lead nowhere, and nothing else."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import check_links  # noqa: E402


class CheckLinks(unittest.TestCase):
    def faults(self, text: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "docs").mkdir()
            (root / "docs/there.md").write_text("here", encoding="utf-8")
            page = root / "docs/page.md"
            page.write_text(text, encoding="utf-8")
            return [fault.removeprefix(str(page)) for fault in check_links.faults(root, page)]

    def test_what_exists_passes(self) -> None:
        self.assertEqual(self.faults("[a](there.md) [b](there.md#part) [c](https://example.org/x.md) `docs/there.md`\n"
                                     "[d](#part) `build/docs/absent.md` `docs/*.md`"), [])

    def test_a_link_that_leads_nowhere(self) -> None:
        self.assertEqual(self.faults("\n[a](absent.md)"), [":2: the link to absent.md leads nowhere"])

    def test_a_named_file_that_does_not_exist(self) -> None:
        self.assertEqual(self.faults("see `docs/absent.md`"), [":1: docs/absent.md does not exist"])


if __name__ == "__main__":
    unittest.main()
