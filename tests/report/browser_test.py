"""Opens report pages in headless Chromium at 390 and 1280 pixels, light and dark: everything draws, nothing is logged as an error
or asked of the network, the page is as wide as the window, the keyboard reaches the cells and the docs' picture is of such a page.
Ends with 77, skipped, where there is no Chromium. Argument: the program write-sample-report."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import browser
import screenshots

PROGRAM = ""
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
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
                             ("hostile", ["curve", "attention", "text", "sound", "sound", "frames", "frames", "attention", "curve", "sound"])):
            self.assertEqual(chromium.check(self, FOLDER / f"{which}.html"), drawn)
            self.assertEqual(chromium.evaluate("typeof window.harmed"), "undefined")

    def write(self, name, *data):
        """The sample page with other figures."""
        page = (FOLDER / "sample.html").read_text(encoding="utf-8")
        figures = "".join(f'<figure id="figure-{i + 1}"><figcaption>t</figcaption></figure>' for i in range(len(data)))
        page = re.sub(r"<main>.*</main>", lambda _: f"<main>{figures}</main>", page, flags=re.DOTALL)
        page = re.sub(r'(<script id="data" type="application/json">).*?(</script>)',
                      lambda match: f"{match[1]}{json.dumps(data)}{match[2]}", page, flags=re.DOTALL)
        (FOLDER / f"{name}.html").write_text(page, encoding="utf-8")

    def test_picture_of_the_docs(self):
        screenshots.take(chromium, FOLDER / "sample.html", FOLDER / "report.png")
        made, kept = (screenshots.header(folder / "report.png") for folder in (FOLDER, DOCS))
        height = chromium.evaluate("document.documentElement.scrollHeight")
        self.assertEqual(made[:4], (720, height, 8, 3))
        self.assertGreater(made[4], 100)  # colours
        self.assertEqual((kept[0], *kept[2:4]), (720, 8, 3))
        self.assertLess(abs(kept[1] - height), 60)  # other fonts break lines elsewhere
        self.assertGreater(kept[4], 100)
        self.assertLess((DOCS / "report.png").stat().st_size, 120_000)

    def test_picture_of_a_figure(self):
        words = [sys.executable, "-B", screenshots.__file__, FOLDER / "sample.html", FOLDER / "figure.png"]
        subprocess.run([*words, "--figure", "2", "--width", "390", "--dark"], check=True)
        width, height, *_, colours = screenshots.header(FOLDER / "figure.png")
        self.open("sample", 390)
        self.assertEqual([width, height], chromium.evaluate(
            "(() => { const box = document.querySelector('#figure-2').getBoundingClientRect();"
            " return [box.width, Math.round(box.height)]; })()"))
        self.assertGreater(colours, 50)
        done = subprocess.run([*words, "--figure", "9"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, "nothing that '#figure-9' selects" in done.stderr), (1, True), done.stderr)

    def test_a_palette_has_256_colours_at_most(self):
        pixels = bytes(x for i in range(4096) for x in (i % 16 * 17, i // 16 % 16 * 17, i // 256 * 17, 255))
        (FOLDER / "many.png").write_bytes(screenshots.indexed_png(64, 64, pixels))
        self.assertEqual(screenshots.header(FOLDER / "many.png"), (64, 64, 8, 3, 256))
        (FOLDER / "one.png").write_bytes(screenshots.indexed_png(64, 64, bytes(4 * 4096)))
        self.assertEqual(screenshots.header(FOLDER / "one.png"), (64, 64, 8, 3, 1))

    def test_a_long_map_draws_at_three_pixels_a_pixel(self):
        labels = [f"w{i}" for i in range(512)]
        self.write("long", {"kind": "attention", "title": "t", "rows": labels, "columns": ["a", "b"], "rowAxis": "r", "columnAxis": "c",
                            "note": "", "weights": [1] * 1024, "shape": [1, 1, 512, 2]})
        self.open("long", 390)
        chromium.evaluate(forget_drawn(0))
        chromium.call("Emulation.setDeviceMetricsOverride", width=391, height=900, deviceScaleFactor=3, mobile=False)
        # The last cell's colour, and that the canvas is as tall as its cells.
        pixel, height = chromium.evaluate(when_drawn(0, """(() => {
          const canvas = document.querySelector('canvas'), share = canvas.height / canvas.clientHeight;
          const at = [canvas.width - 16 * share, canvas.height - 16 * share];
          return [[...canvas.getContext('2d').getImageData(...at, 1, 1).data], canvas.clientHeight];
        })()"""))
        self.assertGreater(height, 512 * 28)
        self.assertEqual(pixel, [11, 92, 173, 255])
        self.assertLessEqual(chromium.evaluate("document.querySelector('canvas').height"), 16384)
        self.assertEqual(chromium.evaluate("document.querySelector('.note').textContent"), "Rows: r, columns: c. Full colour is 1.")

    def test_ticks_where_numbers_lie_close(self):
        self.write("close", {"kind": "curve", "title": "t", "xAxis": "x", "yAxis": "y", "note": "", "series":
                             [{"name": "a", "x": [999999999999998, 999999999999999], "y": [1, 2]}]},
                   {"kind": "curve", "title": "t", "xAxis": "x", "yAxis": "y", "note": "", "series":
                    [{"name": "a", "x": [1, 2], "y": [9007199254740992, 9007199254740994]}]})
        self.open("close", 1280)
        self.assertEqual(chromium.evaluate(browser.DRAWN), ["curve", "curve"])

    def test_a_point_alone_between_gaps_is_drawn(self):
        for x, y, alone in (([1, 2, 9], [1, 1, 3], False), ([1, None, 9], [1, 1, 3], True), ([1, 2, 9], [1, None, 3], True)):
            curve = {"kind": "curve", "title": "t", "xAxis": "x", "yAxis": "y", "note": "", "series": [{"name": "a", "x": x, "y": y}]}
            self.write("gaps", curve)
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

    def test_keyboard_in_text_sound_and_frames(self):
        self.open("sample", 1280)

        def tab_to(label):
            for _ in range(40):
                chromium.press("Tab")
                if label in str(chromium.evaluate(FOCUS)):
                    return
            self.fail(f"the keyboard doesn't reach {label}")
        tab_to("words shaded")
        active = "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
        for key, word in ((None, "The: 0"), ("ArrowRight", "plot: -0.05"), ("End", ".: 0"), ("ArrowRight", ".: 0"),
                          ("ArrowLeft", "watch: 0.3"), ("Home", "The: 0")):
            if key:
                chromium.press(key)
            self.assertEqual(chromium.evaluate(STATUS), word)
            self.assertEqual(chromium.evaluate(f"[{active}.ariaLabel, {active}.role, {active}.ariaSelected]"), [word, "option", "true"])
            self.assertEqual(chromium.evaluate("document.querySelectorAll('[aria-selected=true]').length"), 1)
        self.assertFalse(chromium.evaluate("document.getElementById('tooltip').hidden"))
        chromium.evaluate("addEventListener('keydown', event => { window.taken = event.defaultPrevented; })")
        for key, taken in (("ArrowDown", False), ("ArrowUp", False), ("ArrowRight", True)):  # up and down scroll the page
            chromium.press(key)
            self.assertEqual(chromium.evaluate("window.taken"), taken)
        self.assertEqual(chromium.evaluate(STATUS), "plot: -0.05")
        tab_to("Three digits heard")
        for key, cell in ((None, "one ← 0 s: "), ("ArrowDown", "two ← 0 s: "), ("ArrowRight", "two ← 0.01 s: "),
                          ("End", "two ← 1.19 s: ")):
            if key:
                chromium.press(key)
            self.assertTrue(chromium.evaluate(STATUS).startswith(cell), chromium.evaluate(STATUS))
        tab_to("A disc that crosses")
        for key, cell in ((None, "enters ← frame 1: "), ("ArrowRight", "enters ← frame 2: "), ("ArrowDown", "leaves ← frame 2: ")):
            if key:
                chromium.press(key)
            self.assertTrue(chromium.evaluate(STATUS).startswith(cell), chromium.evaluate(STATUS))
        note = "document.activeElement.closest('figure').querySelector('.note').textContent"
        self.assertTrue(chromium.evaluate(note).startswith("In the picture: leaves. Rows: output, "), chromium.evaluate(note))

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

    def test_large_tables_are_cut(self):
        self.open("hostile", 390)
        cells, note = chromium.evaluate("""new Promise(done => {
          const details = [...document.querySelectorAll('figure')].find(figure =>
            figure.textContent.startsWith('1,500 words')).querySelector('details');
          details.addEventListener('toggle', () => done([['thead th', 'tbody tr', 'tbody td'].map(
            part => details.querySelectorAll(part).length), details.querySelector('.note').textContent]));
          details.open = true;
        })""")
        self.assertEqual(cells, [101, 400, 40000])
        self.assertEqual(note, "The first 400 of 500 rows, 100 of 500 columns.")

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
        # Within a cell nothing is drawn again, and the tooltip moves.
        left = "document.getElementById('tooltip').style.left"
        before = chromium.evaluate(left)
        chromium.evaluate(forget_drawn(1))
        drawn = "document.querySelectorAll('canvas')[1].dataset.drawn"
        chromium.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0] - 3, y=place[1] - 3)
        self.assertNotEqual(chromium.evaluate(left), before)
        self.assertIsNone(chromium.evaluate(drawn))
        chromium.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0] - 30, y=place[1] - 3)
        self.assertEqual(chromium.evaluate(drawn), "10 9")


if __name__ == "__main__":
    if browser.find() is None:
        print(f"skipped: {browser.MISSING}")
        sys.exit(77)
    PROGRAM = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder, browser.Browser() as chromium:
        FOLDER = pathlib.Path(folder)
        for name in ("sample", "hostile"):
            subprocess.run([PROGRAM, name, FOLDER / f"{name}.html"], check=True)
        unittest.main()
