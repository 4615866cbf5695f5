"""The language model's command line from end to end, on text made here. Argument: the program. Prints failures alone."""
import pathlib
import re
import sys
import tempfile
import unittest

from program import (call, call_bytes, check_finds_a_wrong_output_first, check_page, check_quick, digest, figures, learns, run, succeed)

FOLDER = pathlib.Path()
SMALL = ["--width", "16", "--layers", "1", "--rows", "4", "--window", "10", "--epochs", "2", "--save-every", "3", "--threads", "1"]
TRANSFORMER = ["--model", "transformer", "--heads", "2", "--feed-forward", "16"]


class LanguageModelTest(unittest.TestCase):
    def test_quick_by_any_spelling(self):
        check_quick(self, FOLDER, ["evaluate"], kinds=[("--model", model) for model in ("lstm", "gru", "transformer")])

    @learns
    def test_quick(self):
        for model in ("lstm", "gru", "transformer"):
            out = succeed("train", "--quick", "--model", model, "--output", FOLDER / f"quick-{model}", "--threads", 1)
            loss = float(re.search(r"best validation loss ([\d.]+)", out)[1])
            self.assertLess(loss, 1.2)  # a blind guess has 2.6
            self.assertRegex(succeed("evaluate", "--quick", "--model", FOLDER / f"quick-{model}"), r"^\d+ tokens, 0.00 % .* loss [01]\.")
            succeed("report", "--model", FOLDER / f"quick-{model}", stdin="3 + 4 = 7\n5 + 6 = 12\n")
            check_page(self, FOLDER / f"quick-{model}" / "report.html")

    def test_trains_scores_and_writes(self):
        for unit in ("characters", "words"):
            run = FOLDER / unit
            words = ["train", "--text", FOLDER / "text", "--unit", unit, "--output", run, *SMALL]
            out = succeed(*words)
            self.assertEqual("bits per character" in out, unit == "characters")
            scored = succeed("evaluate", "--model", run, "--text", FOLDER / "text", "--rows", 2)
            self.assertRegex(scored, r"^\d+ tokens, 0\.00 % of them unknown to the model, \d+ scored: loss \d")
            for more in ([], ["--temperature", 0], ["--top-k", 2]):
                sampled = succeed("sample", "--model", run, "--prompt", "the dog", "--length", 20, *more)
                self.assertTrue(sampled.startswith("the dog"))
                self.assertEqual(sampled, succeed("sample", "--model", run, "--prompt", "the dog", "--length", 20, *more))

    def test_says_how_much_was_learned_from(self):
        run, text = FOLDER / "learned", (FOLDER / "text").read_text()
        succeed("train", "--text", FOLDER / "text", "--held-out", "0.25", "--output", run, *SMALL, "--updates", 1)
        kept = text[text.index("\n", int(0.75 * len(text))) + 1:]
        for name, scored, learned in (("text", text, len(text) - len(kept)), ("kept", kept, 0), ("changed", "A" + text[1:], 0)):
            (FOLDER / name).write_text(scored)
            done = call("evaluate", "--model", run, "--text", FOLDER / name)
            said = f"language_model: {learned} of the {len(text)} bytes were learned from, so this is no held-out score\n"
            self.assertEqual((done.returncode, done.stderr), (0, said if learned > 0 else ""))
        for share, learned in (("0.1", False), ("0.05", True)):
            run = FOLDER / f"learned-{share}"
            succeed("train", "--quick", "--held-out", share, "--output", run, "--updates", 1, "--threads", 1)
            done = call("evaluate", "--quick", "--model", run)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual("bytes were learned from" in done.stderr, learned, done.stderr)

    def test_report(self):
        known = set((FOLDER / "text").read_text())

        def names(line):
            return ["⏎", *("␣" if letter == " " else letter if letter in known else "<unk>" for letter in line)]
        for unit, model in (("characters", "lstm"), ("characters", "transformer"), ("words", "gru")):
            run = FOLDER / f"report-{unit}-{model}"
            kind, layers = (TRANSFORMER, "2") if model == "transformer" else (["--model", model], "1")
            succeed("train", "--text", FOLDER / "text", "--unit", unit, *kind, "--output", run, *SMALL[:3], layers, *SMALL[4:])
            page = run / "report.html"
            self.assertEqual(succeed("report", "--model", run, stdin="the dog  sees the ünknown tree\n\n the cat\n").strip(), str(page))
            data = figures(page)
            shaded = [figure for figure in data if figure["kind"] == "text"]
            self.assertEqual([line["words"] for line in shaded[0]["lines"]],
                             [["the", "dog", "sees", "the", "ünknown", "tree"], ["the", "cat"]])
            self.assertEqual(shaded[0]["title"],
                             f"Loss of each {'word' if unit == 'words' else 'word’s characters together'}, in nats".replace("’", "'"))
            self.assertTrue(all(w > 0 for line in shaded[0]["lines"] for w in line["weights"]))
            self.assertEqual(max(shaded[0]["lines"][0]["weights"]), shaded[0]["lines"][0]["weights"][4])
            # What the last symbol hangs on, behind the end of the line before.
            contexts = [["⏎", "the", "dog", "sees", "the", "<unk>"], ["⏎", "the"]]
            if unit == "characters":
                contexts = [names("the dog  sees the ünknown tre"), names(" the ca")]
            self.assertEqual([figure["lines"][0]["words"] for figure in shaded[1:]], contexts)
            self.assertEqual({figure["between"] for figure in shaded[1:]}, {" " if unit == "words" else ""})
            self.assertTrue(any(weight < 0 for figure in shaded[1:] for weight in figure["lines"][0]["weights"]))
            last = ("tree", "cat") if unit == "words" else ("e", "t")
            titles = [re.fullmatch(r"Before “(.*)”, whose probability here is [\d.e-]+", figure["title"]) for figure in shaded[1:]]
            self.assertEqual(tuple(title[1] for title in titles), last)
            shapes = [figure["shape"] for figure in data if figure["kind"] == "attention"]
            text = page.read_text(encoding="utf-8")
            if model == "transformer":
                self.assertEqual([shape[:2] for shape in shapes], [[2, 2], [1, 1]] * 2)  # all layers and heads, and their rollout
                self.assertEqual(len(re.findall(r"<tr><td>the text to itself</td><td>[12]</td>(<td>[\d.]+</td>){3}</tr>", text)), 2)
            else:
                self.assertEqual(shapes, [])
                self.assertNotIn("the text to itself", text)
        done = call_bytes("report", "--model", FOLDER / "report-words-gru", stdin=b"the dog\n\xff\n \f\nthe cat\n")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.decode(), "language_model: left out: standard input, line 2, byte 1: not UTF-8 (0xFF)\n"
                         "language_model: 1 of 4 lines were left out\n")
        shaded = [figure for figure in figures(FOLDER / "report-words-gru" / "report.html") if figure["kind"] == "text"]
        self.assertEqual([line["words"] for line in shaded[0]["lines"]], [["the", "dog"], ["the", "cat"]])
        done = call("report", "--model", FOLDER / "none")
        self.assertEqual(done.returncode, 1)
        self.assertIn("none", done.stderr)

    def test_report_reads_the_beginning_of_long_lines(self):
        for unit, cut in (("characters", "the ünknown"), ("words", "the ünknown dog sees the cat the ünknown dog sees the")):
            run = FOLDER / f"long-{unit}"
            succeed("train", "--text", FOLDER / "text", "--unit", unit, *TRANSFORMER, "--output", run, *SMALL)
            lines = "the dog\n" + "the ünknown dog sees the cat " * 10_000 + "\n"
            done = call("report", "--model", run, stdin=lines)
            self.assertEqual((done.returncode, done.stderr),
                             (0, f"language_model: of line 2 of standard input the first 128 {unit} are read (--window)\n"))
            done = call("report", "--model", run, "--window", 11, stdin=lines)
            self.assertEqual(done.stderr, f"language_model: of line 2 of standard input the first 11 {unit} are read (--window)\n")
            shaded = [figure for figure in figures(run / "report.html") if figure["kind"] == "text"]
            self.assertEqual([line["words"] for line in shaded[0]["lines"]], [["the", "dog"], cut.split()])
            self.assertEqual(len(shaded[2]["lines"][0]["words"]), 11)  # and the end of the line before, but not the last

    def test_mixings_and_normalisers(self):
        for i, more in enumerate((["--mixing", "linear"], ["--mixing", "window", "--reach", 3], ["--mixing", "light", "--kernel-size", 3],
                                  ["--normaliser", "sparsemax"])):
            run = FOLDER / f"mixing-{i}"
            words = ["train", "--text", FOLDER / "text", *TRANSFORMER, "--output", run, *SMALL]
            succeed(*words, *more)
            self.assertTrue(succeed("sample", "--model", run, "--prompt", "the dog", "--length", 5).startswith("the dog"))
            succeed("report", "--model", run, stdin="the dog\n\f\n")  # of convolutions and sums there are no weights
            self.assertEqual("What the model looks at" in (run / "report.html").read_text(), more[0] != "--mixing" or "window" in more)
            done = call(*words)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"{more[0]} ({more[1]} there, the default now)", done.stderr)

    def test_says_what_it_does_not_know(self):
        run = FOLDER / "prompts"
        succeed("train", "--text", FOLDER / "text", "--output", run, *SMALL)
        (FOLDER / "strange").write_text("the ß\nßßßß", encoding="utf-8")
        scored = succeed("evaluate", "--model", run, "--text", FOLDER / "strange", "--rows", 1)
        self.assertTrue(scored.startswith("11 tokens, 45.45 % of them unknown to the model, 10 scored: loss "), scored)
        scored = succeed("evaluate", "--model", run, "--text", FOLDER / "strange", "--rows", 4)
        self.assertTrue(scored.startswith("11 tokens, 45.45 % of them unknown to the model, 8 scored: loss "), scored)
        done = call("sample", "--model", run, "--prompt", "the ßß", "--length", 3, "--temperature", 0)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.startswith("the ßß"))
        self.assertIn("2 of the prompt's 6 characters aren't known", done.stderr)

    def test_goes_on_with_the_same_bits(self):
        words = ["train", "--text", FOLDER / "text", *SMALL, "--output"]
        succeed(*words, FOLDER / "whole")
        succeed(*words, FOLDER / "parts", "--updates", 4)
        succeed(*words, FOLDER / "parts")
        self.assertEqual(digest(FOLDER / "whole" / "best.safetensors"), digest(FOLDER / "parts" / "best.safetensors"))

    def test_says_where_a_run_stands(self):
        words = ["train", "--text", FOLDER / "text", *SMALL, "--output", FOLDER / "stands"]
        self.assertRegex(succeed(*words, "--updates", 3), r"^3 updates, within epoch 1, best validation .*, [\d.]+ tokens/s, ")
        self.assertRegex(succeed(*words, "--updates", 3), r"^3 updates, within epoch 1, best validation .*, no new updates, ")
        self.assertRegex(succeed(*words), r"^\d+ updates, 2 epochs, best validation ")

    def test_finds_a_wrong_folder_first(self):
        for folder in ("/proc/weft", FOLDER / "text", FOLDER / "text" / "run"):
            done = call("train", "--text", FOLDER / "none", *SMALL, "--output", folder)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"the folder {folder}: ", done.stderr)
        call("train", "--text", FOLDER / "none", *SMALL, "--output", FOLDER / "unmade")
        self.assertFalse((FOLDER / "unmade").exists())

    def test_leaves_weights_of_no_run(self):
        words = ["train", "--text", FOLDER / "text", *SMALL, "--output", FOLDER / "weights"]
        (FOLDER / "weights").mkdir()
        best = FOLDER / "weights" / "best.safetensors"
        best.write_text("somebody's")
        done = call(*words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"there is {best} but no last.safetensors", done.stderr)
        self.assertEqual(best.read_text(), "somebody's")
        succeed(*words, "--resume", "never")
        self.assertNotEqual(best.stat().st_size, 10)
        # Nor is a run without them none.
        best.unlink()
        done = call("evaluate", "--model", FOLDER / "weights", "--text", FOLDER / "text")
        self.assertIn("weights has no validation yet; where it was stopped, the same train command goes on", done.stderr)

    def test_names_an_option_once(self):
        words = ["train", *SMALL, "--output", FOLDER / "once", "--text"]
        succeed(*words, FOLDER / "text")
        (FOLDER / "other").write_text((FOLDER / "text").read_text() + "Ein anderer Text.\n")
        done = call(*words, FOLDER / "other")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stderr.count("--text"), 1, done.stderr)
        self.assertRegex(done.stderr, r"--text, --held-out \(\d+ .*crc")

    def test_finds_a_wrong_output_first(self):
        check_finds_a_wrong_output_first(self, FOLDER, "report")

    def test_says_what_is_wrong(self):
        run = FOLDER / "wrong"
        start = ["train", "--text", FOLDER / "text", "--output", run, *SMALL]
        succeed(*start)
        for words, code, text in (
                (["train", "--output", run], 2, "--text is needed"),
                (["train", "--text", FOLDER / "text"], 2, "--output is needed"),
                (["train", "--modle", "lstm"], 2, "did you mean --model"),
                (["trian"], 2, "did you mean train"),
                ([], 2, "COMMAND"),
                (["train", "--text", FOLDER / "none", "--output", run], 1, "none"),
                (["train", "--text", FOLDER / "short", "--output", FOLDER / "s"], 1,
                 "short: [LanguageModelTask] the training text has 6 tokens, too few for 32 rows"),
                ([*start, "--width", "20"], 2, "--width"),
                ([*start, "--symbols", "1"], 2, "--symbols 1 leaves no symbol"),
                ([*start, "--kernel-size", "3"], 2, "--kernel-size 3 is of --model transformer; lstm has no use for it"),
                ([*start, "--model", "transformer", "--kernel-size", "3"], 2, "--kernel-size 3 is of --mixing light and dynamic; attention has"),
                ([*start, "--model", "transformer", "--reach", "3"], 2, "--reach 3 is of --mixing block_local, strided and window; attention has"),
                ([*start, "--heads", "3"], 2, "--heads 3 is of --model transformer; lstm has no use for it"),
                ([*start, "--feed-forward", "3"], 2, "--feed-forward 3 is of --model transformer; lstm has"),
                ([*start, "--valid", FOLDER / "text", "--held-out", "0.5"], 2, "--held-out 0.5 is of --text alone; --valid has no use"),
                (["sample", "--model", run, "--temperature", "0", "--top-k", "5"], 2, "--top-k 5 is of draws; --temperature 0 has no use"),
                (["sample", "--model", run, "--temperature", "0", "--top-p", "0.5"], 2, "--top-p 0.5 is of draws; --temperature 0 has"),
                ([*start, "--mixing", "linear"], 2, "--mixing and --normaliser are of --model transformer; lstm has neither"),
                ([*start, "--model", "transformer", "--mixing", "light", "--normaliser", "entmax15"], 2,
                 "--normaliser entmax15 is of --mixing attention"),
                ([*start, "--quick"], 2, "--quick makes its own data; leave out --text"),
                (["train", "--text", FOLDER / "text", "--output", run, "--model", "transformer", "--heads", "3"], 2,
                 "--width 256 must be even and a multiple of --heads 3"),
                (["evaluate", "--model", run, "--text", FOLDER / "short"], 1, "short has 6 tokens, too few for --rows 8"),
                ([*start, "--dropout", "0.5"], 1, "--dropout (0.2 there, 0.5 now)"),
                ([*start, "--held-out", "0.2"], 1, "--valid, --held-out ("),
                (["train", "--text", FOLDER / "blank", "--output", FOLDER / "b"], 1, "blank has no text"),
                (["evaluate", "--model", FOLDER / "none", "--text", FOLDER / "text"], 1, "none"),
                (["sample", "--model", run, "--prompt", ""], 1, "prompt is empty"),
                (["sample", "--model", run, "--temperature", "-1"], 2, "--temperature")):
            done = call(*words)
            self.assertEqual(done.returncode, code, (words, done.stderr))
            self.assertIn(text, done.stderr)


def main():
    global FOLDER
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        lines = [f"the {who} {does} the {what} .\n" for who in ("dog", "cat", "horse") for does in ("sees", "likes", "hears")
                 for what in ("tree", "bird", "house", "river")]
        (FOLDER / "text").write_text("".join(lines * 6))
        (FOLDER / "short").write_text("short\n")
        (FOLDER / "blank").write_text(" \n\n")
        return run(LanguageModelTest)


if __name__ == "__main__":
    sys.exit(main())
