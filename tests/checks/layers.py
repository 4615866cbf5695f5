"""No file includes a layer above its own, and each library underneath stays where it belongs."""
import pathlib
import re

from sources import ROOT, project_files, read, report, without_comments

# From the bottom up; of two layers on the same height one may use the other, not each the other.
HEIGHTS = [["base"], ["tensor"], ["kernels"], ["autograd"], ["ops"], ["nn", "optim", "explain", "report"], ["data", "text", "metrics"],
           ["seq2seq"], ["train"]]
HEIGHT = {layer: height for height, layers in enumerate(HEIGHTS) for layer in layers}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
OPENMP = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+omp\b|^[ \t]*#[ \t]*include[ \t]*<omp\.h>|\bomp_\w+\(", re.MULTILINE)


def layer_of(path):
    """The layer of a file below include/weft or src; None for an umbrella header such as weft/weft.hpp."""
    parts = path.parts[2:] if path.parts[0] == "include" else path.parts[1:]
    return parts[0] if len(parts) > 1 else None


def resolve(path, name):
    """The project's file that an include means, possibly one that the build makes; None for one of a library."""
    for folder in ("include", "src", path.parent):
        candidate = pathlib.PurePath(folder) / name
        build = ROOT / candidate.parent / "meson.build"
        if (ROOT / candidate).is_file() or build.is_file() and f"output: '{candidate.name}'" in build.read_text():
            return candidate
    return None


# Of the C library, where it has them.
ALLOWED = {"sys/single_threaded.h"}


def check_library(path, name, public):
    if name in ALLOWED:
        return None
    if public:
        return "a public header includes only the standard library and weft's public headers"
    if re.match(r"(oneapi/)?(dnnl/)?dnnl", name) and not path.as_posix().startswith("src/kernels/onednn"):
        return "oneDNN belongs to src/kernels/onednn*"
    if name.startswith("hwy/") and path.parts[:2] != ("src", "kernels"):
        return "Highway belongs to src/kernels"
    return None


problems = []
edges = {}  # (from, to) between layers of the same height: the first file that makes it
files = [path for path in project_files() if path.suffix in (".hpp", ".cpp", ".h") and path.parts[0] in ("include", "src")]
for path in files:
    text = without_comments(read(path))
    public, layer = path.parts[0] == "include", layer_of(path)
    if layer is not None and layer not in HEIGHT:
        problems.append(f"{path}: {layer} is not a layer")
        continue
    if OPENMP.search(text) and path.parts[:2] != ("src", "kernels") and path.as_posix() != "src/base/threads.cpp":
        problems.append(f"{path}: OpenMP belongs to src/kernels and src/base/threads.cpp")
    for quote, name in INCLUDE.findall(text):
        target = resolve(path, name)
        if target is None:
            standard = quote == "<" and re.fullmatch(r"\w+", name)
            problem = None if standard else check_library(path, name, public)
            if quote == '"':
                problem = "no such file"
        elif public and target.parts[0] != "include":
            problem = "a public header includes a private one"
        elif layer is None:
            problem = None
        else:
            other = layer_of(target)
            if other is None:
                problem = "a header that gathers layers is for users; include what is needed"
            elif HEIGHT[other] > HEIGHT[layer]:
                problem = f"{other} stands above {layer}"
            else:
                if HEIGHT[other] == HEIGHT[layer] and other != layer:
                    edges.setdefault((layer, other), path)
                problem = None
        if problem:
            problems.append(f"{path}: includes {name}: {problem}")
for (layer, other), path in edges.items():
    if layer < other and (other, layer) in edges:
        problems.append(f"{layer} and {other} include each other: {path}, {edges[other, layer]}")

report(problems, f"{len(files)} files keep to their layers")
