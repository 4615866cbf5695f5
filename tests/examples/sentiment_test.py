"""The sentiment program's command line from end to end, on reviews made here. Argument: the program; then `real` for one step
on the reviews in WEFT_SHARED alone, 77 where there are none. Prints failures alone."""
import os
import pathlib
import re
import shutil
import sys
import tarfile
import tempfile
import unittest

from program import (call, call_bytes, change_metadata, check_finds_a_wrong_output_first, check_page, check_quick, digest, figures,
                     forget_metadata, learns, run, succeed)

FOLDER = pathlib.Path()
REAL = pathlib.Path(os.environ.get("WEFT_SHARED", "")) / "data" / "review-polarity" / "review_polarity.tar.gz"
SMALL = ["--embedding", "8", "--word-hidden", "4", "--sentence-hidden", "4", "--least", "1", "--documents", "4",
         "--held-out", "0.2", "--lr", "0.02", "--epochs", "3", "--save-every", "3", "--threads", "1"]


def write_reviews(folder, count=12):
    for label, opinion in (("neg", "dull"), ("pos", "fine")):
        (folder / label).mkdir(parents=True)
        for i in range(count):
            (folder / label / f"{i:03}.txt").write_text(f"we saw it {'again ' * (i % 3)}.\na {opinion} film .\n" * (1 + i % 2))


