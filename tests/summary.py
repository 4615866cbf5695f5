"""Adds up what the test programs of one `meson test` run said; argument: meson's testlog.json.

A doctest program counts its test cases, any other program (a script check, an example) counts as one test, and so does a
second run of a program (suite "again"), whose test cases are counted where it runs first.
Prints the reasons of skipped tests, then "N passed, N failed, N skipped". Exit status 1 when something failed.
"""
import json
import re
import sys

DOCTEST = re.compile(r"^\[doctest\] test cases: +\d+ \| +(\d+) passed \| +(\d+) failed \| +(\d+) skipped", re.MULTILINE)
SKIPPED = re.compile(r"^skipped: .*", re.MULTILINE)


def count(test):
    """(passed, failed, skipped, reasons) of one program."""
    output = test.get("stdout", "")
    ok = test["result"] == "OK"
    if test["result"] == "SKIP":
        return 0, 0, 1, SKIPPED.findall(output)
    found = DOCTEST.search(output)
    again = test["name"].split(" / ")[0].endswith(":again")  # "weft:again / ops-sse4"
    if not found or again:
        return (1, 0, 0, []) if ok else (0, 1, 0, [])
    passed, failed, left_out = map(int, found.groups())
    reasons = SKIPPED.findall(output)
    if not ok and failed == 0:
        failed = 1  # it ended badly after its last test case, or stopped half-way
    # A test that found its data missing has ended without a failure, but it has not passed either.
    return max(passed - len(reasons), 0), failed, left_out + len(reasons), reasons


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        tests = [json.loads(line) for line in log]
    totals = [0, 0, 0]
    for test in tests:
        *counts, reasons = count(test)
        totals = [total + n for total, n in zip(totals, counts)]
        if counts[1]:
            print(f"failed: {test['name']} ({test['result']})")
        for reason in reasons:
            print(f"{test['name']}: {reason}")
    print("{} passed, {} failed, {} skipped".format(*totals))
    sys.exit(totals[1] > 0 or not tests)


main()
