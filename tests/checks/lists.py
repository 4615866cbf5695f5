"""Every source and test file is listed in a meson.build: one that is forgotten is neither compiled nor run, and nobody notices.
Every header of operations is included by weft/weft.hpp, where programs look for them."""
from sources import ROOT, project_files, read, report


def listed(path):
    """In the meson.build of its folder or of one above, by the path from there."""
    for folder in path.parents:
        build = folder / "meson.build"
        if (ROOT / build).is_file() and f"'{path.relative_to(folder).as_posix()}'" in read(build):
            return True
    return False


files = [path for path in project_files() if path.suffix == ".cpp" and path.parts[0] in ("src", "tests")]
problems = [f"{path} is in no meson.build" for path in files if not listed(path)]
headers = [path for path in project_files() if path.parts[:3] == ("include", "weft", "ops") and path.suffix == ".hpp"]
included = read("include/weft/weft.hpp").splitlines()
problems += [f"{path} isn't included by include/weft/weft.hpp" for path in headers
             if f'#include "{path.relative_to("include").as_posix()}"' not in included]
if not headers:
    problems.append("no header found in include/weft/ops")
report(problems, f"{len(files)} files are listed, {len(headers)} headers of operations included")
