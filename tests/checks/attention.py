"""Every kind of attention that docs/attention.md has a section of has its row in the gradient table, its picture, its cost and its
source; every row has its section. Argument: the program tests/test-nn."""
import re
import subprocess
import sys

from sources import ROOT, read, report

# Headers of kinds outside weft/nn/attention, and what the table calls options whose name isn't the module's.
IN_NN = ("multihead_attention", "rotary_embedding", "relative_position", "positional_encoding", "adaptive_span", "lightweight_conv",
         "linear_attention", "gated_attention", "gated_fusion", "co_attention")
ROW_OF = {"Local": "LocalM", "SparseAttention": "sparse_attention", "ConvMixing": "LightweightConv"}

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

table = read("docs/attention.md").split("\n## Options\n")[1].split("\n## ")[0]
for header in [*(ROOT / "include/weft/nn/attention").glob("*.hpp"), *(ROOT / "include/weft/nn" / f"{name}.hpp" for name in IN_NN)]:
    for name, body in re.findall(r"^struct (\w+)Options \{\n(.*?)^\};", header.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        row = next((line for line in table.splitlines() if f"| `{ROW_OF.get(name, name)}`" in line), "")
        code = re.sub(r"//.*", "", body)
        fields = re.findall(r"(\w+)(?: = [^;,]*(?:\{[^}]*\})?)?(?:[;,])", re.sub(r"\{[^}]*\}", "0", code))
        problems += [f"{name}Options::{field} isn't among the options of docs/attention.md" for field in fields if f"`{field}`" not in row]

report(problems, f"{len(kinds)} kinds of attention have their rows, pictures, costs, sources and options")
