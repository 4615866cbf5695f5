#!/usr/bin/env python3
"""Checks the tests: changes single lines of the gradient rules in a copy of the sources and looks whether a test notices.

    tests/mutate.py [--count 200] [--seed 1] [--folder build-mutants]

A mutant is one changed line of src/ops or src/autograd: a sign, an operator, an index, an operand, a constant, a dropped
term or statement. Those that don't compile are drawn anew. One is killed when a test program fails, crashes or doesn't end.
Prints each survivor as file:line with the line before and after, and at the end the share that was killed; exit status 1
below 95 %. Takes about a quarter of a minute for each mutant on two cores; what was found is kept in the folder, and a run
that was stopped goes on there while sources and tests are the same.
"""
import argparse
import hashlib
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = ["test-autograd", "test-ops", "test-nn"]
SECONDS = 300  # for one test program

# Pattern and what takes its place; each occurrence in a line is a mutant of its own.
CHANGES = [
    (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " / "), (r" / ", " * "),
    (r"(?<=[(, ])-(?=[a-z(])", ""),  # a unary minus
    (r"\+=", "-="), (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "), (r" == ", " != "), (r" != ", " == "),
    (r" && ", " || "), (r" \|\| ", " && "), (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"!(?=[a-z])", ""),
    (r"\b0\b", "1"), (r"\b1\b", "0"), (r"\b2\b", "3"), (r"\b0\.5\b", "0.25"),
    (r"\ba\.", "b."), (r"\bb\.", "a."), (r"\bBinary::lt\b", "Binary::le"), (r"\bBinary::gt\b", "Binary::ge"),
    (r" \+ [a-z_]\w*(?:\([^()]*\))?(?=[;,)])", ""), (r" - [a-z_]\w*(?:\([^()]*\))?(?=[;,)])", ""),  # a dropped term
    (r"^( *)(?:if \([^{}]*\) )?s\.add(?:_slice|_rows|_product)?\(.*\);$", r"\1;"),  # a dropped contribution
]
# What a gradient doesn't depend on: includes, declarations of names, texts of errors.
PASSED_OVER = re.compile(r'^\s*(#|//|namespace|using|template|check<|fail<|\[\[noreturn|static_assert|")|fail<|check<|"[^"]*\{\}')


def mutants(root):
    """(path, line number, line, changed line) of every possible one below `root`."""
    found = []
    for folder in ("src/ops", "src/autograd"):
        for path in sorted((root / folder).glob("*.cpp")):
            lines = path.read_text(encoding="utf-8").split("\n")
            inside_check = False
            for number, line in enumerate(lines):
                if inside_check or PASSED_OVER.search(line):
                    inside_check = not line.rstrip().endswith((";", "{", "}")) and (inside_check or "check<" in line or "fail<" in line)
                    continue
                code = line.split("//")[0]
                for pattern, replacement in CHANGES:
                    for match in re.finditer(pattern, code):
                        if '"' in code[:match.start()] and code[:match.start()].count('"') % 2 == 1:
                            continue
                        changed = code[:match.start()] + match.expand(replacement) + code[match.end():]
                        if changed != code:
                            found.append((path.relative_to(root), number, line, changed))
    return found


class Findings:
    """What became of each mutant: "broken" (doesn't compile), "killed" or "survived"; kept in a file for these sources."""

    def __init__(self, folder):
        digest = hashlib.sha256()
        for path in sorted(path for name in ("src", "include", "tests") for path in (folder / name).rglob("*") if path.is_file()):
            digest.update(path.read_bytes())
        self.path = folder / f"findings-{digest.hexdigest()[:16]}.jsonl"
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        self.known = dict(json.loads(line) for line in lines)

    def of(self, mutant, find):
        key = ":".join(map(str, mutant))
        if key not in self.known:
            self.known[key] = find()
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, self.known[key]]) + "\n")
        return self.known[key]


def refresh(source, target):
    """Copies what differs; its time is now, so that a mutant that was left behind is built anew."""
    if not pathlib.Path(target).exists() or pathlib.Path(source).read_bytes() != pathlib.Path(target).read_bytes():
        shutil.copy(source, target)


def run(command, folder, seconds=None):
    try:
        return subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return -1


def build(folder):
    return run(["ninja", "-C", "build"] + [f"tests/{program}" for program in PROGRAMS], folder)


def killed(folder):
    return any(run([f"build/tests/{program}", "--abort-after=1"], folder, SECONDS) != 0 for program in PROGRAMS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build-mutants")
    arguments = parser.parse_args()

    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("src", "include", "tests", "examples", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, copy_function=refresh, dirs_exist_ok=True)
    for name in ("meson.build", "meson_options.txt", "LICENSE"):
        refresh(ROOT / name, folder / name)
    if not (folder / "build/build.ninja").exists():
        options = ["-Dseq2seq=disabled", "-Dbenchmarks=false", "-Doptimization=1", "-Dcpp_args=-w -D_GLIBCXX_ASSERTIONS"]
        subprocess.run(["meson", "setup", "build", *options], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    if build(folder) != 0:
        sys.exit("mutate.py: the sources don't build as they are")
    if killed(folder):
        sys.exit("mutate.py: the sources don't pass their tests as they are")

    candidates = mutants(folder)
    random.Random(arguments.seed).shuffle(candidates)
    findings = Findings(folder)
    tried, survivors = 0, []
    for path, number, line, changed in candidates:
        if tried == arguments.count:
            break

        def find():
            original = (folder / path).read_text(encoding="utf-8")
            lines = original.split("\n")
            lines[number] = changed
            (folder / path).write_text("\n".join(lines), encoding="utf-8")
            try:
                return "broken" if build(folder) != 0 else "killed" if killed(folder) else "survived"
            finally:
                (folder / path).write_text(original, encoding="utf-8")

        found = findings.of((path, number, changed), find)
        tried += found != "broken"
        if found == "survived":
            survivors.append(path)
            print(f"survived: {path}:{number + 1}\n  - {line.strip()}\n  + {changed.strip()}", flush=True)
        if found != "broken" and tried % 10 == 0:
            print(f"{tried} tried, {len(survivors)} survived", file=sys.stderr, flush=True)
    share = 100 * (tried - len(survivors)) / max(tried, 1)
    print(f"{tried - len(survivors)} of {tried} mutants killed ({share:.1f} %)")
    sys.exit(share < 95)


main()
