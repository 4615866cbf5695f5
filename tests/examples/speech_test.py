"""The speech program's command line from end to end, on tones made here. Argument: the program. Prints failures alone."""
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
SMALL = ["--hidden", "8", "--layers", "1", "--bands", "12", "--stack", "6", "--strings", "24", "--max-digits", "3",
         "--valid-strings", "6", "--batch", "8", "--epochs", "2", "--save-every", "2", "--threads", "1"]


def tones(digit, speaker, chosen):
    """As data::tone_words makes them."""
    pitch = 1 + 0.03 * (speaker % 5 - 2)
    hertz = pitch * 400 * 1.35 ** (digit % 5), pitch * 600 * 1.8 ** (digit // 5)
    count, loudness = int(chosen.uniform(0.2, 0.3) * 8000), chosen.uniform(0.1, 0.4)
    return [loudness * math.sin(2 * math.pi * hertz[t * 2 // count] / 8000 * t) + chosen.gauss(0, 0.01) for t in range(count)]


def write_wav(path, samples, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *(max(-32768, min(32767, round(32768 * s))) for s in samples)))
    return path


def quick_run(model, *words):
    """The folder of a run on the generated tones, and what training has printed; trained once."""
    run = FOLDER / "-".join(["quick", model, *(word.strip("-") for word in words)])
    out = run.with_suffix(".out")
    if not out.exists():
        out.write_text(succeed("train", "--quick", "--model", model, *words, "--output", run, "--threads", 1))
    return run, out.read_text()


class SpeechTest(unittest.TestCase):
    def test_quick_by_any_spelling(self):
        check_quick(self, FOLDER, ["evaluate", "--strings", 5], ["report"],
                    kinds=[("--model", model) for model in ("ctc", "attention", "transducer")])

    @learns
    def test_quick_learns_both_models(self):
        chosen = random.Random(7)
        sound = [0.0] * 300
        for digit in (3, 1, 4, 9):
            sound += tones(digit, 1, chosen) + [chosen.gauss(0, 1e-4) for _ in range(800)]
        path = write_wav(FOLDER / "string.wav", sound)
        # Attention finds its alignments later than CTC does, and loses its place in strings longer than those it learned from.
        for model, most, most_in_strings in (("ctc", 2, 5), ("attention", 12, 40), ("transducer", 10, 12)):
            run, out = quick_run(model)
            self.assertLess(float(re.search(r"best digit error ([\d.]+) %", out)[1]), most)
            for beam in (1, 4):
                heard = succeed("recognize", "--model", run, "--sounds", path, "--beam", beam)
                self.assertRegex(heard, rf"\A{re.escape(str(path))}: [0-9 ]+\n\Z")
                if model == "ctc":
                    self.assertEqual(heard, f"{path}: 3 1 4 9\n")
            scoring = ["evaluate", "--model", run, "--data", FOLDER / "data", "--strings", 20]
            scored = succeed(*scoring)
            error = re.match(r"strings: digit error = ([\d.]+) \(.*\), [\d.]+ % of 20 without error\n"
                             r"single digits: ([\d.]+) % of 40 right\n[\d.]+ s of sound in", scored)
            self.assertLess(float(error[1]), most_in_strings)
            self.assertGreater(float(error[2]), 90)
            self.assertEqual(scored.split("\n")[:2], succeed(*scoring, "--batch", 3).split("\n")[:2])
            self.check_report(run, path, model)
            made = succeed("evaluate", "--model", run, "--quick", "--strings", 20)
            self.assertRegex(made, r"\Astrings: digit error = .* of 20 without error\nsingle digits: [\d.]+ % of 150 right\n")

    def check_report(self, run, path, model):
        page = succeed("report", "--model", run, "--sounds", path).strip()
        self.assertEqual(page, str(run / "report.html"))
        check_page(self, run / "report.html")
        data = figures(page)
        pictures = [figure for figure in data if figure["kind"] == "sound"]
        self.assertEqual(len(pictures), 0 if model == "transducer" else 1)
        if model == "transducer":
            self.assertIn("string.wav: ", pathlib.Path(page).read_text(encoding="utf-8"))
            return
        heard = succeed("recognize", "--model", run, "--sounds", path).strip()
        self.assertEqual(pictures[0]["title"], heard)
        digits = heard.split(": ")[1].split()
        self.assertEqual(pictures[0]["rows"][:len(digits)], digits)
        self.assertEqual(pictures[0]["rows"][len(digits):], ["(end)"] if model == "attention" else [])

    @learns
    def test_a_page_of_generated_tones(self):
        run, _ = quick_run("ctc")
        succeed("report", "--model", run, "--quick")
        check_page(self, run / "report.html")
        titles = [figure["title"] for figure in figures(run / "report.html") if figure["kind"] == "sound"]
        self.assertEqual(len(titles), 6)
        self.assertGreater(len([title for title in titles if re.fullmatch(r"tones of (\d(?: \d)*): \1", title)]), 3, titles)

    @learns
    def test_a_page_of_silence(self):
        noise = random.Random(1)
        path = write_wav(FOLDER / "silence.wav", [noise.gauss(0, 1e-4) for _ in range(4000)])  # that of pauses in training
        for model in ("ctc", "transducer"):
            run, _ = quick_run(model)
            self.assertEqual(succeed("recognize", "--model", run, "--sounds", path), f"{path}: \n")
            succeed("report", "--model", run, "--sounds", path)
            check_page(self, run / "report.html")
            pictures = [figure for figure in figures(run / "report.html") if figure["kind"] == "sound"]
            self.assertEqual([(figure["title"], figure["rows"]) for figure in pictures], [(f"{path}: nothing was heard", ["(nothing)"])])

    @learns
    def test_faithfulness(self):
        runs = [quick_run("attention")[0], quick_run("attention", "--normaliser", "sparsemax")[0]]
        words = ["faithfulness", "--data", FOLDER / "data", "--strings", 20, "--threads", 1, "--model"]
        out = succeed(*words, *runs)
        self.assertEqual(out, succeed(*words, *runs))  # its draws are fixed
        number, change = r"(-?[\d.]+)", r"([-+][\d.]+) \(log [-+][\d.]+\), digit error ([\d.]+) %"
        zeros = []
        for run, part in zip(runs, re.split(r"^(?=\S)", out, flags=re.MULTILINE)[1:], strict=True):
            lines = part.splitlines()
            self.assertEqual(len(lines), 8)
            first = re.fullmatch(rf"{re.escape(str(run))}: 20 strings, digit error {number} %, probability of what is heard "
                                 rf"{number} \(log {number}\)", lines[0])
            even = re.fullmatch(rf"  evenness {number}, {number} % of the weights are 0, the tenth with the highest has {number} % "
                                r"of the weight", lines[1])
            zeros.append(float(even[2]))
            for line, share in zip(lines[2:6], (2, 5, 10, 20)):
                self.assertRegex(line, rf"\A  without +{share} % of the steps: highest {change}; random {change}; lowest {change};\Z")
            most = re.findall(change, lines[5])
            self.assertLess(float(most[0][0]), float(most[2][0]))  # the steps with the highest weights are missed more
            for line, name in zip(lines[6:], ("random", "even")):
                fall, error = re.fullmatch(f"  with {name} weights: {change}", line).groups()
                self.assertLess(float(fall), 0)
                self.assertGreater(float(error), float(first[1]))
            scored = succeed("evaluate", "--model", run, "--data", FOLDER / "data", "--strings", 20)
            self.assertEqual(re.match(rf"strings: digit error = {number} ", scored)[1], first[1])
        self.assertEqual(zeros[0], 0)  # softmax
        self.assertGreater(zeros[1], 50)

    def test_goes_on_with_the_same_bits(self):
        for model, more in (("ctc", []), ("attention", []), ("transducer", []), ("attention", ["--normaliser", "entmax15"])):
            words = ["train", "--data", FOLDER / "data", "--model", model, *more, *SMALL, "--output"]
            model += "".join(more)
            succeed(*words, FOLDER / f"whole-{model}")
            succeed(*words, FOLDER / f"parts-{model}", "--updates", 3)
            succeed(*words, FOLDER / f"parts-{model}")
            self.assertEqual(digest(FOLDER / f"whole-{model}" / "best.safetensors"),
                             digest(FOLDER / f"parts-{model}" / "best.safetensors"))
            if more:
                done = call(*(word if word != "entmax15" else "sparsemax" for word in words), FOLDER / f"whole-{model}")
                self.assertEqual(done.returncode, 1)
                self.assertIn("--normaliser (entmax15 there, sparsemax now)", done.stderr)

    def test_strings_with_fewer_steps_than_digits(self):
        words = ["train", "--data", FOLDER / "data", *SMALL, "--output", FOLDER / "short"]
        words[words.index("--stack") + 1] = 40  # steps of 0.4 s
        done = call(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(" digits/s", done.stderr)
        counts = {}
        for part, all_of in (("to validate on", 6), ("of the first epoch", 24), ("of the epochs since the start", 48)):
            said = re.search(rf"^speech: (\d+) of {all_of} strings {part} have fewer steps than their digits need and are left out "
                             r"\(--stack\); the first is ((?:\d_(?:ann|bob)_\d+ )+)with (\d) steps?$", done.stderr, re.MULTILINE)
            self.assertIsNotNone(said, done.stderr)
            self.assertGreater(len(said[2].split()), int(said[3]) - 1)
            counts[part] = int(said[1]), said.start()
        self.assertGreater(counts["of the epochs since the start"][0], counts["of the first epoch"][0])
        first_step = done.stderr.index("digits/s")
        self.assertLess(max(counts[part][1] for part in ("to validate on", "of the first epoch")), first_step)
        self.assertGreater(counts["of the epochs since the start"][1], first_step)
        # Attention needs no step for each digit.
        words[-1] = FOLDER / "short-attention"
        self.assertNotIn("fewer steps", call(*words, "--model", "attention").stderr)

    def test_leaves_out_what_cannot_be_used(self):
        run = FOLDER / "left-out"
        broken = FOLDER / "broken"
        broken.mkdir()
        for path in (FOLDER / "data").iterdir():
            (broken / path.name).write_bytes(path.read_bytes())
        (broken / "1_ann_9.wav").write_bytes(b"")
        cut = broken / "2_ann_9.wav"
        cut.write_bytes(cut.read_bytes()[:-10])
        with wave.open(str(broken / "3_ann_9.wav"), "wb") as short:
            short.setparams((1, 2, 8000, 0, "NONE", ""))
            short.writeframes(bytes(2 * 399))
        (broken / "4_ann_9.mp3").write_bytes(b"")
        (broken / "README").write_text("passed over\n")
        done = call("train", "--data", broken, *SMALL, "--output", run)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1_ann_9.wav is empty", done.stderr)
        self.assertIn("3_ann_9.wav has 399 samples, less than 0.05 s", done.stderr)
        self.assertRegex(done.stderr, r"2_ann_9\.wav: its chunk 'data' of \d+ bytes goes past the file's end")
        self.assertIn("4_ann_9.mp3 isn't .wav or .flac", done.stderr)
        self.assertIn("4 of 201 files were left out", done.stderr)
        good = broken / "3_ann_0.wav"
        heard = call("recognize", "--model", run, "--sounds", cut, good, broken / "none.wav")
        self.assertEqual(heard.returncode, 1)
        self.assertTrue(heard.stdout.startswith(f"{good}:"))
        self.assertEqual(len(heard.stdout.splitlines()), 1)
        self.assertIn("2 of 3 files were left out", heard.stderr)

    def test_a_digit_that_nobody_says(self):
        run = FOLDER / "all-digits"
        succeed("train", "--data", FOLDER / "data", *SMALL, "--output", run)
        some = FOLDER / "no7"
        some.mkdir()
        for path in (FOLDER / "data").glob("[!7]*"):
            (some / path.name).write_bytes(path.read_bytes())
        done = call("train", "--data", some, *SMALL, "--output", FOLDER / "n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no7 has no recordings to learn from (takes 8 and more) of 1 of the 10 digits: 7; each is needed", done.stderr)
        done = call("evaluate", "--model", run, "--data", some, "--strings", 5)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, f"speech: {some} has no test recordings (takes 0 to 4) of 1 of the 10 digits: 7; "
                                      "the score is without them\n")
        for take in (5, 6, 7):
            (some / f"7_ann_{take + 3}.wav").write_bytes((FOLDER / "data" / f"7_ann_{take}.wav").read_bytes())
        done = call("train", "--data", some, *SMALL, "--updates", 1, "--output", FOLDER / "n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no recordings to validate on (takes 5 to 7) of 1 of the 10 digits: 7; the score is without them", done.stderr)

    def test_finds_a_wrong_output_first(self):
        check_finds_a_wrong_output_first(self, FOLDER, "report")

    def test_says_what_is_wrong(self):
        run = FOLDER / "wrong"
        start = ["train", "--data", FOLDER / "data", "--output", run, *SMALL]
        succeed(*start)
        (FOLDER / "nothing").mkdir()
        for words, code, text in (
                (["train", "--output", run], 2, "--data is needed"),
                (["train", "--data", FOLDER / "data"], 2, "--output is needed"),
                (["train", "--model", "hmm"], 2, "ctc, attention or transducer"),
                ([*start, "--normaliser", "max"], 2, "must be softmax, sparsemax or entmax15"),
                ([*start, "--normaliser", "sparsemax"], 2, "--normaliser sparsemax is of attention; --model ctc has none"),
                ([*start, "--label-smoothing", "0.5"], 2, "--label-smoothing 0.5 is of --model attention; ctc has no use for it"),
                ([*start, "--model", "transducer", "--label-smoothing", "0.5"], 2, "of --model attention; transducer has no use for it"),
                ([*start, "--embedding", "3"], 2, "--embedding 3 is of --model attention and transducer; ctc has no use for it"),
                ([*start, "--quick"], 2, "--quick makes its own data; leave out --data"),
                (["evaluate", "--model", run, "--quick", "--data", FOLDER / "data"], 2, "--quick makes its own data"),
                (["report", "--model", run, "--quick", "--sounds", FOLDER / "16k.wav"], 2, "--quick makes its own data; leave out --sounds"),
                (["report", "--model", run], 2, "--sounds is needed"),
                (["train", "--data", FOLDER / "tests", "--output", FOLDER / "n"], 1, "tests has no recordings to learn from (takes 8"),
                (["faithfulness", "--data", FOLDER / "data"], 2, "--model is needed"),
                (["faithfulness", "--model", run], 2, "--data is needed"),
                (["faithfulness", "--model", run, "--data", FOLDER / "data"], 1, "is a run of ctc, which has no weights to try"),
                (["trian"], 2, "did you mean train"),
                ([], 2, "COMMAND"),
                (["train", "--data", FOLDER / "none", "--output", run], 1, "none: No such file"),
                (["train", "--data", FOLDER / "nothing", "--output", FOLDER / "n"], 1, "has no file .wav or .flac"),
                ([*start, "--dropout", "0.5"], 1, "--dropout (0.3 there, 0.5 now)"),
                ([*start, "--time-masks", "0"], 1, "--time-masks"),
                (["train", "--quick", "--stack", "1000", "--output", FOLDER / "b"], 1, "as many steps as labels: stack fewer frames"),
                (["train", "--quick", "--bands", "120", "--output", FOLDER / "b"], 2, "--bands 120: [LogMel]"),
                (["evaluate", "--model", FOLDER / "none", "--data", FOLDER / "data"], 1, "none"),
                (["evaluate", "--model", run], 2, "--data is needed"),
                (["recognize", "--model", run], 2, "--sounds is needed"),
                (["recognize", "--model", run, "--sounds", FOLDER / "16k.wav"], 1, "16000 samples a second, 8000 are needed"),
                (["recognize", "--model", run, "--sounds", FOLDER / "string.wav", "--beam", "0"], 2, "--beam"),
                (["report", "--model", run, "--sounds", FOLDER / "16k.wav", "--beam", "3"], 2, "--beam 3 has no weights")):
            done = call(*words)
            self.assertEqual(done.returncode, code, (words, done.stderr))
            self.assertIn(text, done.stderr)
            for abrupt in ("terminate called", "what():", "Sanitizer", "runtime error"):
                self.assertNotIn(abrupt, done.stderr)


def main():
    global FOLDER
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        (FOLDER / "data").mkdir()
        chosen = random.Random(1)
        for speaker, name in enumerate(("ann", "bob")):
            for digit in range(10):
                # Takes of the test, the validation and the training.
                for take in (0, 1, 5, 6, 7, 8, 9, 10, 11, 12):
                    write_wav(FOLDER / "data" / f"{digit}_{name}_{take}.wav", tones(digit, speaker, chosen))
        write_wav(FOLDER / "16k.wav", [0.1] * 400, rate=16000)
        (FOLDER / "tests").mkdir()
        write_wav(FOLDER / "tests" / "1_ann_0.wav", tones(1, 0, chosen))
        return run(SpeechTest)


if __name__ == "__main__":
    sys.exit(main())
