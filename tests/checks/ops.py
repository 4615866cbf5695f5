"""Every operation that the public headers declare has a row in the case table; one whose result has no derivative (a Tensor,
as of comparisons) is called in a test. All stand in docs/operations.md. Argument: the program tests/test-ops."""
import os
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
    """(name, result) of a function that takes or returns tensors; None for anything else. Operators stand for named
    operations."""
    if not re.search(r"\b(?:Var|Tensor)\b", declaration) or re.match(
            r"\s*(?:struct|class|enum|using|template)\b|.*\boperator\b", declaration, re.DOTALL):
        return None
    found = DECLARATION.search(declaration)
    return (found.group(1), declaration[:found.start(1)]) if found else None


def differentiable(result, text):
    """Whether a result is a Var, or several of them, or a struct of the same header that holds one."""
    for name in re.findall(r"\w+", result):
        body = re.search(rf"\bstruct\s+{name}\s*{{(.*?)}};", text, re.DOTALL)
        if name == "Var" or (body and re.search(r"\bVar\b", body.group(1))):
            return True
    return False


rows = set(subprocess.run([sys.argv[1], "--list-ops"], check=True, capture_output=True, text=True).stdout.split())
tests = "\n".join(re.sub(r'"(?:\\.|[^"\\\n])*"', "", without_comments(read(path))) for path in project_files()
                  if path.parts[:2] == ("tests", "ops") and path.name.endswith("_test.cpp"))
# The names in the first column of its tables.
first_columns = [row.split("|")[1] for row in read("docs/operations.md").splitlines() if row.startswith("| `")]
listed = {word for code in re.findall(r"`([^`]*)`", " ".join(first_columns)) for word in re.findall(r"\w+", code)}
problems, names, undifferentiable = [], set(), set()
for header in project_files():
    if header.parts[:3] == ("include", "weft", "ops") and header.suffix == ".hpp":
        text = without_comments(read(header))
        for name, result in filter(None, map(operation, declarations(text))):
            if name not in listed and name not in names | undifferentiable:
                problems.append(f"{header}: {name} has no line in docs/operations.md")
            if differentiable(result, text):
                if name not in rows and name not in names:
                    problems.append(f"{header}: {name} has no row in tests/ops/cases.cpp")
                names.add(name)
            else:
                if name not in undifferentiable and not re.search(rf"\b{name}\b", tests):
                    problems.append(f"{header}: {name}, which has no derivative, is in no tests/ops/*_test.cpp")
                undifferentiable.add(name)
wrong = subprocess.run([sys.argv[1]], env={**os.environ, "WEFT_CASES": "none"}, capture_output=True, text=True)
if (wrong.returncode, wrong.stderr) != (1, "WEFT_CASES: no operation 'none' has cases\n"):
    problems.append(f"WEFT_CASES of no operation ends with {wrong.returncode}: {wrong.stderr}")
if not names:
    problems.append("no operation found in include/weft/ops")

report(problems, f"{len(names)} operations have their rows, {len(undifferentiable)} without derivative their tests")
