"""The translator's command line from end to end, on a tiny text made here. Argument: the program. Prints failures alone."""
import hashlib
import io
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from program import check_page, figures, sanitized

TRANSLATOR = ""
FOLDER = pathlib.Path()  # temporary; holds the texts and `run`, a finished training run
SVG = "{http://www.w3.org/2000/svg}svg"
SMALL = ["--embedding", "16", "--hidden", "32", "--vocabulary", "60", "--batch-tokens", "400", "--threads", "1",
         "--validate-every", "6", "--save-every", "5", "--log-every", "5"]
SMALL_TRANSFORMER = ["--model", "transformer", "--layers", "2", "--width", "16", "--heads", "2", "--feed-forward", "24",
                     "--warmup", "5", "--dropout", "0.1"]
FAST = ["--threads", "1", "--beam", "2", "--max-length", "8"]


def write_text():
    nouns = {"dog": "chien", "cat": "chat", "bird": "oiseau", "horse": "cheval", "tree": "arbre"}
    verbs = {"sees": "voit", "likes": "aime", "finds": "trouve", "hears": "entend"}
    qualities = {"big": "grand", "small": "petit", "red": "rouge", "old": "vieux"}
    chosen = random.Random(1)
    for name, count in (("train", 300), ("valid", 6)):
        with open(FOLDER / f"{name}.en", "w") as english, open(FOLDER / f"{name}.fr", "w") as french:
            for _ in range(count):
                quality, verb = chosen.choice(list(qualities)), chosen.choice(list(verbs))
                subject, thing = chosen.choice(list(nouns)), chosen.choice(list(nouns))
                print(f"the {quality} {subject} {verb} the {thing} .", file=english)
                print(f"le {qualities[quality]} {nouns[subject]} {verbs[verb]} le {nouns[thing]} .", file=french)


def call(*words, stdin=b"", stdout=subprocess.PIPE, before=None):
    return subprocess.run([TRANSLATOR, *map(str, words)], input=stdin, stdout=stdout, stderr=subprocess.PIPE, check=False,
                          preexec_fn=before)


def succeed(*words, stdin=b""):
    done = call(*words, stdin=stdin)
    if done.returncode != 0:
        raise AssertionError(f"{words}: exit code {done.returncode}\n{done.stderr.decode()}")
    return done.stdout.decode()


def train_words(output, *more, source="train.en", target="train.fr", valid_source="valid.en", valid_target="valid.fr"):
    left_out = {*more, *(["--embedding", "--hidden"] if "transformer" in more else [])}  # the LSTM's alone
    small = [word for at in range(0, len(SMALL), 2) if SMALL[at] not in left_out for word in SMALL[at:at + 2]]
    return ["train", "--source", FOLDER / source, "--target", FOLDER / target, "--valid-source", FOLDER / valid_source,
            "--valid-target", FOLDER / valid_target, "--output", output, *small, *more]


def hashes(folder):
    """Of all but the log, which may grow."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.iterdir() if path.is_file() and path.name != "train.log"}


def tensors(path):
    """Type, shape and bytes of each tensor; the file has an 8-byte length, a JSON header of that length, then the data."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    found = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            found[name] = (entry["dtype"], entry["shape"], content[start + begin:start + end])
    return found


def updates(folder):
    return int.from_bytes(tensors(folder / "last.safetensors")["state.counts"][2][:8], "little")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=FOLDER))

    def copy_of_run(self, name="copy"):
        return pathlib.Path(shutil.copytree(FOLDER / "run", self.folder / name))

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def fails(self, code, fragments, *words, stdin=b"", stdout=subprocess.PIPE, unchanged=None, lines=1,
              before=None):
        """Exit code, one line on stderr that has the fragments, nothing on stdout, and files as before."""
        unchanged = unchanged or FOLDER / "run"
        files = hashes(unchanged)
        done = call(*words, stdin=stdin, stdout=stdout, before=before)
        message = done.stderr.decode()
        what = f"{words}\nexit code {done.returncode}, standard error:\n{message}"
        self.assertEqual(done.returncode, code, what)
        if lines is None:  # progress or usage too
            self.assertIn("\ntranslator", "\n" + message, what)
        else:
            self.assertTrue(message.startswith("translator: "), what)
        for fragment in fragments:
            self.assertIn(str(fragment), message, what)
        for abrupt in ("terminate called", "what():", "Sanitizer", "runtime error", "Traceback"):
            self.assertNotIn(abrupt, message, what)
        if lines is not None:
            self.assertEqual(len(message.splitlines()), lines, what)
        self.assertEqual(done.stdout or b"", b"", what)
        self.assertEqual(hashes(unchanged), files, what)

    def assert_same_state(self, folder, other):
        self.assertEqual((folder / "best.safetensors").read_bytes(), (other / "best.safetensors").read_bytes())
        first, second = tensors(folder / "last.safetensors"), tensors(other / "last.safetensors")
        self.assertEqual(list(first), list(second))
        for name, tensor in first.items():
            if name not in ("state.seconds", "state.log_bytes"):  # by the clock
                self.assertEqual(tensor, second[name], name)
        for part in ("model.", "optimizer.", "state.generator"):
            self.assertTrue(any(name.startswith(part) for name in first), part)


