"""The scripts of examples/ call the programs with options and values that these know: scripts_test.py FOLDER_OF_PROGRAMS. Each script runs
on data that is there in name alone, with programs that check a call as the real one does for its --help, and go no further. The one that
makes a table of what the program prints does so with the program."""
import gzip
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
SCRIPTS = sorted(path for path in (ROOT / "examples").glob("*.sh") if path.name != "setup.sh")
STAND_IN = """#!/bin/sh
echo "$0 $1" >>"{calls}"
"{program}" "$@" --help >/dev/null || exit
cat >/dev/null
while [ $# -gt 0 ] && [ "$1" != --output ]; do shift; done
[ $# -lt 2 ] || {{ mkdir -p "$2"; touch "$2/source.model" "$2/train.log"; }}
"""
TOOLS = {"ninja": "exit 0", "dpkg-query": "echo installed", "apt-get": "exit 1"}  # all packages are there, all is built


def write_data(folder, word="good"):
    """Every file that a script needs, with as much in it as the script itself looks at."""
    def tar(path, inside):
        with tarfile.open(path, "w:gz") as archive:
            entry = tarfile.TarInfo(inside)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
            for name in ("neg/cv000_1.txt", "pos/cv000_1.txt"):
                entry = tarfile.TarInfo(f"{inside}/{name}")
                entry.size = len(word)
                archive.addfile(entry, io.BytesIO(word.encode()))

    for place in (folder, folder / "review-polarity", folder / "spoken-digits", folder / "mnist"):
        place.mkdir(exist_ok=True)
    for place in (folder, folder / "review-polarity"):
        tar(place / "review_polarity.tar.gz", "txt_sentoken")
    for place in (folder, folder / "spoken-digits"):
        tar(place / "recordings.tar.gz", "recordings")
    for place in (folder, folder / "mnist"):
        for part in ("train", "t10k"):
            for kind in ("images-idx3", "labels-idx1"):
                (place / f"{part}-{kind}-ubyte.gz").touch()
    names = ["tinyshakespeare.txt", "reuters_headlines.tsv", "ocr_words.txt"]
    names += [f"war-and-peace.{part}.txt" for part in ("train", "valid", "test")]
    names += [f"{part}.lc.norm.tok.{side}" for part in ("train", "val", "test_2016_flickr") for side in ("en", "de")]
    for name in names:
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"text\n"))
    with zipfile.ZipFile(folder / "fra-eng.zip", "w") as archive:
        archive.writestr("fra.txt", "".join(f"Go {i}, {word}.\tVa {i}.\tby\n" for i in range(100)))


class Scripts(unittest.TestCase):
    def test_every_call_is_one_that_the_program_takes(self):
        for script in SCRIPTS:
            with self.subTest(script=script.name), tempfile.TemporaryDirectory() as name:
                self.run_script(script, pathlib.Path(name))

    def test_a_row_of_the_kinds_has_what_the_program_printed(self):
        if not (PROGRAMS / "translator").exists():
            self.skipTest("translator not built here")
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            built, data = copy_scripts(folder)
            (built / "translator").symlink_to(PROGRAMS / "translator")
            for part, count in (("train", 50), ("val", 3), ("test_2016_flickr", 3)):
                for side, line in (("en", "a dog sees cat {} ."), ("de", "ein hund sieht katze {} .")):
                    text = "".join(line.format(i) + "\n" for i in range(count))
                    (data / f"{part}.lc.norm.tok.{side}.gz").write_bytes(gzip.compress(text.encode()))
            table = run(folder, "translation_kinds.sh", data, folder / "out", "0.01", "dot").stdout.splitlines()
            self.assertEqual(len(table), 3, table)
            row = re.fullmatch(r"\| dot \| [\d.]+ \| [\d.]+ \| ([\d,]+) \| ([\d,]+) \| [\d.]+ \| [\d,]+ \|", table[2])
            self.assertTrue(row, table[2])
            self.assertIn(f"{row[1]} update", (folder / "out" / "dot" / "trained").read_text())
            (built / "translator").unlink()  # what is done is not done again
            self.assertEqual(run(folder, "translation_kinds.sh", data, folder / "out", "0.01", "dot").stdout.splitlines(), table)
            with self.assertRaisesRegex(AssertionError, "made of other data or not with 0.02 minutes"):
                run(folder, "translation_kinds.sh", data, folder / "out", "0.02", "dot")

    def test_a_folder_made_of_other_data_is_not_gone_on_in(self):
        for script in ("tatoeba.sh", "sentiment.sh", "speech.sh", "two_senses.sh"):
            with self.subTest(script=script), tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                built, data = copy_scripts(folder)
                write_data(data)
                for program in ("translator", "sentiment", "speech", "two_senses"):
                    (built / program).write_text("#!/bin/sh\ncat >/dev/null\n")
                    (built / program).chmod(0o755)
                run(folder, script, data, folder / "out")
                run(folder, script, data, folder / "out")
                write_data(data, "bad")
                with self.assertRaisesRegex(AssertionError, "was made of other data; name another OUTPUT_DIR"):
                    run(folder, script, data, folder / "out")

    def run_script(self, script, folder):
        wanted = set(re.findall(r"build/examples/([a-z_]+)", script.read_text()))
        self.assertTrue(wanted)
        if not all((PROGRAMS / program).exists() for program in wanted):
            self.skipTest(f"{', '.join(sorted(wanted))} not built here")
        built, data = copy_scripts(folder)
        calls = folder / "calls"
        write_data(data)
        for program in wanted:
            path = built / program
            path.write_text(STAND_IN.format(calls=calls, program=PROGRAMS / program))
            path.chmod(0o755)
        run(folder, script.name, *([] if "DATA_DIR" not in script.read_text() else [data]))
        called = {pathlib.Path(line.split()[0]).name for line in calls.read_text().splitlines()}
        self.assertEqual(called, wanted)


def copy_scripts(folder):
    """The scripts in folder/examples, beside a build that is up to date; where its programs belong and where the data does."""
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=lambda _, names: [n for n in names if not n.endswith(".sh")])
    tools, built, data = folder / "tools", folder / "build" / "examples", folder / "data"
    for path in (tools, built, data):
        path.mkdir(parents=True)
    (folder / "build" / "build.ninja").touch()
    for tool, line in TOOLS.items():
        (tools / tool).write_text(f"#!/bin/sh\n{line}\n")
        (tools / tool).chmod(0o755)
    return built, data


def run(folder, script, *words):
    done = subprocess.run(["bash", folder / "examples" / script, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, env={**os.environ, "PATH": f"{folder / 'tools'}:{os.environ['PATH']}"})
    if done.returncode != 0:
        raise AssertionError(f"{script}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done


if __name__ == "__main__":
    del sys.argv[1]
    unittest.main(verbosity=0)
