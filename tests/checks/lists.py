"""Every source and test file is listed in a meson.build: one that is forgotten is neither compiled nor run, and nobody notices."""
from sources import ROOT, project_files, read, report


def listed(path):
    """In the meson.build of its folder or of one above, by the path from there."""
    for folder in path.parents:
        build = folder / "meson.build"
        if (ROOT / build).is_file() and f"'{path.relative_to(folder).as_posix()}'" in read(build):
            return True
    return False


files = [path for path in project_files() if path.suffix == ".cpp" and path.parts[0] in ("src", "tests")]
report([f"{path} is in no meson.build" for path in files if not listed(path)], f"{len(files)} files are listed")
