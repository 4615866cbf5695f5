"""The program that follows moving digits, from end to end, on digits drawn here. Argument: the program. Prints failures alone."""
import gzip
import json
import pathlib
import re
import struct
import sys
import tempfile
import unittest

from program import call, check_finds_a_wrong_output_first, check_page, check_quick, digest, learns, run, succeed

FOLDER = pathlib.Path()
SMALL = ["--frames", "3", "--channels", "2", "--hidden", "8", "--batch", "4", "--epoch-batches", "4", "--validation-films", "4",
         "--epochs", "2", "--save-every", "3", "--threads", "1"]


def parts_of(path):
    """The header and the bytes of a file of tensors."""
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8:8 + size]), content[8 + size:]


def safetensors(path):
    """The bytes of each tensor."""
    header, tensors = parts_of(path)
    return {name: tensors[slice(*about["data_offsets"])] for name, about in header.items() if name != "__metadata__"}


def change_notes(path, changes):
    """Replaces what a run has noted of its digits and films."""
    header, tensors = parts_of(path)
    kept = {name: value for name, value in header["__metadata__"].items()
            if name != "digits" and not name.startswith(("films.", "weft."))}  # with the checksum
    header["__metadata__"] = {**kept, **changes}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + tensors)


def files(images="images.gz", labels="labels.gz"):
    return ["--images", FOLDER / images, "--labels", FOLDER / labels]


