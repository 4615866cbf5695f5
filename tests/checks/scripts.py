"""The scripts of examples/ say how they are called, for --help and for a call that can't be, before they install or build anything."""
import os
import pathlib
import subprocess
import tempfile

from sources import ROOT, report

problems, scripts = [], sorted(path for path in (ROOT / "examples").glob("*.sh") if path.name != "setup.sh")


def usage_of(script):
    lines = script.read_text().splitlines()[1:]
    end = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    return "".join(line.removeprefix("#").removeprefix(" ") + "\n" for line in lines[:end])


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    trace = folder / "trace"
    for tool in ("apt-get", "sudo", "meson", "ninja", "dpkg-query"):  # what would install or build
        (folder / tool).write_text(f'#!/bin/sh\necho {tool} >>"{trace}"\nexit 1\n')
        (folder / tool).chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

    def check(script, words, code, out, err):
        done = subprocess.run(["bash", script, *words], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        call = " ".join([script.name, *map(str, words)])
        if (done.returncode, done.stdout) != (code, out) or err not in done.stderr:
            problems.append(f"{call}: status {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        if trace.exists():
            problems.append(f"{call}: ran {trace.read_text().split()}")
            trace.unlink()

    for script in scripts:
        text = usage_of(script)
        if f"  examples/{script.name} " not in text:
            problems.append(f"{script.name}: its usage doesn't say how it is called")
        for word in ("--help", "-h"):
            check(script, [word], 0, text, "")
        for word in ("--nothing", "-x"):
            check(script, [word], 2, "", text)
        check(script, [".", "output", "lstm", "more"] if "[KIND" not in text else [], 2, "", text)
        if f"{script.name} DATA_DIR" in text:
            check(script, [], 2, "", text)
            check(script, [folder / "none"], 1, "", f"There is no {folder}/none/")
    check(ROOT / "examples/translation_kinds.sh", [".", "output", "1", "none", "nonsense"], 2, "", "'nonsense' is none of none dot")
    check(ROOT / "examples/multi30k.sh", [".", "gru"], 2, "", "'gru' is neither lstm nor transformer")

report(problems, f"{len(scripts)} scripts say how they are called")