class Commands(Case):
    def test_files_of_a_run(self):
        self.assertEqual(set(os.listdir(FOLDER / "run")),
                         {"best.safetensors", "last.safetensors", "source.model", "target.model", "train.log"})
        log = (FOLDER / "run" / "train.log").read_text()
        self.assertRegex(log, r"update 20 epoch \d+ loss ")
        self.assertRegex(log, r"update 18 epoch \d+ validation loss .* score ")

    def test_training_says_what_no_batch_has(self):
        source, target = self.folder / "long.en", self.folder / "long.fr"
        source.write_text((FOLDER / "train.en").read_text() + "the dog\n" * 2 + "the big cat sees the tree . " * 9 + "\n")
        target.write_text((FOLDER / "train.fr").read_text() + "\u2581\n" * 2 + "le chat voit le arbre .\n")
        done = call(*train_words(self.folder / "run", "--max-length", "40", "--updates", "1", source=source, target=target))
        self.assertEqual(done.returncode, 0, done.stderr)
        said = done.stderr.decode()
        self.assertIn("\ntranslator: left out: 1 pair with a side longer than --max-length 40\n"
                      "translator: left out: 2 pairs with a side without tokens\n", said)
        self.assertNotIn("left out", call(*train_words(self.folder / "other", "--updates", "1")).stderr.decode())

    def test_translate_keeps_order_and_line_count(self):
        lines = (FOLDER / "valid.en").read_text().splitlines()[:4]
        words = ["translate", "--model", FOLDER / "run", *FAST]
        alone = [succeed(*words, stdin=(line + "\n").encode()) for line in lines]
        text = "\n".join(["", lines[0], "   ", lines[1], "", "", lines[2], lines[3]]) + "\n\n"
        expected = ["\n", alone[0], "\n", alone[1], "\n", "\n", alone[2], alone[3], "\n"]
        self.assertEqual(succeed(*words, "--batch", "1", stdin=text.encode()), "".join(expected))
        self.assertEqual(succeed(*words, "--batch", "3", stdin=text.encode()), "".join(expected))
        many = (lines[0] + "\n") * 20 + lines[1]  # longer than what is read at a time, without a last newline
        self.assertEqual(succeed(*words, "--batch", "1", stdin=many.encode()), alone[0] * 20 + alone[1])
        self.assertEqual(succeed(*words), "")

    def test_evaluate(self):
        words = ["evaluate", "--model", FOLDER / "run", "--source", FOLDER / "valid.en", "--reference", FOLDER / "valid.fr"]
        self.assertRegex(succeed(*words, *FAST), r"\ABLEU = .*\n.*nrefs:1\|.*tok:13a.*\n.*sentences/s\nchrF = [\d.]+\n\Z")
        self.assertIn("tok:none", succeed(*words, *FAST, "--tokenize", "none", "--lowercase"))
        printed = succeed(*words, *FAST, "--tokenize", "intl", "--ter", "--bootstrap", "100")
        interval = r"[\d.]+ \[[\d.]+, [\d.]+\] \(95 %\)\n"
        self.assertRegex(printed, rf"\nchrF = [\d.]+\nTER = [\d.]+\nBLEU {interval}chrF {interval}TER {interval}\Z")

    def test_decoding(self):
        text = (FOLDER / "valid.en").read_bytes()
        words = ["translate", "--model", FOLDER / "run", "--threads", "1", "--max-length", "8"]
        best = succeed(*words, stdin=text)
        self.assertEqual(succeed(*words, "--model", FOLDER / "run", stdin=text), best)  # an ensemble with itself
        self.assertEqual(succeed(*words, "--sample", "--top-k", "1", stdin=text), succeed(*words, "--beam", "1", stdin=text))
        drawn = succeed(*words, "--sample", "--temperature", "2", "--top-p", "0.9", "--seed", "3", stdin=text)
        self.assertEqual(succeed(*words, "--sample", "--temperature", "2", "--top-p", "0.9", "--seed", "3", "--batch", "1",
                                 stdin=text), drawn)
        self.assertNotEqual(succeed(*words, "--sample", "--temperature", "2", "--top-p", "0.9", "--seed", "4", stdin=text),
                            drawn)
        for line in succeed(*words, "--prefix", "le petit chat", stdin=text).splitlines():
            self.assertTrue(line.startswith("le petit chat"), line)
        for more in (["--length-normalisation", "gnmt", "--coverage-penalty", "0.2", "--no-repeat-ngram-size", "2"],
                     ["--beam", "4", "--diverse-beam-groups", "2", "--diverse-beam-strength", "1"],
                     ["--mbr", "4"], ["--sample", "--mbr", "4", "--mbr-utility", "bleu"]):
            self.assertEqual(len(succeed(*words, *more, stdin=text).splitlines()), 6)

    def test_sources_that_are_cut_are_told(self):
        text = b"the\nthe old dog sees the cat .\n"
        words = ["translate", "--model", FOLDER / "run", *FAST, "--max-source", "5"]
        done = call(*words, stdin=text)
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 2), done.stderr)
        self.assertRegex(done.stderr.decode(), r"\Atranslator: cut: standard input, line 2: \d+ pieces? behind --max-source\n\Z")
        done = call("evaluate", "--model", FOLDER / "run", *FAST, "--max-source", "5", "--source", FOLDER / "valid.en",
                    "--reference", FOLDER / "valid.fr")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"translator: cut: 6 lines of {FOLDER / 'valid.en'} longer than --max-source 5\n", done.stderr.decode())

    def test_average(self):
        run, mean = self.folder / "kept", self.folder / "mean"
        succeed(*train_words(run, "--updates", "18", "--accumulate", "2", "--ema", "0.9", "--keep", "2"))
        kept = [run / "update-12.safetensors", run / "update-18.safetensors"]
        self.assertEqual(sorted(run.glob("update-*")), kept)
        self.assertEqual(succeed("average", "--model", run, "--output", mean).splitlines(), list(map(str, kept)))
        self.assertEqual(set(os.listdir(mean)), {"best.safetensors", "source.model", "target.model"})
        self.assertIn("BLEU", succeed("evaluate", "--model", mean, "--source", FOLDER / "valid.en",
                                      "--reference", FOLDER / "valid.fr", *FAST))
        newest = succeed("average", "--model", run, "--output", self.folder / "newest", "--last", "1")
        self.assertEqual(newest.splitlines(), [str(kept[1])])
        self.fails(2, ["--last 3", "2"], "average", "--model", run, "--output", mean, "--last", "3")
        self.fails(2, ["--output", "own folder"], "average", "--model", run, "--output", run)
        self.fails(2, ["--output is needed"], "average", "--model", run)
        self.fails(1, ["--keep"], "average", "--model", FOLDER / "run", "--output", mean)
        self.fails(1, ["no folder"], "average", "--model", self.folder / "none", "--output", mean)

    def test_attention(self):
        output = self.folder / "pictures"
        done = call("attention", "--model", FOLDER / "run", "--output", output, *FAST,
                    stdin="the dog <&> sees\n\nthe “cat” .\n".encode())
        self.assertEqual(done.returncode, 1)
        paths = [output / "attention-1.svg", output / "attention-3.svg"]  # numbered by line; the blank one has none
        self.assertEqual(done.stdout.decode().splitlines(), list(map(str, paths)))
        self.assertEqual(sorted(output.iterdir()), paths)
        for path in paths:
            self.assertEqual(ElementTree.parse(path).getroot().tag, SVG)

    def test_report(self):
        page = FOLDER / "run" / "report.html"
        self.addCleanup(lambda: page.unlink(missing_ok=True))
        words = ["report", "--model", FOLDER / "run", *FAST]
        done = call(*words, stdin="the dog <&> sees\n\nthe “cat” .\n".encode())
        self.assertEqual((done.returncode, done.stdout.decode()), (1, f"{page}\n"))  # the blank line has no picture
        check_page(self, page)
        data = figures(page)
        self.assertNotIn("entropy", page.read_text(encoding="utf-8"))  # there are no layers of heads
        self.assertEqual([figure["kind"] for figure in data], ["curve"] * 6 + ["attention"] * 2)  # the blank line has none
        self.assertEqual(data[0]["series"][0]["x"], [1, 2, 3, 4, 5, 10, 15, 20])
        self.assertTrue(all(value > 0 for value in data[5]["series"][0]["y"]))  # memory
        self.assertTrue(data[6]["title"].startswith("the dog <&> sees → "))
        other = self.folder / "other.html"
        self.assertEqual(succeed(*words, "--output", other), f"{other}\n")
        self.assertEqual(len(figures(other)), 6)
        run = self.copy_of_run()
        (run / "train.log").write_text("nothing\n")
        self.fails(1, ["train.log' has no line of a training run"], "report", "--model", run, unchanged=run)
        missing = self.folder / "none"
        self.fails(1, [f"its folder '{missing}' doesn't exist"], "report", "--model", missing, "--output", missing / "page")  # first

    def test_quickstart_in_seconds(self):
        run = self.folder / "quick"
        out = succeed("quickstart", "--quick", "--output", run, "--threads", 1, *(["--updates", 2] if sanitized else []))
        bleu = float(re.search(r"BLEU = ([\d.]+) .* on 100 held-out sentences", out)[1])
        if not sanitized:
            self.assertGreater(bleu, 20)
        self.assertTrue(out.endswith(f"{run}/report.html\n"), out)
        check_page(self, run / "report.html")
        self.fails(2, ["--quick is of translator quickstart"], "train", "--quick", "--output", self.folder / "new")
        config = self.folder / "quick.conf"
        config.write_text("quick = true\n")
        self.fails(2, ["quick.conf:1: --quick is of translator quickstart"], "train", "--config", config, "--output", self.folder / "new")

    def test_help(self):
        self.assertIn("quickstart", succeed("--help"))
        for command in ("train", "translate", "evaluate", "attention", "report", "quickstart"):
            self.assertIn("--threads", succeed(command, "--help"))


