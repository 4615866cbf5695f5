"""docs/attention holds what the program draws, byte for byte, and docs/attention.md shows all of it. Argument: the program."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = ""
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def call(*words):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, check=False)


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class AttentionPicturesTest(unittest.TestCase):
    def test_the_documents_are_up_to_date(self):
        with tempfile.TemporaryDirectory() as folder:
            done = call(pathlib.Path(folder, "new"))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            drawn = files(pathlib.Path(folder, "new"))
        kept = files(DOCS / "attention")
        self.assertEqual(sorted(drawn), sorted(kept))
        for name, content in drawn.items():
            self.assertTrue(kept[name] == content, f"{name} has changed: attention_pictures docs/attention writes it anew")
            xml.etree.ElementTree.fromstring(content)
        self.assertLess(sum(map(len, drawn.values())), 300_000)

    def test_every_picture_is_shown(self):
        text = (DOCS / "attention.md").read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r"!\[[^\]]+\]\(attention/([^)]+)\)", text)), set(files(DOCS / "attention")))

    def test_bad_usage(self):
        for words in ((), ("a", "b"), ("--help",)):
            done = call(*words)
            self.assertEqual(done.returncode, 2)
            self.assertIn("usage", done.stderr)
        done = call(pathlib.Path(__file__))
        self.assertEqual(done.returncode, 1)
        self.assertIn("attention_pictures: ", done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=0)
