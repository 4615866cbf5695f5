"""No tracked file names a machine's own folders or where its packages come from: such a file works in one place only."""
import re

from sources import ROOT, project_files, report

PATTERNS = {
    "a path of one machine": re.compile(r"(?<![\w.})*~-])/(?:work|farm|root|home|tmp)\b"),
    "a private address": re.compile(r"\b(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+\b|\blocalhost:\d+"),
    "a package registry": re.compile(
        r"\b(?:deb\.debian|pypi|files\.pythonhosted|registry\.npmjs|proxy\.golang|crates)\.(?:org|io)\b"
        r"|https?://[\w.-]*(?:artifactory|nexus|mirror|registry)[\w.-]*"),
}

problems, looked_at = [], 0
for path in project_files():
    content = (ROOT / path).read_bytes()
    if b"\0" in content:
        continue
    looked_at += 1
    for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), 1):
        for what, pattern in PATTERNS.items():
            if found := pattern.search(line):
                problems.append(f"{path}:{number}: {what}: {found.group(0)}")

report(problems, f"{looked_at} text files name no machine")
