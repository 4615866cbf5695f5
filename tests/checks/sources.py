"""What the checks share: the project's files and how they report."""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def project_files():
    """Paths relative to the root: what git tracks or would, or every file outside build folders where there is no git."""
    if (ROOT / ".git").exists():
        names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               check=True, capture_output=True, text=True).stdout.split("\0")
        return sorted(pathlib.PurePath(name) for name in names if name and (ROOT / name).is_file())
    files = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith("build")]
        files += [pathlib.PurePath(folder, name).relative_to(ROOT) for name in names]
    return sorted(files)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def without_comments(text):
    """C++ text with comments blanked; line breaks stay, strings stay."""
    def blank(match):
        found = match.group(0)
        return found if found.startswith(('"', "'")) else re.sub(r"[^\n]", " ", found)
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.DOTALL)


def report(problems, what):
    """Prints the problems and ends the check with status 1, or says what was looked at and ends it with 0."""
    for problem in problems:
        print(problem)
    if not problems:
        print(what)
    sys.exit(bool(problems))
