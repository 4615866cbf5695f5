"""The program that reads handwritten words, from end to end, on words drawn here. Argument: the program. Prints failures alone."""
import gzip
import json
import pathlib
import random
import re
import struct
import sys
import tempfile
import unittest
import zlib

from program import (call, check_finds_a_wrong_output_first, check_other_programs_run, check_page, check_quick, digest, learns, run,
                     succeed)

FOLDER = pathlib.Path()
SMALL = ["--channels", "4", "--embedding", "12", "--hidden", "16", "--batch-tokens", "200", "--epochs", "2", "--save-every", "3",
         "--held-out", "0.1", "--threads", "1"]


class HandwritingTest(unittest.TestCase):
    def test_quick_by_any_spelling(self):
        check_quick(self, FOLDER, ["evaluate"], ["report", "--words", 2])

    def test_a_folder_of_another_program(self):
        check_other_programs_run(self, FOLDER, "--data", FOLDER / "words.gz", *SMALL)

    @learns
    def test_quick(self):
        run = FOLDER / "quick"
        out = succeed("train", "--quick", "--output", run, "--threads", 1)
        self.assertLess(float(re.search(r"least letter error ([\d.]+) %", out)[1]), 5)
        out = succeed("evaluate", "--quick", "--model", run, "--beam", 3)
        self.assertRegex(out, r"^letter error \d+\.\d\d % \(\d+ substitutions, \d+ deletions, \d+ insertions in \d+ letters\), "
                              r"\d+ of 100 words right\n$")
        self.assertLess(float(re.search(r"letter error ([\d.]+)", out)[1]), 5)
        self.assertEqual(succeed("report", "--quick", "--model", run, "--words", 3), f"{run}/report.html\n")
        page = (run / "report.html").read_text()
        self.assertEqual(len(re.findall(r"<figcaption>[a-z]+, read as [a-z]+</figcaption>", page)), 3)
        self.assertIn("Loss", page)
        check_page(self, run / "report.html")

    def test_reads_a_file_and_leaves_out_what_is_no_word(self):
        run = FOLDER / "run"
        done = call("train", "--data", FOLDER / "words.gz", "--train-folds", "1-2,4", "--output", run, *SMALL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"handwriting: left out: {FOLDER}/words.gz, line 5: 'ab' has 2 letters, but 1 images follow\n"
                      "handwriting: 1 of 121 lines are no words and are left out\n", done.stderr)
        self.assertIn("65 words, 7 more to validate on, 4 letters, ", done.stderr)
        out = succeed("evaluate", "--data", FOLDER / "words.gz", "--folds", "0,3", "--model", run, "--show", 2)
        self.assertRegex(out, r"of 48 words right\n$")

    def test_reads_pictures(self):
        run = FOLDER / "reader"
        succeed("train", "--data", FOLDER / "words.gz", "--train-folds", "1-4", "--output", run, "--channels", "8", "--embedding", "16",
                "--hidden", "32", "--batch-tokens", "200", "--epochs", "120", "--lr", "0.01", "--shift", "0", "--threads", "1")
        wanted = {word: self.read_from_text(run, word) for word in ("cab", "bad")}
        self.assertNotEqual(*wanted.values())
        for times in (1, 3):
            write_picture(FOLDER / "cab.png", "cab", times)
            self.assertEqual(succeed("read", "--model", run, "--pictures", FOLDER / "cab.png"), f"{FOLDER}/cab.png: {wanted['cab']}\n")
        write_picture(FOLDER / "bad.png", "bad", 2)
        (FOLDER / "high.png").write_bytes(png([b"\0" * 8] * 17))
        (FOLDER / "none.png").write_text("none")
        paths = [FOLDER / name for name in ("high.png", "cab.png", "none.png", "bad.png", "missing.png")]
        done = call("read", "--model", run, "--pictures", *paths)
        self.assertEqual((done.returncode, done.stdout), (1, f"{paths[1]}: {wanted['cab']}\n{paths[3]}: {wanted['bad']}\n"))
        for text in (f"left out: {paths[0]}: [letters_of_picture] the picture is 8 pixels wide and 17 high", "none.png", "missing.png",
                     "3 of 5 files were left out"):
            self.assertIn(text, done.stderr)

    def read_from_text(self, run, word):
        """What evaluate reads where the same letters stand in a file of words."""
        patterns = letter_patterns(random.Random(1))
        (FOLDER / "one").write_text(f"0 {word} " + " ".join(f"{patterns[letter]:032x}" for letter in word) + "\n")
        shown = re.match(f"{word} was read as (.*)\n", succeed("evaluate", "--data", FOLDER / "one", "--model", run, "--show", "1"))
        return shown[1] if shown else word

    def test_a_letter_that_it_cant_tell(self):
        run, data = FOLDER / "unknown", ["--data", FOLDER / "words.gz"]
        succeed("train", *data, "--train-folds", "1-4", "--output", run, *SMALL, "--updates", "1")
        write_unknown_letters(run / "best.safetensors")
        succeed("report", *data, "--model", run, "--words", "3")
        page = (run / "report.html").read_text(encoding="utf-8")
        self.assertEqual(len(re.findall("<figcaption>[a-d]+, read as \ufffd+</figcaption>", page)), 3)
        self.assertNotIn("&lt;unk&gt;", page)
        check_page(self, run / "report.html")

    def test_words_that_are_too_long(self):
        lines = [f"1 {text} " + " ".join(["0" * 32] * len(text)) for text in 10 * ["ab"] + 2 * [101 * "a"]]
        (FOLDER / "long").write_text("\n".join(lines) + "\n")
        train = ["train", "--data", FOLDER / "long", "--output", FOLDER / "long-run", *SMALL, "--updates", "1"]
        done = call(*train)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("handwriting: 2 words of more than 100 letters are not learned from\n9 words, 1 more to validate on, ", done.stderr)
        (FOLDER / "long").write_text("\n".join(lines[-2:] * 5) + "\n")
        done = call(*train)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"handwriting: {FOLDER}/long: [TokenBatcher] no pair left of 9: 0 with an empty side, 9 longer than max_length 100",
                      done.stderr)

    def test_says_which_folds_were_learned_from(self):
        run, data = FOLDER / "folds", ["--data", FOLDER / "words.gz"]
        train = ["train", *data, "--output", run, *SMALL, "--train-folds"]
        succeed(*train, "1-2,4-99", "--updates", "2")
        for folds, learned in (("0,3", ""), ("1-3", "1, 2"), ("4", "4")):
            done = call("evaluate", *data, "--model", run, "--folds", folds)
            self.assertEqual(done.returncode, 0, done.stderr)
            said = (f"handwriting: folds {learned} were learned from (--folds), so this is no held-out score unless --data is another "
                    "file\n")
            self.assertEqual("".join(line for line in done.stderr.splitlines(True) if "learned from" in line), said if learned else "")
        self.assertIn("--train-folds (1,2,4 there, 1,2,3,4 now)", call(*train, "1-4").stderr)
        # A run from before there were notes is scored and goes on as ever.
        for name in ("best", "last"):
            change(run / f"{name}.safetensors", lambda header, tensors: header["__metadata__"].pop("learned_folds"))
        done = call("evaluate", *data, "--model", run, "--folds", "1-3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("learned from", done.stderr)
        succeed(*train, "1-2,4", "--resume", "must")

    def test_other_letters_are_other_data(self):
        run, lines = FOLDER / "letters", gzip.decompress((FOLDER / "words.gz").read_bytes()).decode().splitlines()
        succeed("train", "--data", FOLDER / "words.gz", "--output", run, *SMALL)
        (FOLDER / "abc").write_text("".join(f"{line}\n" for line in lines if "d" not in line.split()[1]))
        done = call("train", "--data", FOLDER / "abc", "--output", run, *SMALL)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("--data, --train-folds ([", done.stderr)

    def test_holds_out_the_share_that_it_says(self):
        small = [word if word != "0.1" else "0.4" for word in SMALL]
        done = call("train", "--data", FOLDER / "words.gz", "--train-folds", "1-2,4", "--output", FOLDER / "share", *small, "--updates", "1")
        self.assertIn("44 words, 28 more to validate on, ", done.stderr)

    def test_goes_on_with_the_same_bits(self):
        words = ["train", "--data", FOLDER / "words.gz", "--train-folds", "1-4", *SMALL, "--output"]
        succeed(*words, FOLDER / "whole")
        succeed(*words, FOLDER / "parts", "--updates", 4)
        succeed(*words, FOLDER / "parts")
        self.assertEqual(digest(FOLDER / "whole" / "best.safetensors"), digest(FOLDER / "parts" / "best.safetensors"))

    def test_kinds_of_attention(self):
        words = ["train", "--data", FOLDER / "words.gz", "--train-folds", "1-4", *SMALL, "--updates", "2"]
        for name, more, said in (("window", ["--attention", "local-m", "--window", "2", "--normaliser", "sparsemax"],
                                  "--window (2 there, 1 now)"),
                                 ("heads", ["--attention", "multi_head", "--attention-heads", "4", "--normaliser", "entmax15"],
                                  "--attention-heads (4 there, 1 now)")):
            succeed(*words, *more, "--output", FOLDER / name)
            self.assertRegex(succeed("evaluate", "--data", FOLDER / "words.gz", "--model", FOLDER / name), r"of 24 words right\n$")
            other = [word if word not in ("2", "4") else "1" for word in more]
            done = call(*words, *other, "--output", FOLDER / name)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(said, done.stderr)

    def test_a_page_without_attention(self):
        run, data = FOLDER / "no-attention", ["--data", FOLDER / "words.gz"]
        succeed("train", *data, "--train-folds", "1-4", *SMALL, "--attention", "none", "--output", run)
        self.assertEqual(succeed("report", *data, "--model", run, "--words", 3), f"{run}/report.html\n")
        page = (run / "report.html").read_text(encoding="utf-8")
        self.assertEqual(len(re.findall(r"<tr><td>[a-d]+</td><td>[a-d\ufffd]*</td></tr>", page)), 3)
        self.assertIn("Loss", page)
        check_page(self, run / "report.html")

    def test_finds_a_wrong_output_first(self):
        check_finds_a_wrong_output_first(self, FOLDER, "report")

    def test_says_what_is_wrong(self):
        run = FOLDER / "wrong"
        start = ["train", "--data", FOLDER / "words.gz", "--output", run, *SMALL]
        succeed(*start)
        (FOLDER / "text").write_text("no word\n")
        for words, code, text in (
                (["train", "--output", run], 2, "--data is needed"),
                (["train", "--data", FOLDER / "words.gz"], 2, "--output is needed"),
                (["train", "--trian-folds", "1"], 2, "did you mean --train-folds"),
                (["evalute"], 2, "did you mean evaluate"),
                ([*start, "--attention", "multi_head", "--attention-heads", "3"], 2, "--hidden 16 must be a multiple of"),
                ([*start, "--attention-heads", "3"], 2, "--attention-heads 3 is of --attention multi_head; additive has no use for it"),
                ([*start, "--window", "3"], 2, "--window 3 is of --attention local-m and local-p; additive has no use for it"),
                ([*start, "--attention", "none", "--normaliser", "sparsemax"], 2, "--normaliser sparsemax is of attention"),
                ([*start, "--normaliser", "max"], 2, "must be softmax, sparsemax or entmax15"),
                ([], 2, "COMMAND"),
                ([*start, "--train-folds", "4-1"], 2, "--train-folds must be numbers or rising ranges"),
                ([*start, "--train-folds", "1,"], 2, "not '1,'"),
                ([*start, "--train-folds", "77"], 1, "words.gz has no words of folds 77 (--train-folds)"),
                (["train", "--data", FOLDER / "words.gz", "--output", run, "--train-folds", "1", "--held-out", "0.01"], 1,
                 "words.gz has 24 words of folds 1 (--train-folds): too few to hold --held-out 0.01 of them out"),
                (["evaluate", "--quick", "--model", run, "--folds", "99"], 1, "there are no words of folds 99 (--folds)"),
                (["train", "--data", FOLDER / "words.gz", "--output", run, "--hidden", "15"], 2, "--hidden 15 must be even"),
                ([*start, "--quick"], 2, "--quick makes its own data; leave out --data"),
                ([*start, "--shift", "0"], 1, "--shift (1 there, 0 now)"),
                (["train", "--data", FOLDER / "none", "--output", run], 1, "none"),
                (["train", "--data", FOLDER / "text", "--output", run], 1, "is a word"),
                (["evaluate", "--model", FOLDER / "none", "--data", FOLDER / "words.gz"], 1, "none"),
                (["evaluate", "--data", FOLDER / "words.gz"], 2, "--model is needed"),
                (["read", "--model", run], 2, "--pictures is needed"),
                (["read", "--pictures", FOLDER / "words.gz"], 2, "--model is needed")):
            done = call(*words)
            self.assertEqual(done.returncode, code, (words, done.stderr))
            self.assertIn(text, done.stderr)


def change(path, what):
    """Calls what(header, bytes of the tensors) to change a file of tensors, which loses its checksum."""
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header, tensors = json.loads(content[8:8 + size]), bytearray(content[8 + size:])
    header["__metadata__"] = {name: value for name, value in header["__metadata__"].items() if not name.startswith("weft.")}
    what(header, tensors)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + tensors)