class SentimentTest(unittest.TestCase):
    def test_quick_by_any_spelling(self):
        check_quick(self, FOLDER, ["evaluate"], ["faithfulness"])

    @learns
    def test_quick(self):
        run = FOLDER / "quick"
        succeed("train", "--quick", "--output", run, "--threads", 1)
        scored = succeed("evaluate", "--quick", "--model", run, "--threads", 1)
        self.assertGreaterEqual(float(re.search(r"30 texts, accuracy ([\d.]+) %", scored)[1]), 90)
        classified = succeed("classify", "--model", run, "--threads", 1, stdin="The plot was superb.\nA moving film!\n\n\nA dull film.\n")
        self.assertRegex(classified, r"^pos 0\.\d+\nneg 0\.\d+\n$")
        succeed("report", "--model", run, "--threads", 1, stdin="The plot was superb.\nA moving film!\n\n\nA dull film.\n")
        check_page(self, run / "report.html")

    def test_folds(self):
        runs = []
        for fold in (1, 2):
            runs.append(FOLDER / f"fold-{fold}")
            succeed("train", "--data", FOLDER / "reviews", "--folds", 3, "--fold", fold, "--output", runs[-1], *SMALL)
        scored = succeed("evaluate", "--data", FOLDER / "reviews", "--model", *runs)
        self.assertEqual(len(re.findall(r"8 texts, accuracy", scored)), 2)
        self.assertRegex(scored, r"neg: precision .*\npos: precision .*\nmean accuracy of 2 runs: [\d.]+ %\n$")
        done = call("evaluate", "--data", FOLDER / "more", "--model", runs[0])
        self.assertEqual(done.returncode, 1)
        self.assertIn("kept other texts for evaluation than fold 1 of 3 of these data", done.stderr)
        scored = succeed("evaluate", "--all", "--data", FOLDER / "reviews", "--model", runs[0])
        self.assertRegex(scored, r"24 texts, accuracy")
        for name in ("fold", "folds"):
            damaged = FOLDER / f"damaged-{name}"
            shutil.copytree(runs[0], damaged)
            change_metadata(damaged / "best.safetensors", name, "one")
            done = call("evaluate", "--data", FOLDER / "reviews", "--model", damaged)
            self.assertEqual((done.returncode, done.stderr),
                             (1, f"sentiment: {damaged}/best.safetensors: '{name}' of its metadata is 'one', no number that fits\n"))

    def test_encoders_and_normalisers(self):
        for i, words in enumerate((["--word-encoder", "lstm", "--word-join", "--best-by", "accuracy"],
                                   ["--word-encoder", "conv", "--kernel-size", 5, "--normaliser", "sparsemax"],
                                   ["--word-encoder", "none", "--sentence-encoder", "lstm", "--normaliser", "entmax15",
                                    "--word-dropout", 0.2, "--sentence-dropout", 0, "--ema", 0])):
            run = FOLDER / f"kind-{i}"
            succeed("train", "--data", FOLDER / "reviews", "--output", run, *SMALL, *words)
            self.assertRegex(succeed("classify", "--model", run, stdin="a fine film .\n"), r"^(pos|neg) [01]\.\d+\n$")

    def test_report_shades_texts(self):
        run = FOLDER / "shaded"
        succeed("train", "--data", FOLDER / "reviews", "--output", run, *SMALL)
        out = succeed("report", "--model", run, stdin="We saw a fine film.\nIt was <b>fine</b>.\n\na dull film .\n")
        self.assertEqual(out.strip(), str(run / "report.html"))
        page = (run / "report.html").read_text(encoding="utf-8")
        for part in ("Text 1: ", "Text 2: ", "What the model looks at", "Training"):
            self.assertIn(part, page)
        self.assertNotIn("<b>fine", page)
        self.check_attributions(run, page)
        succeed("report", "--model", run, "--output", FOLDER / "page.html", "--threads", 1, stdin="")
        done = call("classify", "--model", run, stdin="")
        self.assertEqual((done.returncode, done.stderr), (0, "sentiment: there were no texts on standard input\n"))
        self.assertNotIn("Text 1", (FOLDER / "page.html").read_text(encoding="utf-8"))

    def check_attributions(self, run, page):
        """Three figures of each text, of the same words; integrated gradients add up to what the page says."""
        texts = [figure for figure in figures(run / "report.html") if figure["kind"] == "text"]
        self.assertEqual(len(texts), 6)
        said = re.findall(r"the logit would be ([\d.e-]+) (lower|higher); the integrated gradients add up to that but for ([\d.e+-]+) of", page)
        self.assertEqual(len(said), 2)
        for i, (difference, direction, gap) in enumerate(said):
            attention, integrated, first_order = texts[3 * i:3 * i + 3]
            self.assertIn("by integrated gradients", integrated["title"])
            self.assertIn("by gradient times input", first_order["title"])
            for other in (integrated, first_order):
                self.assertEqual([line["words"] for line in other["lines"]], [line["words"] for line in attention["lines"]])
                for line in other["lines"]:
                    self.assertAlmostEqual(line["weight"], sum(line["weights"]), delta=0.01 * sum(map(abs, line["weights"])))
            self.assertLessEqual(float(gap), 1e-3)
            shares = [share for line in integrated["lines"] for share in line["weights"]]
            self.assertAlmostEqual(sum(shares), float(difference) * (1 if direction == "lower" else -1), delta=2e-3 * sum(map(abs, shares)))

    def test_faithfulness(self):
        runs = [FOLDER / f"faithful-{normaliser}" for normaliser in ("softmax", "sparsemax")]
        for run, normaliser in zip(runs, ("softmax", "sparsemax")):
            succeed("train", "--data", FOLDER / "reviews", "--fold", 1, "--folds", 3, "--normaliser", normaliser, "--output", run,
                    *SMALL)
        words = ["faithfulness", "--data", FOLDER / "reviews", "--model", *runs, "--threads", 1]
        out = succeed(*words)
        self.assertEqual(out, succeed(*words))  # its draws are fixed
        self.assertEqual(len(re.findall(r": 8 texts, accuracy", out)), 2)
        self.assertEqual(len(re.findall(r"without +\d+ % of the words: highest .* random .* lowest", out)), 8)
        self.assertEqual(len(re.findall(r"with (random|even) weights", out)), 4)
        self.assertIn("0.0 % of the weights are 0", out)  # of softmax

    @learns
    def test_quick_faithfulness_tells_what_decides(self):
        run = FOLDER / "quick-faithful"
        succeed("train", "--quick", "--output", run, "--threads", 1)
        out = succeed("faithfulness", "--quick", "--model", run, "--threads", 1)
        self.assertIn(f"{run}: 30 texts, accuracy", out)
        changes = re.search(r"without 20 % of the words: highest (\S+), (\S+) % flip; random (\S+), .* lowest (\S+), (\S+) % flip;", out)
        highest, highest_flips, random, lowest, lowest_flips = map(float, changes.groups())
        # One word decides the class of a generated review, and some of the others say more of it: attention finds them.
        self.assertLess(highest, random - 0.1)
        self.assertLess(highest, lowest - 0.1)
        self.assertGreater(highest_flips, lowest_flips)

    def test_texts_of_one_word(self):
        folder, run = FOLDER / "one-word", FOLDER / "one-word-run"
        write_reviews(folder)
        for label, opinion in (("neg", "dull"), ("pos", "fine")):
            for i in (0, 1, 6, 7):
                (folder / label / f"{i:03}.txt").write_text(f"{opinion}\n")
        succeed("train", "--data", folder, "--folds", 4, "--fold", 1, "--output", run, *SMALL)
        self.assertIn("6 texts, accuracy", succeed("evaluate", "--data", folder, "--model", run))
        out = succeed("faithfulness", "--data", folder, "--model", run)
        self.assertNotIn("nan", out)
        self.assertEqual(len(re.findall("without", out)), 4)
        succeed("report", "--model", run, stdin="fine\n\nunheard\n")
        texts = [figure for figure in figures(run / "report.html") if figure["kind"] == "text"]
        self.assertEqual([line["words"] for figure in texts for line in figure["lines"]], [["fine"]] * 3 + [["unheard"]] * 3)
        self.assertEqual(texts[0]["lines"][0]["weights"], [1])

    def test_goes_on_with_the_same_bits(self):
        words = ["train", "--data", FOLDER / "reviews", *SMALL, "--output"]
        succeed(*words, FOLDER / "whole")
        succeed(*words, FOLDER / "parts", "--updates", 4)
        succeed(*words, FOLDER / "parts")
        self.assertEqual(digest(FOLDER / "whole" / "best.safetensors"), digest(FOLDER / "parts" / "best.safetensors"))
        succeed(*words, FOLDER / "older", "--updates", 4)
        forget_metadata(FOLDER / "older" / "last.safetensors", "deviation")  # as an older program's
        succeed(*words, FOLDER / "older")
        self.assertEqual(digest(FOLDER / "whole" / "best.safetensors"), digest(FOLDER / "older" / "best.safetensors"))

    def test_classes_that_a_fold_takes_whole(self):
        folder, run = FOLDER / "uneven", FOLDER / "uneven-run"
        write_reviews(folder, 20)
        for file in list((folder / "pos").iterdir())[1:]:
            file.unlink()
        train = ["train", "--data", folder, "--folds", 4, "--output", run, *SMALL, "--updates", 2]
        done = call(*train, "--fold", 1)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"sentiment: {folder} has no text of the class pos to learn from: fold 1 of 4 (--fold, --folds)", done.stderr)
        self.assertFalse(run.exists())
        done = call(*train, "--fold", 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("sentiment: the held-out texts, which choose the best weights, have none of the class pos (--held-out)\n", done.stderr)
        for command in ("evaluate", "faithfulness"):
            done = call(command, "--data", folder, "--model", run)
            self.assertEqual((done.returncode, done.stderr), (0, f"sentiment: {run}: fold 2 of 4 has no text of the class pos\n"))

    def test_goes_on_without_texts_that_are_none(self):
        folder = FOLDER / "spoilt"
        write_reviews(folder)
        (folder / "pos" / "latin").write_bytes(b"caf\xe9\n")
        (folder / "neg" / "blank").write_text("\n")
        (folder / "pos" / "wordless").write_text("<skipped>\n")
        (folder / "stray.txt").write_text("a fine film .\n")
        done = call("train", "--data", folder, "--output", FOLDER / "spoilt-run", *SMALL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"sentiment: left out: [read_documents] {folder / 'neg' / 'blank'} has no words", done.stderr)
        self.assertIn(f"left out: [LineReader] {folder / 'pos' / 'latin'}, line 1, byte 4: not UTF-8", done.stderr)
        self.assertIn(f"left out: {folder / 'pos' / 'wordless'} has no words", done.stderr)
        self.assertIn(f"left out: {folder / 'stray.txt'} isn't in a folder of a class", done.stderr)
        self.assertIn("sentiment: 4 of 28 files were left out", done.stderr)
        done = call("classify", "--model", FOLDER / "spoilt-run", stdin="a fine film .\n\n<skipped>\n\na dull film .\n")
        self.assertEqual((done.returncode, done.stderr), (1, "sentiment: left out: text 2 of standard input has no words\n"
                                                         "sentiment: 1 of 3 texts were left out\n"))
        self.assertRegex(done.stdout, r"^\S+ [01]\.\d+\nno words\n\S+ [01]\.\d+\n$")
        done = call("report", "--model", FOLDER / "spoilt-run", stdin="a fine film .\n\n<skipped>\n\na dull film .\n")
        self.assertEqual(done.returncode, 1)
        page = (FOLDER / "spoilt-run" / "report.html").read_text()
        self.assertIn("Text 3: ", page)
        self.assertNotIn("Text 2: ", page)
        for file in (folder / "neg").iterdir():
            file.write_text("<skipped>\n")
        done = call("train", "--data", folder, "--output", FOLDER / "wordless-run", *SMALL)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{folder} has no texts with words of the class neg", done.stderr)

    def test_finds_a_wrong_output_first(self):
        check_finds_a_wrong_output_first(self, FOLDER, "report")

    def test_says_what_is_wrong(self):
        run, other = FOLDER / "wrong", FOLDER / "other-classes"
        for label in ("bad", "good"):
            (other / label).mkdir(parents=True)
            (other / label / "1").write_text("x\n")
        (FOLDER / "one" / "pos").mkdir(parents=True)
        (FOLDER / "one" / "pos" / "1").write_text("x\n")
        start = ["train", "--data", FOLDER / "reviews", "--output", run, *SMALL]
        succeed(*start)
        for words, code, text in (
                (["train", "--output", run], 2, "--data is needed"),
                (["train", "--data", FOLDER / "reviews"], 2, "--output is needed"),
                (["train", "--word-encodr", "gru"], 2, "did you mean --word-encoder"),
                (["train", "--word-encoder", "rnn"], 2, "must be gru, lstm, conv or none"),
                (["trian"], 2, "did you mean train"),
                ([], 2, "COMMAND"),
                ([*start, "--fold", "11"], 2, "--fold 11 is none of 10"),
                ([*start, "--kernel-size", "2", "--word-encoder", "conv"], 2, "--kernel-size 2 must be odd"),
                ([*start, "--kernel-size", "9"], 2,
                 "--kernel-size 9 is of --word-encoder conv and --sentence-encoder conv; a model without convolutions has no use for it"),
                (["train", "--data", FOLDER / "none", "--output", FOLDER / "n"], 1, "can't read the folder"),
                (["train", "--data", FOLDER / "one", "--output", FOLDER / "n"], 1, "two classes at least"),
                (["train", "--data", other, "--output", FOLDER / "n", "--least", "1"], 1, "no text is left to choose the best weights by"),
                (["train", "--data", FOLDER / "reviews", "--output", FOLDER / "n", "--least", "100000"], 1,
                 "no word occurs as often as --least 100000"),
                (["train", "--data", FOLDER / "reviews", "--output", FOLDER / "n", "--folds", "99", "--fold", "2"], 1,
                 "--fold 2 of --folds 99 has no text"),
                ([*start, "--quick"], 2, "--quick makes its own data; leave out --data"),
                ([*start, "--dropout", "0.5"], 1, "--dropout (0.4 there, 0.5 now)"),
                ([*start, "--deviation", "0.5"], 1, "--deviation (0.1 there, 0.5 now)"),
                ([*start, "--max-words", "9"], 1, "--max-words (40 there, 9 now)"),
                (["train", "--data", FOLDER / "more", "--output", run, *SMALL], 1, "--data, --fold, --held-out (20 documents"),
                (["evaluate", "--data", FOLDER / "reviews"], 2, "--model is needed"),
                (["evaluate", "--model", run], 2, "--data is needed"),
                (["evaluate", "--model", run, "--data", FOLDER / "reviews"], 1, "--all scores all"),
                (["evaluate", "--model", run, "--data", other, "--all"], 1, "knows the classes neg, pos, the data have bad, good"),
                (["faithfulness", "--data", FOLDER / "reviews"], 2, "--model is needed"),
                (["classify", "--model", FOLDER / "none"], 1, "is no folder of a training run")):
            done = call(*words)
            self.assertEqual(done.returncode, code, (words, done.stderr))
            self.assertIn(text, done.stderr)
            self.assertLess(len(done.stderr), 3000, words)

    def test_a_bad_line_costs_no_other_text_its_answer(self):
        run = FOLDER / "answers"
        succeed("train", "--data", FOLDER / "reviews", "--output", run, *SMALL, "--updates", 2)
        fine, dull = succeed("classify", "--model", run, stdin="a fine film .\n\na dull film .\n").splitlines()
        bad = b"a fine film .\n\nwe saw it .\nca\xff\nagain .\n\n\na dull film .\n"
        said = ("sentiment: left out: text 2: standard input, line 4, byte 3: not UTF-8 (0xFF)\n"
                "sentiment: 1 of 3 texts were left out\n")
        done = call_bytes("classify", "--model", run, stdin=bad)
        self.assertEqual((done.returncode, done.stdout.decode(), done.stderr.decode()), (1, f"{fine}\nno text\n{dull}\n", said))
        done = call_bytes("report", "--model", run, stdin=bad)
        self.assertEqual((done.returncode, done.stderr.decode()), (1, said))
        page = (run / "report.html").read_text()
        self.assertIn("Text 3: ", page)
        self.assertNotIn("Text 2: ", page)
        done = call("classify", "--model", run, stdin="a fine film .\n\nwe saw it .\na\0film .\n\na dull film .\n")
        self.assertEqual((done.returncode, done.stdout.splitlines()[::2]), (1, [fine, dull]))
        self.assertIn("left out: text 2: standard input, line 4, byte 2: a NUL byte\n", done.stderr)


class RealReviewsTest(unittest.TestCase):
    def test_one_step(self):
        with tarfile.open(REAL) as tar:
            tar.extractall(FOLDER / "real")
        done = call("train", "--data", FOLDER / "real" / "txt_sentoken", "--fold", 3, "--updates", 1, "--least", 50,
                    "--embedding", 4, "--word-encoder", "none", "--sentence-hidden", 2, "--threads", 1,
                    "--output", FOLDER / "real-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1620 texts to learn from, 180 held out, 200 kept for evaluation", done.stderr)
        self.assertNotIn("left out", done.stderr)


def main():
    global FOLDER
    chosen = RealReviewsTest if sys.argv[2:] == ["real"] else SentimentTest
    if chosen is RealReviewsTest and not REAL.is_file():
        print("skipped: data/review-polarity/review_polarity.tar.gz (not in WEFT_SHARED, or that isn't set)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        write_reviews(FOLDER / "reviews")
        write_reviews(FOLDER / "more", 14)
        return run(chosen)


if __name__ == "__main__":
    sys.exit(main())
