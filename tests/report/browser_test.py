"""Opens report pages in headless Chromium at 390 and 1280 pixels, light and dark: everything draws, nothing is logged as an error
or asked of the network, the page is as wide as the window, and the keyboard reaches the cells. Ends with 77, skipped, where there
is no Chromium. Argument: the program write-sample-report."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import browser

PROGRAM = ""
FOLDER = pathlib.Path()
# From then on the sizes of the points that canvases are filled with are kept.
KEEP_SQUARES = """(() => {
  const fill = CanvasRenderingContext2D.prototype.fillRect;
  window.squares = [];
  CanvasRenderingContext2D.prototype.fillRect = function(x, y, width, height) {
    squares.push(width * height);
    fill.call(this, x, y, width, height);
  };
})()"""
FOCUS = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.tagName"
STATUS = "[...document.activeElement.closest('figure').querySelectorAll('.status')].map(e => e.textContent).join('')"


def forget_drawn(canvas):
    return f"delete document.querySelectorAll('canvas')[{canvas}].dataset.drawn"


def when_drawn(canvas, expression):
    """The expression's value once a canvas that was forgotten has been drawn anew."""
    return (f"new Promise(done => {{ const look = () => document.querySelectorAll('canvas')[{canvas}].dataset.drawn ? done({expression}) "
            ": setTimeout(look, 1); look(); })")


class Pages(unittest.TestCase):
    def open(self, which, width, dark=False):
        chromium.open(FOLDER / f"{which}.html", width, dark)
        self.addCleanup(lambda: self.assertEqual(chromium.problems(), []))

    def test_everything_draws(self):
        for which, drawn in (("sample", ["curve", "attention", "text", "sound", "frames"]),
                             ("hostile", ["curve", "attention", "text", "sound", "frames", "frames", "attention", "curve", "sound"])):
            self.assertEqual(chromium.check(self, FOLDER / f"{which}.html"), drawn)
            self.assertEqual(chromium.evaluate("typeof window.harmed"), "undefined")

    def test_a_point_alone_between_gaps_is_drawn(self):
        page = (FOLDER / "sample.html").read_text(encoding="utf-8")
        for x, y, alone in (([1, 2, 9], [1, 1, 3], False), ([1, None, 9], [1, 1, 3], True), ([1, 2, 9], [1, None, 3], True)):
            curve = {"kind": "curve", "title": "t", "xAxis": "x", "yAxis": "y", "note": "", "series": [{"name": "a", "x": x, "y": y}]}
            text = re.sub(r'(<script id="data" type="application/json">).*?(</script>)',
                          lambda match, curve=curve: f"{match[1]}{json.dumps([curve])}{match[2]}", page, flags=re.DOTALL)
            (FOLDER / "gaps.html").write_text(text, encoding="utf-8")
            chromium.open(FOLDER / "gaps.html", 1280, False)
            chromium.evaluate(KEEP_SQUARES)
            chromium.evaluate(forget_drawn(0))
            chromium.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])  # drawn again
            with self.subTest(x=x, y=y):
                self.assertEqual(chromium.evaluate(when_drawn(0, "window.squares")), [16, 16] if alone else [])

    def test_setting_and_width_change_on_an_open_page(self):
        self.open("sample", 1280)
        before = chromium.evaluate("document.querySelectorAll('canvas')[1].toDataURL()")
        chromium.evaluate(forget_drawn(1))
        chromium.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.assertNotEqual(chromium.evaluate(when_drawn(1, "document.querySelectorAll('canvas')[1].toDataURL()")), before)
        chromium.evaluate(forget_drawn(1))
        chromium.call("Emulation.setDeviceMetricsOverride", width=390, height=900, deviceScaleFactor=2, mobile=False)
        self.assertLessEqual(chromium.evaluate(when_drawn(1, "document.documentElement.scrollWidth")), 390)

    def test_keyboard(self):
        self.open("sample", 1280)
        chromium.press("Tab")
        self.assertIn("Loss", chromium.evaluate(FOCUS))
        self.assertEqual(chromium.evaluate(STATUS), "training: update 50, loss 5.791")
        chromium.press("ArrowRight")
        self.assertIn("update 100", chromium.evaluate(STATUS))
        chromium.press("ArrowDown")
        self.assertIn("validation: update 1000", chromium.evaluate(STATUS))
        reached = []
        for _ in range(40):
            chromium.press("Tab")
            reached.append(chromium.evaluate(FOCUS))
            self.assertNotEqual(chromium.evaluate("getComputedStyle(document.activeElement).outlineStyle"), "none")
            if "10 rows (target), 9 columns (source)" in reached[-1]:
                break
        self.assertEqual(reached[1:-1], ["SELECT", "SELECT"])  # behind the curve's table: layer and head
        self.assertEqual(chromium.evaluate(STATUS).split(":")[0], "le ← the")
        for key, cell in (("ArrowRight", "le ← old"), ("ArrowDown", "vieux ← old"), ("End", "vieux ← ."), ("Home", "vieux ← the"),
                          ("ArrowUp", "le ← the"), ("ArrowUp", "le ← the"), ("ArrowLeft", "le ← the")):
            chromium.press(key)
            self.assertEqual(chromium.evaluate(STATUS).split(":")[0], cell)
        self.assertFalse(chromium.evaluate("document.getElementById('tooltip').hidden"))
        chromium.press("Escape")
        self.assertTrue(chromium.evaluate("document.getElementById('tooltip').hidden"))

    def test_layers_and_heads(self):
        self.open("sample", 390)
        chromium.evaluate("document.querySelector('#figure-2 canvas').focus()")
        seen = set()
        for layer in range(3):
            for head in range(5):
                chromium.evaluate(f"""(() => {{
                  const [layer, head] = document.querySelectorAll('#figure-2 select');
                  layer.value = {layer};
                  head.value = {head};
                  for (const select of [layer, head]) select.dispatchEvent(new Event('change'));
                }})()""")
                seen.add(chromium.evaluate("document.querySelector('#figure-2 canvas').toDataURL()"))
        self.assertEqual(len(seen), 15)

    def test_tables(self):
        self.open("sample", 390)
        chromium.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
        rows = chromium.evaluate("new Promise(done => setTimeout(() => done([...document.querySelectorAll('details')]"
                                 ".map(details => details.querySelectorAll('tbody tr').length)), 100))")
        self.assertEqual(rows, [66, 10, 18, 3, 2])
        self.assertEqual(chromium.evaluate("document.querySelector('#figure-2 thead th').textContent"), "target \\ source")
        self.assertLessEqual(chromium.evaluate("document.documentElement.scrollWidth"), 390)

    def test_pointer(self):
        self.open("sample", 1280)
        place = chromium.evaluate("""(() => {
          const canvas = document.querySelector('#figure-2 canvas');
          canvas.scrollIntoView();
          const box = canvas.getBoundingClientRect();
          return [box.right - 10, box.bottom - 10];
        })()""")
        chromium.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
        self.assertTrue(chromium.evaluate("document.getElementById('tooltip').textContent").startswith("(end) ← .: "))


if __name__ == "__main__":
    if browser.find() is None:
        print("skipped: no Chromium to open report pages in; on Debian: apt-get install --no-install-recommends chromium")
        sys.exit(77)
    PROGRAM = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        FOLDER = pathlib.Path(folder)
        for name in ("sample", "hostile"):
            subprocess.run([PROGRAM, name, FOLDER / f"{name}.html"], check=True)
        unittest.main()