def write_unknown_letters(path):
    """Makes weights write the unknown letter, whatever they see."""
    def raise_bias(header, tensors):
        place = header["output.bias"]["data_offsets"][0] + 4  # its id is 1
        tensors[place:place + 4] = struct.pack("<f", 1000)
    change(path, raise_bias)


def letter_patterns(draw):
    """The 128 pixels of each letter, the first in the highest bit."""
    return {letter: draw.getrandbits(128) for letter in "abcd"}


def png(rows):
    """A grey PNG file of rows of bytes."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b"")


def write_picture(path, word, times):
    """The letters of a word side by side, dark on light, each pixel so many times wide and high."""
    patterns = letter_patterns(random.Random(1))
    rows = []
    for y in range(16):
        bits = "".join(f"{patterns[letter]:0128b}"[8 * y:8 * y + 8] for letter in word)
        rows += [bytes(0 if bit == "1" else 255 for bit in bits for _ in range(times))] * times
    path.write_bytes(png(rows))


def write_words(path):
    """120 words of four letters, each letter a pattern with some noise, in folds 0 to 4; and a line that is no word."""
    draw = random.Random(1)
    patterns = letter_patterns(draw)
    lines = []
    for i in range(120):
        text = "".join(draw.choice("abcd") for _ in range(draw.randint(1, 6)))
        lines.append(f"{i % 5} {text} " + " ".join(f"{patterns[c] ^ (1 << draw.randrange(128)):032x}" for c in text))
    lines.insert(4, "0 ab " + "0" * 32)
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines) + "\n")


def main():
    global FOLDER
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        write_words(FOLDER / "words.gz")
        return run(HandwritingTest)


if __name__ == "__main__":
    sys.exit(main())
