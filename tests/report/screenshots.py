"""Takes the picture of docs/report.md: screenshots.py WRITE_SAMPLE DOCS, with the program build/tests/report/write-sample-report."""
import pathlib
import subprocess
import sys
import tempfile

import browser


def main():
    program, docs = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        page = pathlib.Path(folder, "sample.html")
        subprocess.run([program, "sample", page], check=True)
        chromium.open(page, 720)
        height = chromium.evaluate("document.documentElement.scrollHeight")
        chromium.screenshot(pathlib.Path(docs, "report.png"), 720, height)


if __name__ == "__main__":
    main()