class MovingDigitsTest(unittest.TestCase):
    def test_quick_by_any_spelling(self):
        check_quick(self, FOLDER, ["evaluate", "--films", 20], ["report", "--films", 2], kinds=[(), ("--conv-lstm", "6")])

    @learns
    def test_quick(self):
        run = FOLDER / "quick"
        out = succeed("train", "--quick", "--output", run, "--epochs", 40, "--threads", 1)  # names take longer than places
        self.assertRegex(out, r"^800 updates, both digits named in \d+\.\d % of the validation films, \d+ frames/s, ")
        out = succeed("evaluate", "--quick", "--model", run, "--films", 200)
        said = re.fullmatch(r"both digits named in ([\d.]+) % of 200 films, ([\d.]+) % of the digits\n"
                            r"position in the last frame: ([\d.]+) pixels off, ([\d.]+) in the \d+ films in which one passes behind "
                            r"the other\nthe front one told from the back one in [\d.]+ % of these\n", out)
        self.assertIsNotNone(said, out)
        # Of six seeds the worst names 32 % of the films and 55 % of the digits; the same two names every time are 2 % and 19 %.
        self.assertGreater(float(said[1]), 10)
        self.assertGreater(float(said[2]), 35)
        self.assertLess(float(said[3]), 4)  # a first guess is 7 off
        self.assertEqual(succeed("report", "--quick", "--model", run, "--films", 2), f"{run}/report.html\n")
        page = (run / "report.html").read_text()
        self.assertEqual(len(re.findall(r"<figcaption>\d in front of \d</figcaption>", page)), 2)
        check_page(self, run / "report.html")

    @learns
    def test_quick_with_a_conv_lstm(self):
        run = FOLDER / "conv_lstm"
        out = succeed("train", "--quick", "--output", run, "--conv-lstm", 6, "--threads", 1)
        self.assertRegex(out, r"^400 updates, both digits named in ")
        out = succeed("evaluate", "--quick", "--model", run, "--films", 100)
        self.assertLess(float(re.search(r"last frame: ([\d.]+) pixels", out)[1]), 4)

    def test_learns_from_files(self):
        run = FOLDER / "run"
        done = call("train", *files(), "--output", run, *SMALL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("36 digits, 4 more to validate on, ", done.stderr)
        done = call("evaluate", *files(), "--model", run, "--films", 10)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("of 10 films", done.stdout)
        self.assertEqual(done.stderr, f"moving_digits: {FOLDER}/images.gz was learned from, so this is no held-out score (--images)\n")
        done = call("evaluate", *files("other"), "--model", run, "--films", 10)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # Digits far from each other: of none that pass there is no score.
        out = succeed("evaluate", *files("other"), "--model", run, "--films", 1, "--frames", 1)
        self.assertRegex(out, r"\nposition in the last frame: [\d.]+ pixels off; in no film one passes behind the other\n\Z")

    def test_scores_films_like_those_that_were_learned_from(self):
        run, films = FOLDER / "slow", ["--frames", "3", "--least-speed", "0.1", "--most-speed", "0.3"]
        succeed("train", *files(), "--output", run, *SMALL, *films[2:], "--updates", "4")
        evaluate = ["evaluate", *files(), "--model", run, "--films", "20"]
        score = succeed(*evaluate)
        self.assertEqual(score, succeed(*evaluate, *films))
        self.assertNotEqual(score, succeed(*evaluate, "--frames", "2"))
        usual = succeed(*evaluate, "--frames", "20", "--least-speed", "0.5", "--most-speed", "2")
        self.assertNotEqual(score, usual)
        (FOLDER / "slow.cfg").write_text(f"model = {run}\n")
        self.assertRegex(succeed("report", "--config", FOLDER / "slow.cfg", "--help"), r"--most-speed arg \(=0.3\)")
        done = call("train", *files(), "--output", run, *SMALL, *films[2:4])
        self.assertIn("--most-speed (0.3 there, 2 now)", done.stderr)
        change_notes(run / "best.safetensors", {"films.frames": "some"})
        done = call(*evaluate)
        self.assertEqual((done.returncode, done.stderr),
                         (1, f"moving_digits: {run}/best.safetensors: 'films.frames' of its metadata is 'some', no number that fits\n"))
        # A run from before there were notes: it is scored by the usual films, and goes on without.
        for name in ("best", "last"):
            change_notes(run / f"{name}.safetensors", {})
        self.assertEqual(succeed(*evaluate), usual)
        succeed("train", *files(), "--output", run, *SMALL, *films[2:], "--resume", "must")
        self.assertNotIn("films.frames", parts_of(run / "last.safetensors")[0]["__metadata__"])

    def test_a_digit_that_nobody_writes(self):
        run = FOLDER / "digits"
        done = call("train", *files(), "--output", run, *SMALL, "--updates", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{FOLDER}/images.gz has no images to validate on (--held-out) of 6 of the 10 digits: 0, 1, 2, 3, 4, 5; "
                      "the score is without them\n", done.stderr)
        done = call("train", *files(labels="no58"), "--output", FOLDER / "c", *SMALL)
        self.assertEqual((done.returncode, done.stderr), (1, f"moving_digits: {FOLDER}/images.gz has no images to learn from of 2 of "
                                                             "the 10 digits: 5, 8; each is needed\n"))
        for command in ("evaluate", "report"):
            done = call(command, *files("other", "no58"), "--model", run, "--films", 2)
            self.assertEqual((done.returncode, done.stderr), (0, f"moving_digits: {FOLDER}/other has no images of 2 of the 10 digits: "
                                                                 "5, 8; the score is without them\n"))

    def test_goes_on_with_the_same_bits(self):
        words = ["train", *files(), *SMALL, "--output"]
        succeed(*words, FOLDER / "whole")
        succeed(*words, FOLDER / "parts", "--updates", 5)
        succeed(*words, FOLDER / "parts")
        self.assertEqual(digest(FOLDER / "whole" / "best.safetensors"), digest(FOLDER / "parts" / "best.safetensors"))

    def test_begins_with_another_runs_weights(self):
        succeed("train", *files(), "--output", FOLDER / "first", *SMALL)
        words = ["train", *files(), "--output", FOLDER / "second", *SMALL, "--start", FOLDER / "first"]
        succeed(*words, "--lr", "0", "--updates", "1")
        weights = [safetensors(FOLDER / run / "best.safetensors")["query.weight"] for run in ("first", "second")]
        self.assertEqual(*weights)
        done = call(*words[:-2], "--lr", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--start", done.stderr)
        # It goes on with the folder under another name, and without it; not with other weights.
        (FOLDER / "first").rename(FOLDER / "moved")
        words[-1] = FOLDER / "moved"
        succeed(*words, "--lr", "0", "--updates", "2")
        done = call(*words[:-1], FOLDER / "gone", "--lr", "0", "--updates", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        succeed("train", *files(), "--output", FOLDER / "third", *SMALL, "--seed", "3")
        done = call(*words[:-1], FOLDER / "third", "--lr", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--start (weights of crc32 ", done.stderr)

    def test_does_not_begin_with_a_run_that_was_not_validated(self):
        (FOLDER / "unvalidated").mkdir()
        (FOLDER / "unvalidated" / "last.safetensors").touch()
        done = call("train", *files(), "--output", FOLDER / "after", *SMALL, "--start", FOLDER / "unvalidated")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("unvalidated (--start) has no validation yet; where it was stopped, its train command goes on", done.stderr)

    def test_finds_a_wrong_output_first(self):
        check_finds_a_wrong_output_first(self, FOLDER, "report")

    def test_says_what_is_wrong(self):
        run = FOLDER / "wrong"
        start = ["train", *files(), "--output", run, *SMALL]
        succeed(*start)
        for words, code, text in (
                (["train", "--output", run], 2, "--images is needed"),
                (["train", "--images", FOLDER / "images.gz", "--output", run], 2, "--labels is needed"),
                (["train", *files()], 2, "--output is needed"),
                (["train", "--framse", "3"], 2, "did you mean --frames"),
                (["trian"], 2, "did you mean train"),
                ([], 2, "COMMAND"),
                ([*start, "--most-speed", "1"], 1, "--most-speed"),
                ([*start, "--least-speed", "3"], 2, "--least-speed 3 and --most-speed 2 must be in this order"),
                (["evaluate", *files(), "--model", run, "--most-speed", "99"], 2, "--most-speed 99 must be in this order, and "),
                ([*start, "--recurrent", "gru"], 1, "--recurrent (the default there, gru now)"),
                ([*start, "--conv-lstm", "2"], 1, "--conv-lstm (the default there, 2 now)"),
                ([*start, "--size", "30"], 2, "--size 30 must be a multiple of 4"),
                ([*start, "--short-epochs", "9"], 2, "--short-epochs 9 are more than --epochs 2"),
                ([*start, "--short-epochs", "1", "--short-frames", "99"], 2, "--short-frames 99 are more than --frames"),
                ([*start, "--short-frames", "2"], 2, "--short-frames 2 is of --short-epochs 1 and more; --short-epochs 0 has no use for it"),
                ([*start, "--quick"], 2, "--quick makes its own data; leave out --images"),
                (["train", *files("flat"), "--output", FOLDER / "c"], 1, "flat has images of 0 by 28 pixels"),
                (["train", *files(), "--output", FOLDER / "s", "--size", "12"], 1,
                 f"{FOLDER}/images.gz: [MovingDigits] frames of 12 pixels a side; 15 to 1024 are needed for digits of 14"),
                (["train", *files("odd"), "--output", FOLDER / "c"], 1, f"{FOLDER}/odd: [MovingDigits] images f32[36, 27, 28]"),
                (["evaluate", *files("odd"), "--model", run], 1, f"{FOLDER}/odd: [MovingDigits] images f32[40, 27, 28]"),
                (["evaluate", *files("large"), "--model", run], 1, f"{FOLDER}/large: [MovingDigits] frames of 32 pixels a side; 33 to"),
                (["train", *files("cut.gz"), "--output", FOLDER / "c"], 1, "cut.gz: the gzip data is damaged or cut off"),
                (["train", *files("labels.gz"), "--output", FOLDER / "c"], 1, "images are unsigned bytes"),
                (["train", *files(labels="few"), "--output", FOLDER / "c"], 1, "has 40 images and"),
                (["train", *files(labels="many"), "--output", FOLDER / "c"], 1,
                 f"{FOLDER}/many: image 7 has the label 12, and the model knows 0 to 9; give the digits' own labels (--labels)"),
                (["evaluate", *files(labels="many"), "--model", run], 1, "many: image 7 has the label 12"),
                (["train", *files(), "--output", FOLDER / "c", "--start", FOLDER / "none"], 1,
                 "none (--start) is no folder of a training run that was validated"),
                (["train", *files(), "--output", FOLDER / "c", "--start", run], 1,
                 "best.safetensors (--start) has the weights of another model: different: "),
                (["evaluate", "--model", FOLDER / "none", *files()], 1, "none"),
                (["report", *files(), "--model", run, "--films", "1001"], 2, "must be a whole number from 1 to 1000"),
                (["evaluate", *files()], 2, "--model is needed")):
            done = call(*words)
            self.assertEqual(done.returncode, code, (words, done.stderr))
            self.assertIn(text, done.stderr)


def write_digits():
    """40 images of 28 by 28 pixels, a stripe across each where its label says, and their labels, as IDX files."""
    labels = [i % 10 for i in range(40)]
    pixels = bytes(255 if 2 * label + 4 <= row < 2 * label + 8 else 0 for label in labels for row in range(28) for _ in range(28))
    images = struct.pack(">IIII", 0x803, 40, 28, 28) + pixels
    (FOLDER / "other").write_bytes(images[:-1] + b"\1")
    for name, height, width in (("odd", 27, 28), ("large", 64, 64)):
        (FOLDER / name).write_bytes(struct.pack(">IIII", 0x803, 40, height, width) + bytes(40 * height * width))
    packed = gzip.compress(images)
    (FOLDER / "images.gz").write_bytes(packed)
    (FOLDER / "cut.gz").write_bytes(packed[:len(packed) // 2])
    (FOLDER / "labels.gz").write_bytes(gzip.compress(struct.pack(">II", 0x801, 40) + bytes(labels)))
    (FOLDER / "many").write_bytes(struct.pack(">II", 0x801, 40) + bytes([*labels[:7], 12, *labels[8:]]))
    (FOLDER / "no58").write_bytes(struct.pack(">II", 0x801, 40) + bytes(0 if label in (5, 8) else label for label in labels))
    (FOLDER / "flat").write_bytes(struct.pack(">IIII", 0x803, 40, 0, 28))
    (FOLDER / "few").write_bytes(struct.pack(">II", 0x801, 3) + bytes(labels[:3]))


def main():
    global FOLDER
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        write_digits()
        return run(MovingDigitsTest)


if __name__ == "__main__":
    sys.exit(main())