class Resume(Case):
    def test_two_parts_give_the_bits_of_one(self):
        whole, parts = self.folder / "whole", self.folder / "parts"
        succeed(*train_words(whole, "--updates", "30"))
        succeed(*train_words(parts, "--updates", "12"))
        self.assertEqual(updates(parts), 12)
        succeed(*train_words(parts, "--updates", "30"))
        self.assert_same_state(parts, whole)
        before = hashes(parts)
        succeed(*train_words(parts, "--updates", "30", "--resume", "must"))  # nothing left to do
        self.assertEqual(hashes(parts).keys(), before.keys())
        self.assert_same_state(parts, whole)

    def interrupt(self, folder, number):
        """Starts or resumes an endless run and sends the signal after its first validation."""
        words = train_words(folder, "--epochs", "1000000", "--resume", "auto")
        with subprocess.Popen([TRANSLATOR, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            seen = []
            for line in run.stderr:
                seen.append(line)
                if b"validation loss" in line:
                    break
            run.send_signal(number)
            seen += run.stderr.readlines()
            run.stdout.read()
        return run.returncode, b"".join(seen).decode()

    def test_signals(self):
        stopped, whole = self.folder / "stopped", self.folder / "whole"
        reached = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            code, message = self.interrupt(stopped, number)
            self.assertEqual(code, 128 + number, message)
            self.assertGreater(updates(stopped), reached)
            reached = updates(stopped)
        code, message = self.interrupt(stopped, signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL, message)
        self.assertGreaterEqual(updates(stopped), reached)
        succeed("translate", "--model", stopped, *FAST, stdin=b"the dog\n")
        end = str(updates(stopped) + 8)
        succeed(*train_words(stopped, "--updates", end, "--epochs", "1000000", "--resume", "must"))
        succeed(*train_words(whole, "--updates", end, "--epochs", "1000000"))
        self.assert_same_state(stopped, whole)

    def test_never_starts_anew_and_must_needs_a_checkpoint(self):
        copy = self.copy_of_run()
        succeed(*train_words(copy, "--updates", "2", "--resume", "never"))
        self.assertEqual(updates(copy), 2)
        empty = self.folder / "empty"
        self.fails(1, ["last.safetensors"], *train_words(empty, "--updates", "2", "--resume", "must"), lines=None)


class Transformer(Case):
    def test_all_commands(self):
        run = self.folder / "run"
        self.assertIn("updates", succeed(*train_words(run, *SMALL_TRANSFORMER, "--updates", "20")))
        lines = b"the dog sees\n\nthe old cat .\n"
        alone = [succeed("translate", "--model", run, *FAST, stdin=line + b"\n") for line in lines.splitlines()]
        self.assertEqual(succeed("translate", "--model", run, *FAST, stdin=lines), "".join(alone))
        self.assertIn("BLEU", succeed("evaluate", "--model", run, "--source", FOLDER / "valid.en",
                                      "--reference", FOLDER / "valid.fr", *FAST))
        lines = lines.replace(b"\n\n", b"\n")
        pictures = succeed("attention", "--model", run, "--output", self.folder / "pictures", *FAST, stdin=lines).splitlines()
        self.assertEqual(len(pictures), 2)
        for path in pictures:
            self.assertEqual(ElementTree.parse(path).getroot().tag, SVG)
        page = pathlib.Path(succeed("report", "--model", run, *FAST, stdin=lines).strip())
        check_page(self, page)
        maps = [figure for figure in figures(page) if figure["kind"] == "attention"]
        # Layers and heads of three kinds a line, and the rollout of the encoder's.
        self.assertEqual([figure["shape"][:2] for figure in maps], [[2, 2], [2, 2], [1, 1], [2, 2]] * 2)
        self.assertIn("(rollout)", maps[2]["title"])
        places = len(maps[2]["rows"])
        self.assertEqual(maps[2]["rows"], maps[2]["columns"])
        for row in range(places):
            self.assertAlmostEqual(sum(maps[2]["weights"][row * places:(row + 1) * places]), 1, places=2)
        rows = re.findall(r"<tr><td>(the \w+ to \w+(?: \w+)?)</td><td>([12])</td>(?:<td>[\d.]+</td>){3}</tr>", page.read_text(encoding="utf-8"))
        kinds = ("the translation to the source", "the source to itself", "the translation to itself")
        self.assertEqual(rows, [(kind, layer) for kind in kinds for layer in "12"])

    def test_two_parts_give_the_bits_of_one(self):
        whole, parts = self.folder / "whole", self.folder / "parts"
        more = [*SMALL_TRANSFORMER, "--post-norm", "--joint", "--schedule", "constant"]
        succeed(*train_words(whole, *more, "--updates", "20"))
        succeed(*train_words(parts, *more, "--updates", "7"))
        succeed(*train_words(parts, *more, "--updates", "20"))
        self.assert_same_state(parts, whole)
        self.assertIn("transformer.encoder.layers.1.self_attn.in_proj_weight", tensors(parts / "best.safetensors"))
        wider = [word if word != "24" else "32" for word in more]
        self.fails(1, ["--feed-forward (24 there, 32 now)"], *train_words(parts, *wider, "--updates", "30"), unchanged=parts, lines=None)
        self.fails(1, ["--warmup, --schedule (5 then constant there, 5 now)"],
                   *train_words(parts, *more[:-2], "--updates", "30"), unchanged=parts, lines=None)

    def test_positions_mixing_and_heads_of_keys(self):
        lines = b"the dog sees\nthe old cat .\n"
        for name, more in (("rotary", ["--positions", "rotary", "--kv-heads", "1"]),
                           ("dynamic", ["--mixing", "dynamic", "--kernel-size", "3", "--positions", "learned"])):
            with self.subTest(kind=name):
                run = self.folder / name
                succeed(*train_words(run, *SMALL_TRANSFORMER, *more, "--updates", "6"))
                self.assertEqual(len(succeed("translate", "--model", run, *FAST, stdin=lines).splitlines()), 2)
                other = [word if word != "rotary" else "alibi" for word in more]
                if name == "rotary":
                    self.fails(1, ["--positions (rotary there, alibi now)"],
                               *train_words(run, *SMALL_TRANSFORMER, *other, "--updates", "9"), unchanged=run, lines=None)
        new = self.folder / "new"
        for words, message in ((["--kv-heads", "3"], "--heads 4 must be a multiple of --kv-heads 3"),
                               (["--positions", "rotary", "--width", "252"], "--positions rotary"),
                               (["--positions", "t5", "--mixing", "light"], "--mixing light needs sinusoid or learned"),
                               (["--positions", "north"], "--positions"), (["--mixing", "soup"], "--mixing"),
                               (["--mixing", "light", "--kernel-size", "0"], "--kernel-size")):
            with self.subTest(words=words):
                self.fails(2, [message], *train_words(new, "--model", "transformer", *words))

    def test_kinds_of_mixing_and_weights(self):
        lines = b"the dog sees\nthe old cat .\n"
        both = [[2, 2]] * 3  # layers and heads of the attention to the source and of either sentence's to itself
        for name, more, shapes in (("gated", ["--mixing", "gated"], [[2, 2], [2, 1], [2, 1]]),
                                   ("block", ["--mixing", "block_local", "--reach", "3"], both),
                                   ("strided", ["--mixing", "strided", "--reach", "3"], both),
                                   ("window", ["--mixing", "window", "--reach", "3"], both),
                                   ("spans", ["--normaliser", "entmax15", "--max-span", "6", "--span-weight", "0.01"], both)):
            with self.subTest(kind=name):
                run = self.folder / name
                succeed(*train_words(run, *SMALL_TRANSFORMER, *more, "--updates", "4"))
                succeed(*train_words(run, *SMALL_TRANSFORMER, *more, "--updates", "6"))
                self.assertEqual(len(succeed("translate", "--model", run, *FAST, stdin=lines).splitlines()), 2)
                page = succeed("report", "--model", run, *FAST, stdin=lines[:13]).strip()
                maps = [figure for figure in figures(page) if figure["kind"] == "attention"]
                self.assertEqual([figure["shape"][:2] for figure in maps], [*shapes[:2], [1, 1], *shapes[2:]])  # and a rollout
                for option, before, after in (("--reach", "3", "4"), ("--normaliser", "entmax15", "softmax"),
                                              ("--max-span", "6", "7"), ("--span-weight", "0.01", "0.02")):
                    if option in more:
                        other = [after if at > 0 and more[at - 1] == option else word for at, word in enumerate(more)]
                        self.fails(1, [f"{option} ({before} there, "],
                                   *train_words(run, *SMALL_TRANSFORMER, *other, "--updates", "9"), unchanged=run, lines=None)
        new = self.folder / "new"
        for words, message in ((["--mixing", "window", "--reach", "0"], "--reach"),
                               (["--mixing", "light", "--normaliser", "sparsemax"],
                                "--normaliser sparsemax is of --mixing attention; light has no weights to normalise"),
                               (["--mixing", "window", "--max-span", "3"], "--max-span 3 is of --mixing attention; window has no spans"),
                               (["--max-span=-1"], "--max-span"),
                               (["--kernel-size", "3"], "--kernel-size 3 is of --mixing light and dynamic; attention has no use for it"),
                               (["--reach", "3", "--mixing", "light"], "--reach 3 is of --mixing block_local, strided and window; light has"),
                               (["--span-weight", "1"], "--span-weight 1 is of --max-span; --max-span 0 has no use for it")):
            with self.subTest(words=words):
                self.fails(2, [message], *train_words(new, "--model", "transformer", *words))

    def test_grus_heads_and_scheduled_sampling(self):
        run, parts = self.folder / "gru", self.folder / "parts"
        more = ["--recurrent", "gru", "--attention", "multi_head", "--attention-heads", "4", "--normaliser", "sparsemax",
                "--scheduled-sampling", "0.5", "--sampling-epochs", "1"]
        succeed(*train_words(run, *more, "--updates", "20"))
        succeed(*train_words(parts, *more, "--updates", "7"))
        succeed(*train_words(parts, *more, "--updates", "20"))
        self.assert_same_state(parts, run)
        self.assertEqual(tensors(run / "best.safetensors")["decoder.0.weight_hh"][1], [3 * 32, 32])
        self.assertEqual(len(succeed("translate", "--model", run, *FAST, stdin=b"the dog sees\nthe old cat .\n").splitlines()), 2)
        for name, before, after in (("recurrent", "gru", "the default"), ("attention-heads", "4", "8"),
                                    ("normaliser", "sparsemax", "entmax15"), ("scheduled-sampling", "0.5", "0.4")):
            other = [after.replace("the default", "lstm") if at > 0 and more[at - 1] == f"--{name}" else word
                     for at, word in enumerate(more)]
            self.fails(1, [f"--{name}", before, after], *train_words(run, *other, "--updates", "30"), unchanged=run, lines=None)
        new = self.folder / "new"
        self.fails(2, ["--hidden 32 must be a multiple of --attention-heads 5"],
                   *train_words(new, "--attention", "multi_head", "--attention-heads", "5"))
        self.fails(2, ["--attention-heads 4 is of --attention multi_head; dot has no use for it"],
                   *train_words(new, "--attention", "dot", "--attention-heads", "4"))
        self.fails(2, ["--window 3 is of --attention local-m and local-p; general has no use for it"], *train_words(new, "--window", "3"))
        self.fails(2, ["--recurrent"], *train_words(new, "--recurrent", "rnn"))
        self.fails(2, ["--normaliser", "must be softmax, sparsemax or entmax15"], *train_words(new, "--normaliser", "max"))
        self.fails(2, ["--normaliser sparsemax is of attention; --attention none has none"],
                   *train_words(new, "--attention", "none", "--normaliser", "sparsemax"))
        self.fails(2, ["--scheduled-sampling"], *train_words(new, "--scheduled-sampling", "2"))

    def test_options_of_the_other_kind(self):
        new = self.folder / "new"
        self.fails(2, ["--hidden"], *train_words(new, *SMALL_TRANSFORMER, "--hidden", "32"))
        self.fails(2, ["--heads"], *train_words(new, "--heads", "2"))
        self.fails(2, ["--width 256", "--heads 3"], *train_words(new, "--model", "transformer", "--heads", "3"))
        self.fails(2, ["--model", "organ", "lstm or transformer"], *train_words(new, "--model", "organ"))
        for option, value in (("layers", "0"), ("width", "1"), ("feed-forward", "0"), ("dropout", "1"), ("schedule", "odd")):
            with self.subTest(option=option):
                self.fails(2, [f"--{option}", value], *train_words(new, "--model", "transformer", f"--{option}", value))
        self.assertIn("--feed-forward", succeed("train", "--model", "transformer", "--help"))
        self.assertNotIn("--hidden", succeed("quickstart", "--model", "transformer", "--help"))
        config = self.file("transformer.conf", b"model = transformer\nheads = 3\n")
        self.fails(2, ["--heads 3"], "train", "--output", new, "--config", config)
        self.assertFalse(new.exists())


class BadUsage(Case):
    def test_exit_code_2(self):
        run = FOLDER / "run"
        given = ["--model", run]
        for fragments, words in [
                (["--unheard-of"], train_words(run, "--unheard-of", "1")),
                (["--unheard-of"], ["translate", *given, "--unheard-of"]),
                (["--unheard-of"], ["evaluate", *given, "--unheard-of"]),
                (["no option --epocs", "did you mean --epochs?", "translator train --help"], train_words(run, "--epocs", "3")),
                (["--attention", "must be none, dot,"], train_words(run, "--attention", "local_q")),
                (["--mixing is an option of --model transformer; this is --model lstm"], train_words(run, "--mixing", "light")),
                (["--attention is an option of --model lstm; this is --model transformer"],
                 ["train", "--model", "transformer", "--attention", "dot"]),
                (["no option --bean; did you mean --beam?", "translate --help"], ["translate", *given, "--bean=3"]),
                (["positional"], ["translate", *given, "stray"]),
                (["sometimes", "auto, never or must"], train_words(run, "--resume", "sometimes")),
                (["sideways", "additive"], train_words(run, "--attention", "sideways")),
                (["words", "unigram"], train_words(run, "--resume", "never", "--subword", "words")),
                (["many", "--updates", "must be a whole number, 0 or more"], train_words(run, "--updates", "many")),
                (["1.5", "--hidden", "a whole number from 2 to"], train_words(run, "--hidden", "1.5")),
                (["fast", "--lr", "must be a number, 0 or more"], train_words(run, "--lr", "fast")),
                (["--beam"], ["translate", *given, "--beam", "wide"]),
                (["--diverse-beam-groups 2", "--beam 5"], ["translate", *given, "--diverse-beam-groups", "2"]),
                (["--temperature 2 is of --sample"], ["translate", *given, "--temperature", "2"]),
                (["--seed 2 is of --sample"], ["translate", *given, "--seed", "2"]),
                (["--coverage-penalty 1 is of a search", "--sample"], ["translate", *given, "--coverage-penalty", "1", "--sample"]),
                (["--beam 2 is of a search", "--sample"], ["translate", *given, "--beam", "2", "--sample"]),
                (["--beam 2 is of a search for the best", "--mbr"], ["translate", *given, "--beam", "2", "--mbr", "4"]),
                (["--mbr-utility bleu is of --mbr"], ["translate", *given, "--mbr-utility", "bleu"]),
                (["--diverse-beam-strength 1 is of"], ["translate", *given, "--diverse-beam-strength", "1"]),
                (["--length-normalisation", "power or gnmt"], ["translate", *given, "--length-normalisation", "long"]),
                (["--mbr-utility", "chrf or bleu"], ["evaluate", *given, "--mbr-utility", "ter"]),
                (["--updates"], train_words(run, "--updates")),
                (["--output"], ["train"]),
                (["--source"], ["train", "--output", run, "--target", FOLDER / "train.fr"]),
                (["--target"], ["train", "--output", run, "--source", FOLDER / "train.en"]),
                (["--valid-source"], train_words(run)[:5] + ["--valid-target", FOLDER / "valid.fr", "--output", run]),
                (["--model"], ["translate"]),
                (["--model"], ["attention"]),
                (["--source"], ["evaluate", *given, "--reference", FOLDER / "valid.fr"]),
                (["--reference"], ["evaluate", *given, "--source", FOLDER / "valid.en"])]:
            with self.subTest(words=words[-2:]):
                self.fails(2, fragments, *words)

    def test_values_out_of_range(self):
        run = FOLDER / "run"
        huge, beyond = "9" * 18, "9" * 19 + "9"
        numbers = {  # values that each option can't have
            "vocabulary": ["4", "-1", "1000001"], "embedding": ["0", "-8", huge], "hidden": ["0", "33", "-3", huge],
            "encoder-layers": ["0", "-1", huge], "decoder-layers": ["0", huge], "dropout": ["2", "-0.1", "nan", "inf"],
            "label-smoothing": ["1.5", "-1", "nan"], "epochs": ["0", "-1", huge], "updates": ["-1", beyond],
            "minutes": ["-1", "nan", "inf"], "batch-tokens": ["0", "-5", "100"], "max-length": ["0", "-1", "10000"],
            "lr": ["-1", "nan", "inf"], "warmup": ["-1"], "decay": ["0", "-1", "1.5", "nan"], "clip": ["-1", "nan"],
            "patience": ["-1"], "validate-every": ["-1"], "save-every": ["0", "-1"], "log-every": ["0", "-1"],
            "seed": ["-1", beyond, "1.5"], "threads": ["0", "-1", huge]}
        for option, values in numbers.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    self.fails(2, [f"--{option}", value], *train_words(run, "--resume", "never", f"--{option}", value))
        self.fails(2, ["--lr", "nan"], "quickstart", "--output", self.folder / "new", "--lr", "nan")
        numbers = {"beam": ["0", "-1", huge], "length-penalty": ["-1", "nan", "inf"], "max-length": ["-1", huge],
                   "batch": ["0", "-2", huge], "threads": ["0", huge], "coverage-penalty": ["-1", "nan"],
                   "no-repeat-ngram-size": ["-1"], "diverse-beam-groups": ["0", "-1"], "diverse-beam-strength": ["-1", "nan"],
                   "temperature": ["0", "-1", "nan", "inf"], "top-k": ["-1", "1.5"], "top-p": ["0", "-0.5", "1.01", "nan"],
                   "seed": ["-1"], "mbr": ["-1", huge]}
        for command in ("translate", "evaluate", "attention"):
            files = ["--source", FOLDER / "valid.en", "--reference", FOLDER / "valid.fr"] if command == "evaluate" else []
            for option, values in numbers.items():
                for value in values:
                    with self.subTest(command=command, option=option, value=value):
                        self.fails(2, [f"--{option}", value], command, "--model", run, *files, f"--{option}", value)
            self.fails(2, ["--beam 500", "vocabulary"], command, "--model", run, *files, "--beam", "500")
        self.fails(2, ["--tokenize", "foo", "13a, none, char or intl"], "evaluate", "--model", run, "--tokenize", "foo")
        self.fails(2, ["--joint", "--target-model"], *train_words(run, "--joint", "--target-model", run / "target.model"))
        config = self.file("nested.conf", b"config = other.conf\n")
        self.fails(2, ["nested.conf:1: 'config' can't stand in a configuration"], *train_words(run, "--config", config))
        for path, why in ((self.folder / "none.conf", "No such file or directory"), (self.folder, "Is a directory")):
            self.fails(1, [f"can't read the configuration {path}: {why}"], *train_words(run, "--config", path))
        config = self.file("values.conf", b"dropout = 2\n")
        self.fails(2, ["dropout", "from 0 to 1"], *train_words(run, "--config", config))

    def test_commands(self):
        self.fails(2, ["'trian' is no command; did you mean train?", "quickstart"], "trian", "--output", FOLDER / "run", lines=None)
        self.fails(2, ["translator COMMAND", "quickstart"], lines=None)


class BadInput(Case):
    def test_text(self):
        run = FOLDER / "run"
        short = self.file("short.fr", b"le chien\n" * 3)
        latin = self.file("latin.en", b"one\ntwo\ncaf\xe9\n")
        empty = self.file("empty.en", b"")
        for fragments, files in [
                ([FOLDER / "train.en", "300", short, "3"], {"target": short}),
                ([FOLDER / "valid.en", "6", short, "3"], {"valid_target": short}),
                ([latin, "line 3", "UTF-8"], {"source": latin, "target": short}),
                ([empty, "empty"], {"source": empty}),
                ([empty, "empty"], {"valid_source": empty}),
                (["absent.en", "No such file"], {"source": self.folder / "absent.en"}),
                ([self.folder, "directory"], {"source": self.folder})]:
            with self.subTest(files=files):
                self.fails(1, fragments, *train_words(run, "--updates", "30", **files))
        words = ["evaluate", "--model", run, *FAST]
        self.fails(1, ["6", short, "3"], *words, "--source", FOLDER / "valid.en", "--reference", short)
        self.fails(1, [latin, "line 3"], *words, "--source", latin, "--reference", short)

    def test_a_bad_line_costs_no_other_its_answer(self):
        model = ["--model", FOLDER / "run", *FAST]
        first, second = succeed("translate", *model, stdin=b"the dog\nthe big cat\n").splitlines()
        said = "translator: left out: standard input, line 2, byte 1: not UTF-8 (0xFF)\n"
        for words in ([], ["--prefix", "le"]):
            done = call("translate", *model, *words, stdin=b"the dog\n\xff\nthe big cat\nca\xe9\n")
            lines = done.stdout.decode().split("\n")
            self.assertEqual((len(lines), lines[1], lines[3]), (5, "", ""))
            if not words:
                self.assertEqual((lines[0], lines[2]), (first, second))
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.decode(), said + "translator: left out: standard input, line 4, byte 3: not UTF-8 (0xE9)\n"
                             "translator: 2 of 4 lines were left out\n")
        done = call("translate", *model, stdin=b"the dog\n\xff\nthe\0dog\nthe big cat\n")
        self.assertEqual((done.returncode, done.stdout.decode()), (1, f"{first}\n\n\n{second}\n"))
        self.assertEqual(done.stderr.decode(), said + "translator: left out: standard input, line 3, byte 4: a NUL byte\n"
                         "translator: 2 of 4 lines were left out\n")
        said += "translator: left out: standard input, line 3: no words\ntranslator: 2 of 4 lines were left out\n"
        done = call("attention", *model, "--output", self.folder, stdin=b"the dog\n\xff\n \nthe big cat\n")
        self.assertEqual((done.returncode, done.stderr.decode()), (1, said))
        self.assertEqual(done.stdout.decode(), f"{self.folder}/attention-1.svg\n{self.folder}/attention-4.svg\n")
        page = self.folder / "page.html"
        done = call("report", *model, "--output", page, stdin=b"the dog\n\xff\n \nthe big cat\n")
        self.assertEqual((done.returncode, done.stderr.decode()), (1, said))
        self.assertEqual(len([figure for figure in figures(page) if figure["kind"] == "attention"]), 2)

    def test_damaged_checkpoints(self):
        for name, words in (("best", lambda run: ["translate", "--model", run, *FAST]),
                            ("last", lambda run: train_words(run, "--updates", "30"))):
            whole = (FOLDER / "run" / f"{name}.safetensors").read_bytes()
            flipped = {at: whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:] for at in (0, 60, 300, len(whole) // 2, len(whole) - 1)}
            cut = {size: whole[:size] for size in (0, 7, 200, len(whole) // 2, len(whole) - 1)}
            for how, contents in (("flipped", flipped), ("cut", cut)):
                for at, content in contents.items():
                    with self.subTest(name=name, how=how, at=at):
                        copy = self.copy_of_run(f"{name}-{how}-{at}")
                        (copy / f"{name}.safetensors").write_bytes(content)
                        self.fails(1, [copy / f"{name}.safetensors"], *words(copy), stdin=b"the dog\n", unchanged=copy,
                                   lines=None if name == "last" else 1)

    def test_full_disk(self):
        copy = self.copy_of_run()
        limit = 20_000  # the log fits, a checkpoint doesn't
        self.assertGreater((copy / "best.safetensors").stat().st_size, limit)
        self.fails(1, ["safetensors", "File too large"], *train_words(copy, "--updates", "30"), unchanged=copy, lines=None,
                   before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        succeed(*train_words(copy, "--updates", "30"))
        self.assertEqual(updates(copy), 30)

    def test_vocabulary_that_does_not_fit(self):
        copy = self.copy_of_run()
        shutil.copy(copy / "source.model", copy / "target.model")
        self.fails(1, ["target_vocabulary", copy], "translate", "--model", copy, stdin=b"the dog\n", unchanged=copy)
        self.fails(1, ["--target-model", copy], *train_words(copy, "--updates", "30"), unchanged=copy, lines=None)
        (copy / "target.model").write_bytes(b"no vocabulary")
        self.fails(1, ["target.model"], "translate", "--model", copy, stdin=b"the dog\n", unchanged=copy)
        (copy / "target.model").unlink()
        self.fails(1, ["target.model"], "translate", "--model", copy, stdin=b"the dog\n", unchanged=copy)

    def test_ensemble_of_other_vocabularies(self):
        other = self.copy_of_run()
        succeed(*train_words(self.folder / "other", "--vocabulary", "50", "--updates", "6"))
        self.fails(1, ["models of an ensemble have one source vocabulary, not one of"],
                   "translate", "--model", other, "--model", self.folder / "other", *FAST)

    def test_prefix_outside_the_vocabulary(self):
        self.fails(1, ["the prefix 'le \u732b' has characters that aren't in the target vocabulary"],
                   "translate", "--model", FOLDER / "run", *FAST, "--prefix", "le \u732b", stdin=b"the dog .\n")

    def test_vocabulary_with_other_ids(self):
        model = (FOLDER / "run" / "source.model").read_bytes()
        pieces = []  # the first four messages of the model, each with a tag and a length: pad, unk, bos, eos
        for _ in range(4):
            pieces.append(model[:2 + model[1]])
            model = model[2 + model[1]:]
        other = self.file("other.model", b"".join([*pieces[1:], pieces[0]]) + model)
        for option in ("--source-model", "--target-model"):
            self.fails(1, [other, "the pad piece is 3 where 0 is needed", "spm_train"],
                       *train_words(self.folder / "new", option, other))
        self.assertFalse((self.folder / "new").exists())

    def test_other_settings_than_the_checkpoints(self):
        run = FOLDER / "run"
        lines = (FOLDER / "train.en").read_bytes().splitlines(keepends=True)
        other_text = self.file("other.en", b"".join([b"a" + lines[0], *lines[1:]]))
        other_model = pathlib.Path(shutil.copy(run / "target.model", self.folder / "other.model"))
        for fragments, words, files in [
                (["--attention (general there, dot now)"], ["--attention", "dot"], {}),
                (["--batch-tokens (400 there, 500 now)"], ["--batch-tokens", "500"], {}),
                (["--max-length (100 there, 90 now)"], ["--max-length", "90"], {}),
                (["--seed (1 there, 2 now)"], ["--seed", "2"], {}),
                (["--label-smoothing (0.1 there, 0.2 now)"], ["--label-smoothing", "0.2"], {}),
                (["--lr (0.001 there, 0.002 now)"], ["--lr", "0.002"], {}),
                (["--lr (0.001 there, 0.002 now); --validate-every (6 there, 7 now)", "--hidden (32 there, 34 now)"],
                 ["--lr", "0.002", "--validate-every", "7", "--hidden", "34"], {}),
                (["--vocabulary (60 there, 50 now)"], ["--vocabulary", "50"], {}),
                (["--subword (bpe there, unigram now)"], ["--subword", "unigram"], {}),
                (["--source-model (", "crc32"], ["--source-model", other_model], {}),
                (["--tokenized, --lowercase-bleu (", "13a", "none"], ["--tokenized"], {}),
                (["--source, --target (300 pairs, crc32"], [], {"source": other_text}),
                (["--valid-source, --valid-target (6 pairs", "300 pairs"], [], {"valid_source": "train.en", "valid_target": "train.fr"})]:
            with self.subTest(words=words, files=files):
                self.fails(1, ["last.safetensors", "same settings", *fragments],
                           *train_words(run, "--updates", "30", *words, **files), lines=None)

    def test_limits_are_free(self):
        copy = self.copy_of_run()
        more = ["--save-every", "3", "--log-every", "2", "--patience", "50", "--minutes", "5", "--epochs", "90", "--threads", "2"]
        succeed(*train_words(copy, "--updates", "21", *more, "--source-model", copy / "source.model"))
        self.assertEqual(updates(copy), 21)

    def test_vocabulary_too_small_for_the_text(self):
        self.fails(1, ["vocab_size 6 is too small"], *train_words(FOLDER / "run", "--resume", "never", "--vocabulary", "6"))

    def test_folders(self):
        occupied = self.file("occupied", b"a file")
        self.fails(1, [occupied], *train_words(occupied / "run", "--updates", "2"), lines=None)
        self.fails(1, [occupied], "attention", "--model", FOLDER / "run", "--output", occupied / "pictures", *FAST,
                   stdin=b"the dog\n")
        self.fails(1, ["nowhere"], "translate", "--model", self.folder / "nowhere")
        self.assertEqual(occupied.read_bytes(), b"a file")

    def test_full_standard_output(self):
        evaluate = ["evaluate", "--source", FOLDER / "valid.en", "--reference", FOLDER / "valid.fr"]
        for words in (["translate"], evaluate, ["attention", "--output", self.folder / "pictures"]):
            with self.subTest(command=words[0]), open("/dev/full", "wb") as full:
                self.fails(1, ["standard output"], *words, "--model", FOLDER / "run", *FAST, stdin=b"the dog\n", stdout=full)
        with open("/dev/full", "wb") as full:
            self.fails(1, ["standard output"], "--help", stdout=full)


class Configuration(Case):
    def test_file_and_command_line(self):
        config = self.file("train.conf", b"# settings\nupdates = 3\nlog-every = 1\nattention = dot\njoint = true\n")
        words = train_words(self.folder / "run")
        at = words.index("--log-every")
        del words[at:at + 2]
        succeed(*words, "--config", config)
        self.assertEqual(updates(self.folder / "run"), 3)
        self.assertIn("update 1 ", (self.folder / "run" / "train.log").read_text())
        self.assertIn(b'\\"attention\\":\\"dot\\"', (self.folder / "run" / "best.safetensors").read_bytes()[:2000])
        self.assertEqual((self.folder / "run" / "source.model").read_bytes(),
                         (self.folder / "run" / "target.model").read_bytes())
        succeed(*words, "--config", config, "--updates", "4")
        self.assertEqual(updates(self.folder / "run"), 4)

    def test_errors(self):
        words = train_words(FOLDER / "run", "--config")
        for fragments, content in [
                (["c.conf:2: ", "no option 'colour'"], b"updates = 30\ncolour = red\n"),
                (["c.conf:3: ", "no option 'epoch'; did you mean epochs?"], b"# so\n\nepoch = 30\n"),
                (["c.conf:1: ", "many", "'updates' must be a whole number"], b"updates = many\n"),
                (["c.conf:2: ", "no line `option = value`"], b"updates = 30\nepochs\n"),
                (["c.conf:3: ", "'epochs' stands in line 1 already"], b"epochs = 3\nupdates = 30\nepochs = 4\n"),
                (["c.conf:1: ", "no sections"], b"[training]\nepochs = 3\n")]:
            self.fails(2, fragments, *words, self.file("c.conf", content))
        self.fails(1, ["absent.conf"], *words, self.folder / "absent.conf")


def main():
    global TRANSLATOR, FOLDER
    TRANSLATOR = os.path.abspath(sys.argv.pop(1))
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        write_text()
        succeed(*train_words(FOLDER / "run", "--updates", "20"))
        report = io.StringIO()
        tests = unittest.TestLoader()
        chosen = (tests.loadTestsFromNames(sys.argv[1:], sys.modules["__main__"]) if sys.argv[1:]
                  else tests.loadTestsFromModule(sys.modules["__main__"]))
        passed = unittest.TextTestRunner(stream=report).run(chosen).wasSuccessful()
    if not passed:
        print(report.getvalue())
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
