"""Takes a picture of a page, or of one of its figures, as a PNG of at most 256 colours:
screenshots.py PAGE OUTPUT [--figure N | --selector CSS] [--width W] [--dark]."""
import argparse
import base64
import collections
import json
import pathlib
import struct
import sys
import zlib

import browser

# The pixels of an image, four bytes each, in base64.
PIXELS = """(async () => {
  const bytes = Uint8Array.from(atob('%s'), letter => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes]));
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, image.width, image.height).data;
  let text = '';
  for (let i = 0; i < data.length; i += 30000) text += String.fromCharCode(...data.subarray(i, i + 30000));
  return [image.width, image.height, btoa(text)];
})()"""


def palette_of(counts, most=256):
    """At most `most` colours, and of each colour which of them is near it: boxes of colours are cut in two at the middle of
    their widest channel, the one with most pixels times width first (median cut)."""
    def channels(box):
        return [(max(c[k] for c in box) - min(c[k] for c in box), k) for k in range(3)]

    def weight(box):
        return sum(counts[c] for c in box) ** 0.5 * max(channels(box))[0]
    boxes = [(weight(list(counts)), list(counts))]
    while len(boxes) < most:
        boxes.sort(key=lambda box: box[0])
        if boxes[-1][0] == 0:
            break
        box = boxes.pop()[1]
        channel = max(channels(box))[1]
        box.sort(key=lambda c: c[channel])
        half, seen, cut = sum(counts[c] for c in box) / 2, 0, 0
        while cut < len(box) - 1 and (cut == 0 or seen + counts[box[cut]] / 2 <= half):
            seen += counts[box[cut]]
            cut += 1
        boxes += [(weight(part), part) for part in (box[:cut], box[cut:])]
    colours, nearest = [], {}
    for _, box in boxes:
        # The most frequent one as it is: a page's grounds stay what they are.
        colours.append(max(box, key=counts.get))
        nearest.update((c, len(colours) - 1) for c in box)
    return colours, nearest


def indexed_png(width, height, pixels):
    """A PNG of a palette, from four bytes a pixel."""
    colours = [bytes(pixels[i:i + 3]) for i in range(0, len(pixels), 4)]
    palette, nearest = palette_of(collections.Counter(colours))
    indices = bytes(map(nearest.__getitem__, colours))
    lines = b"".join(b"\0" + indices[y * width:(y + 1) * width] for y in range(height))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) +
            chunk(b"PLTE", b"".join(palette)) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))


def header(path):
    """A PNG's width, height, bits and kind of colour (3 is a palette), and the number of its palette's colours."""
    data = path.read_bytes()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError(f"{path} isn't a PNG")
    at, colours = 8, 0
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at:at + 8])
        if name == b"PLTE":
            colours = size // 3
        at += size + 12
    return (*struct.unpack(">IIBB", data[16:26]), colours)


def take(chromium, page, output, width=720, selector="html", dark=False):
    """Opens the page and writes the picture of what the selector finds, as it is before anything is pointed at."""
    chromium.open(page, width, dark)
    box = chromium.evaluate(f"""(() => {{
      const found = document.querySelector({json.dumps(selector)});
      if (!found) return null;
      const box = found.getBoundingClientRect();
      return [box.left + scrollX, box.top + scrollY, box.width, Math.round(box.height)];
    }})()""")
    if box is None:
        raise ValueError(f"{page} has nothing that '{selector}' selects")
    width, height, pixels = chromium.evaluate(PIXELS % chromium.screenshot(*box))
    output.write_bytes(indexed_png(width, height, base64.b64decode(pixels)))


def main():
    parser = argparse.ArgumentParser(description="Takes a picture of a page, or of a part of it.")
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--figure", type=int, help="the figure of that number, from 1")
    part.add_argument("--selector", default="html", help="what this CSS selector finds first")
    parser.add_argument("--width", type=int, default=720, help="of the window, in pixels")
    parser.add_argument("--dark", action="store_true", help="as a reader who prefers the dark sees it")
    given = parser.parse_args()
    selector = given.selector if given.figure is None else f"#figure-{given.figure}"
    if browser.find() is None:
        sys.exit(browser.MISSING)
    with browser.Browser() as chromium:
        try:
            take(chromium, given.page, given.output, given.width, selector, given.dark)
        except ValueError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
