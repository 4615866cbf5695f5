"""Every C++ block of the documents that starts with an include compiles as shown. Arguments: the compiler's command."""
import re
import subprocess
import sys

from sources import ROOT, project_files, read, report

COMMAND = sys.argv[1:] + ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "include", "-x", "c++", "-"]

problems, blocks = [], 0
for path in project_files():
    if path.suffix != ".md":
        continue
    text = read(path)
    for block in re.finditer(r"^```cpp\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if not block.group(1).startswith("#include"):
            continue
        blocks += 1
        line = text[:block.start(1)].count("\n") + 1
        # Errors then name the document and its line.
        program = f'#line {line} "{path}"\n{block.group(1)}'
        done = subprocess.run(COMMAND, input=program, capture_output=True, text=True)
        if done.returncode != 0:
            problems.append(f"{path}:{line}: the program doesn't compile:\n{done.stderr}")
if "README.md" not in map(str, project_files()) or blocks == 0:
    problems.append("the README shows no program")

report(problems, f"{blocks} programs of the documents compile")
