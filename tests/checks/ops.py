"""Every operation that the public headers declare has a row in the case table. Argument: the program tests/test-ops."""
import re
import subprocess
import sys

from sources import project_files, read, report, without_comments

DECLARATION = re.compile(r"(?:^|[\s*&>])(\w+)\s*\(")


def declarations(text):
    """The statements at namespace scope, without function bodies and the contents of classes."""
    text = re.sub(r"^[ \t]*#.*$", "", without_comments(text), flags=re.MULTILINE)
    depth, statement, result = 0, "", []
    for token in re.findall(r'"(?:\\.|[^"\\\n])*"|[{};]|[^{};"]+', text):
        namespace = re.fullmatch(r"\s*(?:inline\s+)?namespace[\w:\s]*", statement)
        if token == "{" and depth == 0 and namespace:
            statement = ""
        elif token == "{":
            if depth == 0:
                result.append(statement)
            depth += 1
        elif token == "}":
            depth = max(depth - 1, 0)  # below zero: the end of a namespace
            statement = "" if depth == 0 else statement
        elif token == ";" and depth == 0:
            result.append(statement)
            statement = ""
        elif depth == 0:
            statement += token
    return result


def operation(declaration):
    """The name of a function that takes or returns a Var; None for anything else. Operators stand for named operations."""
    if not re.search(r"\bVar\b", declaration) or re.match(r"\s*(?:struct|class|enum|using|template)\b|.*\boperator\b", declaration,
                                                          re.DOTALL):
        return None
    found = DECLARATION.search(declaration)
    return found.group(1) if found else None


rows = set(subprocess.run([sys.argv[1], "--list-ops"], check=True, capture_output=True, text=True).stdout.split())
problems, names = [], set()
for header in project_files():
    if header.parts[:3] == ("include", "weft", "ops") and header.suffix == ".hpp":
        for name in filter(None, map(operation, declarations(read(header)))):
            if name not in rows and name not in names:
                problems.append(f"{header}: {name} has no row in tests/ops/cases.cpp")
            names.add(name)
if not names:
    problems.append("no operation found in include/weft/ops")

report(problems, f"{len(names)} operations have their rows")
