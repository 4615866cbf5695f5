"""The program that names digits heard and seen, from end to end, on tones and stripes made here. Argument: the program. Prints
failures alone."""
import math
import pathlib
import random
import re
import struct
import sys
import tempfile
import unittest
import wave

from program import call, check_finds_a_wrong_output_first, check_page, check_quick, digest, figures, learns, run, succeed

FOLDER = pathlib.Path()
SMALL = ["--hidden", "8", "--channels", "2", "--batch", "4", "--epoch-batches", "4", "--validation-pairs", "6", "--epochs", "2",
         "--save-every", "3", "--threads", "1"]


def files(sounds="sounds", images="images", labels="labels"):
    return ["--sounds", FOLDER / sounds, "--images", FOLDER / images, "--labels", FOLDER / labels]


class TwoSensesTest(unittest.TestCase):
    def test_quick_by_any_spelling(self):
        check_quick(self, FOLDER, ["evaluate", "--pairs", 20], ["report", "--pairs", 2],
                    kinds=[("--senses", senses) for senses in ("sound", "image", "gated", "co_attention")])

    @learns
    def test_quick(self):
        errors = {}
        for senses in ("sound", "image", "gated", "co_attention"):
            run = FOLDER / f"quick-{senses}"
            out = succeed("train", "--quick", "--senses", senses, "--output", run, "--threads", 1)
            self.assertRegex(out, r"^300 updates, [\d.]+ % of the validation pairs named, \d+ pairs/s, ")
            out = succeed("evaluate", "--quick", "--model", run, "--pairs", 200)
            counts = r", the sound counts ([\d.]+)" if senses == "gated" else ""
            said = re.fullmatch(r"([\d.]+) % errors in 200 pairs\nsound spoilt: [\d.]+ % errors in \d+ pairs" + counts +
                                r"\nimage spoilt: [\d.]+ % errors in \d+ pairs" + counts + r"\n", out)
            self.assertIsNotNone(said, out)
            errors[senses] = float(said[1])
            if senses == "gated":
                self.assertLess(float(said[2]), float(said[3]))  # the gate follows the noise
            self.assertEqual(succeed("report", "--quick", "--model", run, "--pairs", 2), f"{run}/report.html\n")
            titles = [figure["title"] for figure in figures(run / "report.html") if figure["kind"] != "curve"]
            for sense in ("sound", "image"):  # pictures of one pair are told apart
                of_sense = [title for title in titles if title.startswith(f"the {sense} of a ")]
                self.assertEqual(len(of_sense), 2 if senses not in ("sound", "image") or senses == sense else 0, titles)
                for title in of_sense:
                    self.assertRegex(title, r"of a \d, named \d; the (?:sound|image) is spoilt")
            check_page(self, run / "report.html")
        self.assertLess(errors["gated"], min(errors["sound"], errors["image"]))

    def test_learns_from_files(self):
        run = FOLDER / "run"
        done = call("train", *files(), "--output", run, *SMALL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("40 recordings, 36 images, ", done.stderr)
        self.assertEqual(done.stderr.count("two_senses: left out: "), 1)
        self.assertIn("two_senses: 1 of 61 files were left out\n", done.stderr)
        self.assertIn("errors in 10 pairs", succeed("evaluate", *files(), "--model", run, "--pairs", 10))
        for command in ("evaluate", "report"):
            words = [command, "--model", run, "--pairs", 2]
            self.assertIn(f"two_senses: {FOLDER}/images was learned from, so this is no held-out score (--images)\n",
                          call(*words, *files()).stderr)
            self.assertNotIn("learned from", call(*words, *files("sounds", "other")).stderr)
        one = succeed("evaluate", *files(), "--model", run, "--pairs", 1).splitlines()
        self.assertEqual(len(one), 3)
        self.assertEqual(len([line for line in one if line in ("sound spoilt in no pair", "image spoilt in no pair")]), 1, one)

    def test_is_measured_with_the_noise_that_it_learned_from(self):
        run = FOLDER / "noise"
        succeed("train", *files(), "--sound-noise", "0.5", "--image-noise", "1e-3", *SMALL, "--output", run)
        for command in ("evaluate", "report"):
            said = succeed(command, "--model", run, "--help")
            self.assertIn("--sound-noise arg (=0.5)", said)
            self.assertIn("--image-noise arg (=0.001)", said)
            self.assertIn("--sound-noise arg (=8)", succeed(command, "--help"))
        words = ["evaluate", *files(), "--model", run, "--pairs", 100]
        self.assertEqual(succeed(*words), succeed(*words, "--sound-noise", "0.5", "--image-noise", "0.001"))
        self.assertNotEqual(succeed(*words), succeed(*words, "--sound-noise", "8", "--image-noise", "4"))

    def test_a_digit_that_nobody_says_or_writes(self):
        run = FOLDER / "digits"
        succeed("train", *files(), "--output", run, *SMALL)
        for words, what in ((files(sounds="no7"), "no7 has no recordings to learn from (takes 8 and more) of 1 of the 10 digits: 7"),
                            (files(labels="no58"), "images has no images to learn from of 2 of the 10 digits: 5, 8")):
            done = call("train", *words, "--output", FOLDER / "c", *SMALL)
            self.assertEqual(done.returncode, 1)
            self.assertTrue(done.stderr.endswith(f"{what}; each is needed\n"), done.stderr)
        for words, what in ((files(sounds="no7"), "no7 has no test recordings (takes 0 to 4) of 1 of the 10 digits: 7"),
                            (files(labels="no58"), "images has no images of 2 of the 10 digits: 5, 8")):
            for command in ("evaluate", "report"):
                done = call(command, *words, "--model", run, "--pairs", 10)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"{what}; the score is without them\n", done.stderr)

    def test_goes_on_with_the_same_bits(self):
        words = ["train", *files(), *SMALL, "--output"]
        succeed(*words, FOLDER / "whole")
        succeed(*words, FOLDER / "parts", "--updates", 5)
        succeed(*words, FOLDER / "parts")
        self.assertEqual(digest(FOLDER / "whole" / "best.safetensors"), digest(FOLDER / "parts" / "best.safetensors"))

    def test_an_lstm_for_the_sound(self):
        words = ["train", *files(), *SMALL, "--updates", 2, "--output", FOLDER / "lstm"]
        succeed(*words, "--recurrent", "lstm")
        self.assertIn("errors in 10 pairs", succeed("evaluate", *files(), "--model", FOLDER / "lstm", "--pairs", 10))
        done = call(*words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("--recurrent (lstm there, the default now)", done.stderr)

    def test_finds_a_wrong_output_first(self):
        check_finds_a_wrong_output_first(self, FOLDER, "report")

    def test_says_what_is_wrong(self):
        run = FOLDER / "wrong"
        start = ["train", *files(), "--output", run, *SMALL]
        succeed(*start)
        for words, code, text in (
                (["train", "--output", run], 2, "--images is needed"),
                (["train", *files()], 2, "--output is needed"),
                (["train", "--sences", "sound"], 2, "did you mean --senses"),
                (["train", "--senses", "smell"], 2, "smell"),
                (["train", "--recurrent", "rnn"], 2, "must be lstm or gru"),
                (["trian"], 2, "did you mean train"),
                (["train", *files(), "--output", FOLDER / "h", "--hidden", "7"], 2, "--hidden 7 must be even"),
                ([*start, "--senses", "image", "--recurrent", "lstm"], 2, "--recurrent lstm is of the sound; --senses image has no use for it"),
                ([*start, "--image-noise", "1"], 1, "--image-noise"),
                ([*start, "--image-noise", "1e39"], 2, "'--image-noise' must be a number from 0 to 1000000"),
                ([*start, "--sound-noise", "1e39"], 2, "'--sound-noise' must be a number from 0 to 1000000"),
                ([*start, "--quick"], 2, "--quick makes its own data; leave out --"),
                (["train", *files(labels="few"), "--output", FOLDER / "c"], 1, "has 40 images and"),
                (["train", *files(images="odd"), "--output", FOLDER / "c"], 1,
                 "odd: [DigitSenses] images of 27 by 28 pixels; multiples of 4 are needed"),
                (["train", *files(sounds="none"), "--output", FOLDER / "c"], 1, "none"),
                (["train", *files(labels="twelve"), "--output", FOLDER / "c"], 1,
                 "twelve: image 7 has the label 12, and the model knows 0 to 9; give the digits' own labels (--labels)"),
                (["evaluate", *files(labels="twelve"), "--model", run], 1, "twelve: image 7 has the label 12"),
                (["evaluate", *files(images="odd"), "--model", run], 1, f"{FOLDER}/odd: [DigitSenses] image f32[64, 27, 28] is not"),
                (["report", *files(images="odd"), "--model", run], 1, f"{FOLDER}/odd: [DigitSenses] image f32[8, 27, 28] is not"),
                (["report", *files(), "--model", run, "--pairs", "1001"], 2, "must be a whole number from 1 to 1000"),
                (["evaluate", "--model", FOLDER / "none", *files()], 1, "none"),
                (["evaluate", *files()], 2, "--model is needed")):
            done = call(*words)
            self.assertEqual(done.returncode, code, (words, done.stderr))
            self.assertIn(text, done.stderr)


def write_sounds():
    """Ten digits, a tone each, in takes 0, 5 and 8 to 11 by one speaker, and one file that is none."""
    draw = random.Random(2)
    (FOLDER / "sounds").mkdir()
    for digit in range(10):
        for take in (0, 5, 8, 9, 10, 11):
            samples = [8000 * math.sin(2 * math.pi * (300 + 150 * digit) / 8000 * t) + draw.gauss(0, 100) for t in range(1600)]
            with wave.open(str(FOLDER / "sounds" / f"{digit}_one_{take}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(struct.pack(f"<{len(samples)}h", *map(round, samples)))
    (FOLDER / "no7").mkdir()
    for path in (FOLDER / "sounds").glob("[!7]*"):
        (FOLDER / "no7" / path.name).write_bytes(path.read_bytes())
    (FOLDER / "sounds" / "0_one_12.wav").write_bytes(b"RIFF")


def write_images():
    """40 images of 28 by 28 pixels, a stripe across each where its label says, and their labels, as IDX files."""
    labels = [i % 10 for i in range(40)]
    pixels = bytes(255 if 2 * label + 4 <= row < 2 * label + 8 else 0 for label in labels for row in range(28) for _ in range(28))
    for name, last in (("images", pixels[-1:]), ("other", b"\1")):
        (FOLDER / name).write_bytes(struct.pack(">IIII", 0x803, 40, 28, 28) + pixels[:-1] + last)
    (FOLDER / "labels").write_bytes(struct.pack(">II", 0x801, 40) + bytes(labels))
    (FOLDER / "no58").write_bytes(struct.pack(">II", 0x801, 40) + bytes(0 if label in (5, 8) else label for label in labels))
    (FOLDER / "twelve").write_bytes(struct.pack(">II", 0x801, 40) + bytes(labels[:7] + [12] + labels[8:]))
    (FOLDER / "odd").write_bytes(struct.pack(">IIII", 0x803, 40, 27, 28) + bytes(40 * 27 * 28))
    (FOLDER / "few").write_bytes(struct.pack(">II", 0x801, 3) + bytes(labels[:3]))


def main():
    global FOLDER
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        write_sounds()
        write_images()
        return run(TwoSensesTest)


if __name__ == "__main__":
    sys.exit(main())
