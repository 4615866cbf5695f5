"""Every kind of attention that docs/attention.md has a section of has its row in the gradient table, its picture, its cost and its
source; every row has its section. Argument: the program tests/test-nn."""
import re
import subprocess
import sys

from sources import ROOT, read, report

rows = set(subprocess.run([sys.argv[1], "--list-kinds"], check=True, capture_output=True, text=True).stdout.splitlines())
problems, kinds = [], set()
for part in re.split(r"^(?=##+ )", read("docs/attention.md"), flags=re.MULTILINE):
    heading = re.match(r"### (.*)\n", part)
    if not heading:
        continue
    kind = heading[1]
    kinds.add(kind)
    picture = re.search(r"!\[[^\]]+\]\((attention/\w+\.svg)\)", part)
    if not picture or not (ROOT / "docs" / picture[1]).is_file():
        problems.append(f"{kind} has no picture")
    if not re.search(r"^- (?:Shapes and c|C)ost: ", part, re.MULTILINE):
        problems.append(f"{kind} doesn't say what it costs")
    if not re.search(r"\b(?:19|20)\d\d\b", part):
        problems.append(f"{kind} names no source")
problems += [f"{kind} has no row in tests/nn/attention_gradients_test.cpp" for kind in sorted(kinds - rows)]
problems += [f"{kind} has no section in docs/attention.md" for kind in sorted(rows - kinds)]

report(problems, f"{len(kinds)} kinds of attention have their rows, pictures, costs and sources")
