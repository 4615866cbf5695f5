"""Headless Chromium over its debugging pipe, with Python's standard library alone: pages at a width, light or dark, their errors,
keys, scripts and screenshots."""
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120  # seconds for an answer, on a machine that does much else
WIDTHS = (390, 1280)  # of a phone and of a screen
MISSING = "no Chromium to open report pages in; on Debian: apt-get install --no-install-recommends chromium"
# The kind of each figure that has data, or that nothing was drawn of it.
DRAWN = """JSON.parse(document.getElementById('data').textContent).flatMap((data, i) => {
  const drawn = document.querySelector(`#figure-${i + 1} [data-drawn]`);
  return data.empty ? [] : [drawn ? data.kind : `nothing of ${data.kind} '${data.title}'`];
})"""
# Of each canvas, how many colours it has.
COLOURS = """[...document.querySelectorAll('canvas')].map(canvas => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(data.buffer)).size;
})"""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


def find():
    """The browser's path, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self.to = os.pipe()
        self.back, from_browser = os.pipe()
        words = [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
                 "--force-device-scale-factor=1", f"--user-data-dir={self.profile.name}", "--remote-debugging-pipe",
                 "about:blank"]

        def as_3_and_4():
            # By way of numbers that are neither.
            os.dup2(to_browser, 103)
            os.dup2(from_browser, 104)
            os.dup2(103, 3)
            os.dup2(104, 4)
            os.closerange(5, 200)
        self.process = subprocess.Popen(words, preexec_fn=as_3_and_4, close_fds=False, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.rest, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(30)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.back)
        self.profile.cleanup()

    def message(self):
        """The browser's next one."""
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            if not select.select([self.back], [], [], max(end - time.monotonic(), 0))[0]:
                raise RuntimeError("the browser doesn't answer")
            part = os.read(self.back, 1 << 20)
            if not part:
                raise RuntimeError("the browser has ended")
            self.rest += part
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            answer = self.message()
            if answer.get("id") != self.number:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def open(self, path, width, dark=False, height=900):
        """Loads a file; what went on before is forgotten."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events = []
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self.message())

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def press(self, key):
        for kind in ("rawKeyDown", "keyUp"):
            codes = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
                     "ArrowDown": 40}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key])

    def problems(self):
        """What the page logged as warning or error, threw, or asked of the network."""
        self.evaluate("1")  # what was under way is in before
        found = []
        for event in self.events:
            method, what = event["method"], event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(what["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
                found.append(json.dumps(what["args"]))
            elif method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
                found.append(what["entry"]["text"])
            elif method == "Network.requestWillBeSent" and not what["request"]["url"].startswith(("file:", "data:")):
                found.append(f"asked for {what['request']['url']}")
        return found

    def check(self, case, path):
        """Opens a page at each width, light and dark: every figure that has data draws, on canvases more than a frame; the page is as
        wide as the window, and nothing was logged as an error or asked of the network. Returns the kinds of what was drawn."""
        drawn = []
        for width in WIDTHS:
            for dark in (False, True):
                with case.subTest(page=path.name, width=width, dark=dark):
                    self.open(path, width, dark)
                    drawn = self.evaluate(DRAWN)
                    case.assertEqual([kind for kind in drawn if kind.startswith("nothing")], [])
                    case.assertGreater(min(self.evaluate(COLOURS), default=5), 4)
                    case.assertEqual(self.evaluate(BACKGROUND), "rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
                    case.assertLessEqual(self.evaluate("document.documentElement.scrollWidth"), width)
                    case.assertEqual(self.problems(), [])
        return drawn

    def screenshot(self, x, y, width, height):
        """A PNG of a rectangle of the whole page, in base64."""
        return self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                         clip={"x": x, "y": y, "width": width, "height": height, "scale": 1})["data"]
