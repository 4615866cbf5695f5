"""Every public header compiles alone, twice in a row, without a warning. Arguments: the compiler's command."""
import concurrent.futures
import os
import subprocess
import sys

from sources import ROOT, project_files, report

COMMAND = sys.argv[1:] + ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion",
                          "-Wshadow", "-Wold-style-cast", "-Wnon-virtual-dtor", "-Wno-missing-field-initializers", "-Werror",
                          "-I", ROOT / "include", "-x", "c++", "-"]


def compile_alone(header):
    line = f'#include "{header.relative_to("include").as_posix()}"\n'
    done = subprocess.run(COMMAND, input=line + line, capture_output=True, text=True)
    return None if done.returncode == 0 else f"{header} doesn't compile alone:\n{done.stderr}"


headers = [path for path in project_files() if path.parts[0] == "include" and path.suffix == ".hpp"]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    report([problem for problem in pool.map(compile_alone, headers) if problem], f"{len(headers)} public headers compile alone")
