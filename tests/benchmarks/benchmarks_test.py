"""The benchmark programs' command lines, with works of the smallest size. Argument: their folder. Runs where benchmarks are built."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(sys.argv.pop(1))
SMALL = {"lstm": ["--batch", "2", "--length", "2", "--width", "8", "--vocabulary", "5"],
         "transformer": ["--batch", "2", "--length", "2", "--width", "8", "--layers", "1", "--vocabulary", "5"],
         "gpt2": ["--batch", "1", "--length", "2", "--width", "12", "--layers", "1", "--vocabulary", "5"],
         "attention": ["--length", "3", "--width", "4"], "ragged": ["--batch", "2", "--length", "10", "--width", "4"],
         "conv": ["--batch", "1", "--length", "1", "--width", "2"], "ctc": ["--batch", "1", "--length", "3", "--vocabulary", "2"],
         "mlp": [], "tape": ["--length", "3"]}


def call(program, *words):
    return subprocess.run([FOLDER / program, *words], capture_output=True, text=True, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})


class TrainStep(unittest.TestCase):
    def test_each_work_gives_a_line(self):
        for work, sizes in SMALL.items():
            done = call("train_step", work, "--threads", "1", "--steps", "2", "--warmup", "1", *sizes)
            self.assertEqual(done.returncode, 0, done.stderr)
            line = json.loads(done.stdout)
            self.assertEqual((line["name"], line["threads"], len(line["losses"])), (work, 1, 3))
            self.assertGreater(line["ms_per_step"], 0)

    def test_what_cannot_be_is_refused(self):
        for words, message in [
                (["lstm", "--vocabulary", "4"], "--vocabulary of at least 5"), (["lstm", "--length", "1"], "--length of at least 2"),
                (["lstm", "--width", "7"], "even --width"), (["transformer", "--vocabulary", "4"], "--vocabulary of at least 5"),
                (["transformer", "--heads", "3"], "--heads that divide"), (["gpt2", "--heads", "5"], "--heads that divide"),
                (["transformer", "--width", "9", "--heads", "3"], "even --width"), (["gpt2", "--length", "1025"], "--length of at most 1024"),
                (["ragged", "--length", "9"], "--length of at least 10"), (["ctc", "--vocabulary", "1"], "--vocabulary of at least 2"),
                (["mlp", "--layers", "2"], "has no --layers"), (["mlp", "--batch", "0"], "--batch is 0"),
                (["mlp", "--steps", "0"], "--steps"), (["mlp", "--warmup", "-1"], "--warmup"), (["mlp", "--threads", "0"], "--threads"),
                (["mlp", "--threads", "100000"], "--threads"), (["lstm", "--dropout", "1"], "--dropout"),
                (["mlp", "--dtype", "f16"], "--dtype"), (["other"], "NAME must be one of"), ([], "NAME must be one of")]:
            done = call("train_step", *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(message, done.stderr)


class Others(unittest.TestCase):
    def test_programs_without_options_say_so(self):
        for program in ("tape_overhead", "recompute"):
            self.assertEqual(call(program, "--help").returncode, 0)
            done = call(program, "--threads", "2")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("no options", done.stderr)

    def test_attention_family(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            files = ["--json", str(folder / "costs.json"), "--plot", str(folder / "costs.svg")]
            done = call("attention_family", "--lengths", "4", "8", "4", "--kinds", "dot", "--width", "8", "--heads", "2", "--rounds", "1",
                        "--threads", "1", *files)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("1 thread;", done.stdout)
            lines = [json.loads(line) for line in (folder / "costs.json").read_text().splitlines()]
            self.assertEqual([line["length"] for line in lines], [4, 8])
            self.assertIn("<svg", (folder / "costs.svg").read_text())
            for words, message in [(["--seconds", "0"], "--seconds and --gib"), (["--gib", "-1"], "--seconds and --gib"),
                                   (["--lengths", "0"], "--lengths"), (["--kinds", "none"], "--kinds"),
                                   (["--threads", "0"], "--threads"),
                                   (["--json", "same", "--plot", "same"], "two files")]:
                done = call("attention_family", *words)
                self.assertEqual((done.returncode, done.stdout), (2, ""), words)
                self.assertIn(message, done.stderr)
            for path in (folder, folder / "missing" / "costs.json"):
                done = call("attention_family", "--json", str(path))
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f"{path} can't be written", done.stderr)

    def test_translate_speed_says_what_it_needs(self):
        self.assertEqual(call("translate_speed").returncode, 2)
        self.assertEqual(call("translate_speed", "--help").returncode, 0)
        for words in (["--batch", "0"], ["--beam", "0"], ["--threads", "0"], ["--rounds", "0"]):
            done = call("translate_speed", "folder", "text", *words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(words[0], done.stderr)
        self.assertEqual(call("translate_speed", "missing", "text").returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=0)
