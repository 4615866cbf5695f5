#!/usr/bin/env bash
# From nothing to a translator: installs missing packages (as root, or with sudo), builds, trains on built-in English-French pairs
# and shows what it learned.
#
#   examples/quickstart.sh [OUTPUT_DIR]      (build/quickstart)
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 0 1 "$@"
[ $# = 0 ] || output=$(realpath -m -- "$1")
cd "$(dirname "$0")/.."

echo "[1/4] packages"
# shellcheck disable=SC2086  # a list of words
install_missing $library_packages
echo "[2/4] configuring a release build in build/"
[ -e build/build.ninja ] || configure_build build -Dtests=false -Dbenchmarks=false
echo "[3/4] building the library and the translator"
build_program translator
echo "[4/4] training and translating"
exec build/examples/translator quickstart --output "${output:-build/quickstart}"
