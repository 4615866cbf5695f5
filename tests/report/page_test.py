"""The text of report pages: well-formed, escaped, with the data that went in. Argument: the program write-sample-report."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

PROGRAM = ""
SCRIPT = "</script><script>window.harmed = true</script>"
PICTURE = "<img src=x onerror='window.harmed = true'>&\""
ODD = "\U0001f469\u200d\U0001f33e\u2028a\0b"


def page(which):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "page.html")
        subprocess.run([PROGRAM, which, path], check=True)
        text = path.read_text(encoding="utf-8")
    return text, ElementTree.fromstring(text)


def figures(root):
    return json.loads(root.find(".//script[@id='data']").text)


# A test of a program as tests/examples has them, of two pages, where there is no browser.
PROGRAM_TEST = """
import pathlib, sys, unittest
sys.path.insert(0, sys.argv[1])
import program
class Test(unittest.TestCase):
    def test(self):
        for _ in range(2):
            program.check_page(self, pathlib.Path(sys.argv[2]))
sys.exit(program.run(Test))
"""


class Page(unittest.TestCase):
    def test_sample(self):
        text, root = page("sample")
        self.assertEqual(root.find("head/title").text, "What a page shows")
        self.assertEqual([h.text for h in root.iter("h2")], ["Training", "A translation", "A review", "A sound", "Images"])
        data = figures(root)
        self.assertEqual([figure["kind"] for figure in data], ["curve", "attention", "text", "sound", "frames"])
        self.assertEqual([figure.get("id") for figure in root.iter("figure")], [f"figure-{i}" for i in range(1, 6)])
        self.assertEqual([figure.find("figcaption").text for figure in root.iter("figure")], [d["title"] for d in data])
        training = data[0]["series"][0]
        self.assertEqual(training["x"][:2], [50, 100])
        self.assertIsNone(training["y"][29])  # what wasn't finite
        self.assertEqual(data[1]["shape"], [3, 4, 10, 9])
        self.assertEqual(data[1]["rows"][4], "planté")
        for row in range(3 * 4 * 10):
            self.assertAlmostEqual(sum(data[1]["weights"][9 * row:9 * row + 9]), 1, places=3)
        self.assertEqual(data[2]["lines"][0]["weights"][6], -0.6)
        self.assertEqual((data[3]["bands"], data[3]["frames"], len(data[3]["weights"])), (40, 120, 360))
        self.assertEqual((data[4]["grid"], len(data[4]["parts"])), ([6, 6], 2 * 8 * 36))

    def test_nothing_from_elsewhere(self):
        for which in ("sample", "hostile"):
            text, root = page(which)
            self.assertEqual(re.findall(r"https?:|//\w+\.\w", text), [])
            self.assertEqual({element.get("href") for element in root.iter() if element.get("href")}, {"data:,"})
            self.assertEqual([element for element in root.iter() if element.get("src")], [])

    def test_any_text_is_text(self):
        text, root = page("hostile")
        self.assertEqual(len(list(root.iter("script"))), 2)
        self.assertEqual(len(re.findall(r"</?script", text)), 4)  # for a parser of HTML too
        self.assertEqual(list(root.iter("img")), [])
        self.assertEqual(root.find("head/title").text, SCRIPT)
        self.assertEqual(root.find("body/main/h2").text, PICTURE)
        self.assertEqual(root.find("body/main/p").text, SCRIPT + PICTURE + ODD.replace("\0", "\ufffd"))
        self.assertEqual([cell.text for cell in root.iter("td")], ["&amp;", "<b>"])
        attention = figures(root)[1]
        self.assertEqual(attention["rows"], [SCRIPT, PICTURE, "\ufffd\ufffd", "\x01\x02", "{{}}${1}`", "", ODD])
        self.assertEqual(attention["weights"][:8], [None, 1, None, -0.5, 0, 0.25, 1e-300, 0])

    def test_much_is_thinned(self):
        text, root = page("hostile")
        self.assertLess(len(text), 20_000_000)
        data = {figure["title"]: figure for figure in figures(root) if "title" in figure}
        words = data["1,500 words, 2 heads"]
        self.assertEqual(words["shape"], [1, 2, 500, 500])
        self.assertEqual(words["rows"][0], "word0 … word2")
        self.assertEqual(words["note"], "Each cell is the mean of 3 rows and 3 columns.")
        points = data["100,000 points"]["series"][0]
        self.assertLessEqual(len(points["x"]), 2000)
        self.assertEqual((min(points["y"]), max(points["y"])), (-1, 1))
        self.assertIn("lowest and the highest", data["100,000 points"]["note"])
        sound = data["a minute of sound"]
        self.assertEqual((sound["frames"], sound["bands"], len(sound["rows"])), (500, 100, 500))

    def test_programs_say_once_that_no_page_was_opened(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "page.html")
            subprocess.run([PROGRAM, "sample", path], check=True)
            examples = pathlib.Path(__file__).resolve().parents[1] / "examples"
            done = subprocess.run([sys.executable, "-B", "-c", PROGRAM_TEST, examples, path], env={**os.environ, "PATH": folder},
                                  capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.count("skipped to open pages: no Chromium"), 1, done.stdout)

    def test_what_is_missing(self):
        _, root = page("hostile")
        self.assertEqual([figure["kind"] for figure in figures(root) if figure.get("empty")],
                         ["curve", "curve", "attention", "text", "sound", "frames"])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
