"""The summarizer's command line from end to end, on news made here. Argument: the program. Prints failures alone."""
import gzip
import pathlib
import random
import re
import sys
import tempfile
import unittest

from program import (call, call_bytes, check_finds_a_wrong_output_first, check_page, check_quick, digest, figures, forget_metadata,
                     learns, run, succeed)

FOLDER = pathlib.Path()
SMALL = ["--embedding", "12", "--hidden", "16", "--vocabulary", "30", "--batch-tokens", "400", "--held-out", "10",
         "--epochs", "2", "--save-every", "3", "--threads", "1"]


class SummarizerTest(unittest.TestCase):
    def test_quick_by_any_spelling(self):
        check_quick(self, FOLDER, ["evaluate"], kinds=[(), ("--no-copy",)])

    @learns
    def test_quick_needs_copying(self):
        scores = []
        for more in ([], ["--no-copy"]):
            out = succeed("train", "--quick", "--output", FOLDER / f"quick{len(more)}", "--threads", 1, *more)
            scores.append(float(re.search(r"best ROUGE ([\d.]+)", out)[1]))
        self.assertGreater(scores[0], 95)
        self.assertLess(scores[1], 75)
        story = "Bozo Corp said it agreed to buy Pavo for 4444 mln dlrs in cash.\n"
        headline = succeed("summarize", "--model", FOLDER / "quick0", "--threads", 1, stdin=story)
        self.assertIn("bozo", headline)
        self.assertIn("pavo", headline)
        page = succeed("report", "--model", FOLDER / "quick0", "--threads", 1, stdin=story).strip()
        text = pathlib.Path(page).read_text()
        for part in ("attention", "Copying", "was copied", "bozo"):
            self.assertIn(part, text)
        check_page(self, pathlib.Path(page))

    def test_trains_scores_and_writes(self):
        run = FOLDER / "run"
        out = succeed("train", "--data", FOLDER / "news.tsv", "--output", run, *SMALL)
        self.assertRegex(out, r"\d+ updates, 2 epochs, best ROUGE")
        for split, count in (("TEST", 20), ("NOT-USED", 1), ("validation", 10)):
            scored = succeed("evaluate", "--model", run, "--data", FOLDER / "news.tsv", "--split", split, "--held-out", 10,
                             "--bootstrap", 20, "--output", FOLDER / "out", "--threads", 1)
            for name in ("ROUGE-1", "ROUGE-2", "ROUGE-L"):
                self.assertRegex(scored, name + r" = [\d.]+ \(P = [\d.]+ R = [\d.]+\)\n  F1 [\d.]+ \[")
            self.assertIn(f"{count} stories;", scored)
            self.assertEqual(len((FOLDER / "out").read_text().splitlines()), count)
        headlines = succeed("summarize", "--model", run, "--model", run, "--beam", 2, "--no-repeat-ngram-size", 2,
                            "--coverage-penalty", 0.2, "--threads", 1, stdin="Nix Corp rose.\n\nDown it went\n")
        self.assertEqual(len(headlines.split("\n")), 4)
        self.assertEqual(headlines.split("\n")[1], "")

    def test_baseline(self):
        out = succeed("baseline", "--data", FOLDER / "tiny.tsv", "--words", 3, "--bootstrap", 0)
        # "a b c" against "a b d": two of three words, one of two pairs, two in order.
        self.assertEqual(out.splitlines()[:3], ["ROUGE-1 = 66.67 (P = 66.67 R = 66.67)", "ROUGE-2 = 50.00 (P = 50.00 R = 50.00)",
                                                "ROUGE-L = 66.67 (P = 66.67 R = 66.67)"])
        self.assertIn("other characters one by one", out)
        # "( a b" against "b ! ! a" and "a b" against "b a".
        for more, score in (([], "57.14"), (["--count", "alphanumeric"], "100.00")):
            out = succeed("baseline", "--data", FOLDER / "marks.tsv", "--words", 3, "--bootstrap", 0, *more)
            self.assertTrue(out.startswith(f"ROUGE-1 = {score}"), out)

    def test_goes_on_with_the_same_bits(self):
        words = ["train", "--data", FOLDER / "news.tsv", *SMALL, "--output"]
        succeed(*words, FOLDER / "whole")
        succeed(*words, FOLDER / "parts", "--updates", 4)
        succeed(*words, FOLDER / "parts")
        self.assertEqual(digest(FOLDER / "whole" / "best.safetensors"), digest(FOLDER / "parts" / "best.safetensors"))

    def test_held_out_is_as_the_run_says(self):
        run = FOLDER / "held-out"
        train = ["train", "--data", FOLDER / "news.tsv", "--output", run, *SMALL]
        succeed(*train, "--updates", 2)
        evaluate = ["evaluate", "--model", run, "--data", FOLDER / "news.tsv", "--split", "validation", "--threads", 1]
        done = call(*evaluate)
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("held out", done.stderr)
        self.assertIn("10 stories;", done.stdout)
        done = call(*evaluate, "--held-out", 30)
        self.assertEqual(done.returncode, 0)
        self.assertIn("30 stories;", done.stdout)
        self.assertIn(f"summarizer: {run} held out 10 stories, not 30: it has learned from 20 of those that are scored\n", done.stderr)
        self.assertIn(f"summarizer: {run} held out 10 stories, not 5\n", call(*evaluate, "--held-out", 5).stderr)
        for name in ("best", "last"):
            forget_metadata(run / f"{name}.safetensors", "held_out")
        self.assertIn("--held-out 500 leaves none", call(*evaluate).stderr)
        self.assertNotIn("held out", call(*evaluate, "--held-out", 10).stderr)
        succeed(*train)  # an older program's run goes on

    def test_lines_that_are_no_stories(self):
        data = FOLDER / "spoilt.tsv"
        data.write_bytes(b"TRAIN\tA\n" * 5 + b"TRAIN\tB\tcaf\xe9\n" + (FOLDER / "long.tsv").read_bytes())
        done = call("train", "--data", data, "--output", FOLDER / "spoilt-run", *SMALL, "--updates", 1)
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in range(1, 6):
            self.assertIn(f"summarizer: left out: {data}, line {line}: 2 fields where", done.stderr)
        self.assertNotIn("line 6", done.stderr)
        self.assertIn("summarizer: 6 of 132 lines were left out\n", done.stderr)

    def test_training_says_what_no_batch_has_whole(self):
        done = call("train", "--data", FOLDER / "long.tsv", "--output", FOLDER / "long-run", *SMALL, "--max-source", 9, "--updates", 1)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("\nsummarizer: cut: 2 pairs with a side longer than --max-source 9\n", done.stderr)

    def test_grus(self):
        words = ["train", "--data", FOLDER / "news.tsv", *SMALL, "--updates", 3, "--output", FOLDER / "gru"]
        succeed(*words, "--recurrent", "gru")
        self.assertEqual(len(succeed("summarize", "--model", FOLDER / "gru", "--threads", 1, stdin="Nix Corp rose.\n").split("\n")), 2)
        done = call(*words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("--recurrent (gru there, the default now)", done.stderr)

    def test_finds_a_wrong_output_first(self):
        check_finds_a_wrong_output_first(self, FOLDER, "report")
        check_finds_a_wrong_output_first(self, FOLDER, "evaluate")

    def test_says_what_is_wrong(self):
        run = FOLDER / "wrong"
        start = ["train", "--data", FOLDER / "news.tsv", "--output", run, *SMALL]
        done = call(*start)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 stories without a paragraph and 1 without a headline left out", done.stderr)
        for words, code, text in (
                (["train", "--output", run], 2, "--data is needed"),
                (["train", "--data", FOLDER / "news.tsv"], 2, "--output is needed"),
                (["train", "--hiden", "8"], 2, "did you mean --hidden"),
                (["sumarize"], 2, "did you mean summarize"),
                ([], 2, "COMMAND"),
                (["train", "--data", FOLDER / "none", "--output", run], 1, "none"),
                (["train", "--data", FOLDER / "broken.tsv", "--output", run], 1, "no story with headline and paragraph among its 2 lines; "
                 f"{FOLDER / 'broken.tsv'}, line 1: 2 fields"),
                (["train", "--data", FOLDER / "tiny.tsv", "--output", run], 1, "tiny.tsv has 0 stories of the split TRAIN: --held-out 500 leaves none"),
                ([*start, "--hidden", "7"], 2, "--hidden"),
                ([*start, "--dropout", "1"], 2, "must be a number from 0 to 0.99"),
                (["train", "--data", "x", "--output", run, "--hidden", "7"], 2, "--hidden 7 must be even"),
                (["train", "--data", "x", "--output", run, "--batch-tokens", "100"], 2, "--batch-tokens 100 must be twice"),
                (["train", "--data", "x", "--output", run, "--attention", "none"], 2, "--attention"),
                (["train", "--data", "x", "--output", run, "--attention", "local-m"], 2, "--attention local-m needs --no-copy"),
                (["train", "--data", "x", "--output", run, "--recurrent", "rnn"], 2, "must be lstm or gru"),
                ([*start, "--dropout", "0.5"], 1, "--dropout (0.3 there, 0.5 now)"),
                ([*start, "--no-copy"], 1, "--no-copy"),
                ([*start, "--quick"], 2, "--quick makes its own data; leave out --data"),
                (["evaluate", "--data", FOLDER / "news.tsv"], 2, "--model is needed"),
                (["evaluate", "--model", run, "--data", FOLDER / "tiny.tsv", "--split", "NOT-USED"], 1, "no stories of the split"),
                (["evaluate", "--model", run, "--data", FOLDER / "news.tsv", "--beam", "1000"], 2, "--beam 1000 is wider"),
                (["summarize", "--model", FOLDER / "none"], 1, "is no folder of a training run"),
                (["report", "--model", run, "--model", run], 2, "a report is of one --model")):
            done = call(*words)
            self.assertEqual(done.returncode, code, (words, done.stderr))
            self.assertIn(text, done.stderr)

    def test_a_bad_line_costs_no_other_its_answer(self):
        run = FOLDER / "answers"
        succeed("train", "--data", FOLDER / "news.tsv", "--output", run, *SMALL, "--updates", 2)
        answers = succeed("summarize", "--model", run, stdin="Nix Corp rose.\nDown it went.\n").splitlines()
        done = call_bytes("summarize", "--model", run, stdin=b"Nix Corp rose.\n\xff\nDown it went.\n")
        self.assertEqual((done.returncode, done.stdout.decode()), (1, f"{answers[0]}\n\n{answers[1]}\n"))
        said = "summarizer: left out: standard input, line 2, byte 1: not UTF-8 (0xFF)\n"
        self.assertEqual(done.stderr.decode(), said + "summarizer: 1 of 3 lines were left out\n")
        done = call("summarize", "--model", run, stdin="Nix Corp rose.\n\x00\nDown it went.\n")
        self.assertEqual((done.returncode, done.stdout), (1, f"{answers[0]}\n\n{answers[1]}\n"))
        self.assertIn("left out: standard input, line 2, byte 1: a NUL byte\n", done.stderr)
        done = call_bytes("report", "--model", run, stdin=b"Nix Corp rose.\n\xff\n \nDown it went.\n")
        self.assertEqual((done.returncode, done.stdout.decode()), (1, f"{run / 'report.html'}\n"))
        self.assertEqual(done.stderr.decode(), said + "summarizer: left out: standard input, line 3: no words\n"
                         "summarizer: 2 of 4 lines were left out\n")
        self.assertEqual(len([figure for figure in figures(run / "report.html") if figure["kind"] == "text"]), 2)


def story(chosen, split):
    name, other = ("".join(chosen.choice("bdkmnrt") + chosen.choice("aeiou") for _ in range(3)) for _ in range(2))
    return f"{split}\t{name.upper()} BUYS {other.upper()}\t{name} Corp said it bought {other}, a company.\n"


def main():
    global FOLDER
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        chosen = random.Random(1)
        lines = [story(chosen, "TRAIN") for _ in range(100)] + [story(chosen, "TEST") for _ in range(20)]
        lines += [story(chosen, "NOT-USED"), "TRAIN\tNOTHING\t\n", "TEST\t\t \n", "TEST\t\tno headline\n"]
        (FOLDER / "news.tsv").write_bytes(gzip.compress("".join(lines).encode()))
        (FOLDER / "long.tsv").write_text("TRAIN\t" + "LONG " * 12 + "\tlong\n" + "TRAIN\t" + "LONG " * 10 + "\tlong\n" + "".join(lines))
        (FOLDER / "tiny.tsv").write_text("TEST\tA B D\ta b c e\n")
        (FOLDER / "marks.tsv").write_text("TEST\tB!! A\t(a b) c\n")
        (FOLDER / "broken.tsv").write_text("TRAIN\tA\n" * 2)
        return run(SummarizerTest)


if __name__ == "__main__":
    sys.exit(main())
