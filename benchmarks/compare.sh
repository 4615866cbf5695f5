#!/usr/bin/env bash
# weft against libtorch, alternately, on the same threads: one table of ratios. compare.sh --help says more.
# Needs a build with -Dpeers=enabled.
set -euo pipefail
exec python3 -B "$(dirname "$0")/compare/compare.py" "$@"
