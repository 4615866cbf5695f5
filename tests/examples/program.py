"""What the tests of the programs share: calls of a program, the first argument of each test."""
import hashlib
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "report"))
import browser  # noqa: E402: of the tests of pages

said = set()

# Under the sanitizers, which have to see every line, training until something is learned takes minutes a test: there check_quick
# stands in for it.
sanitized = os.environ.get("WEFT_SANITIZED") == "1"
learns = unittest.skipIf(sanitized, "what is learned is tested in the release build")


def call(*words, stdin=""):
    # One thread: two of them waiting for each other take minutes on a machine with other work.
    done = subprocess.run([sys.argv[1], *map(str, words)], input=stdin, capture_output=True, text=True, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    check_names_options(done.stderr)
    return done


def check_names_options(said):
    """Settings by which a run can't go on are told by the options that make them, never by a name of the program's own."""
    differences = re.search(r" was made with other settings:(.*) go on with the same settings", said, re.DOTALL)
    for name in re.findall(r"(?:\A|\);) (\S+)", differences[1]) if differences else []:
        if not name.startswith("--"):
            raise AssertionError(f"{name} is no option: {said}")


def call_bytes(*words, stdin):
    """The same with bytes, which may be no text."""
    return subprocess.run([sys.argv[1], *map(str, words)], input=stdin, capture_output=True, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})


def succeed(*words, stdin=""):
    done = call(*words, stdin=stdin)
    if done.returncode != 0:
        raise AssertionError(f"{words}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def check_quick(case, folder, *calls, kinds=((),)):
    """A quick run has other defaults, however that is said, and no need for data: it trains, each kind, and `calls` take it."""
    for name, said in (("yes", "true"), ("no", "false")):
        (folder / f"{name}.cfg").write_text(f"quick = {said}\n")
    plain, quick = succeed("train", "--help"), succeed("train", "--quick", "--help")
    case.assertNotEqual(plain, quick)
    for words in (["--quic"], ["--config", folder / "yes.cfg"]):
        case.assertEqual(succeed("train", *words, "--help"), quick)
    case.assertEqual(succeed("train", "--config", folder / "no.cfg", "--help"), plain)
    for kind in kinds:
        run = folder / "-".join(["two-updates", *kind])  # too few to learn anything
        succeed("train", "--quick", "--updates", 2, *kind, "--output", run, "--threads", 1)
        for words in calls:
            succeed(*words, "--quick", "--model", run)


def check_other_programs_run(case, folder, *words):
    """A call of train with a folder that another program has left."""
    header = json.dumps({"__metadata__": {"other": "{}"}}).encode()
    (folder / "other").mkdir()
    (folder / "other" / "last.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    done = call("train", *words, "--output", folder / "other")
    case.assertEqual(done.returncode, 1, done.stderr)
    case.assertTrue(done.stderr.endswith("last.safetensors is of another program's run; give a folder of its own (--output)\n"),
                    done.stderr)


def check_finds_a_wrong_output_first(case, folder, *words):
    """Calls with a model that there isn't, which is said second; a file that can be written stays as it is."""
    done = call(*words, "--model", folder / "no-run", "--output", folder / "no-folder" / "file")
    case.assertEqual(done.returncode, 1, done.stderr)
    case.assertIn(f"can't write '{folder}/no-folder/file': its folder '{folder}/no-folder' doesn't exist", done.stderr)
    (folder / "outputs").mkdir(exist_ok=True)
    there = folder / "outputs" / "file"
    there.write_text("as it was")
    done = call(*words, "--model", folder / "no-run", "--output", there)
    case.assertIn("no-run", done.stderr)
    case.assertEqual((list(there.parent.iterdir()), there.read_text()), ([there], "as it was"))


def change_metadata(path, name, value):
    """Makes a checkpoint say `value` of itself; None: not that."""
    content = path.read_bytes()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:start])
    kept = {key: said for key, said in header["__metadata__"].items() if key != name and not key.startswith("weft.")}  # the checksum goes
    header["__metadata__"] = kept if value is None else {**kept, name: value}
    header = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[start:])


def forget_metadata(path, name):
    """Makes a checkpoint of an older program's, which didn't say that of itself."""
    change_metadata(path, name, None)


def figures(path):
    """The data of a page's figures."""
    return json.loads(ElementTree.parse(path).getroot().find(".//script[@id='data']").text)


def check_page(case, path):
    """A page that a program has written: all of it draws, where there is a Chromium to open it; says once where not."""
    kinds = [figure["kind"] for figure in figures(path) if not figure.get("empty")]
    case.assertNotEqual(kinds, [])
    if browser.find():
        with browser.Browser() as chromium:
            case.assertEqual(chromium.check(case, path), kinds)
    elif browser.MISSING not in said:
        said.add(browser.MISSING)
        print(f"skipped to open pages: {browser.MISSING}", file=sys.__stdout__, flush=True)  # run() keeps back the tests' own


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(case):
    """Prints failures alone; returns the exit status."""
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    return 0 if unittest.TextTestRunner(verbosity=0, stream=sys.stdout, buffer=True).run(suite).wasSuccessful() else 1
