#!/usr/bin/env bash
# From nothing to a translator: installs missing packages (as root, or with sudo), builds, trains on built-in English-French pairs
# and shows what it learned.
#
#   examples/quickstart.sh [OUTPUT_DIR]      (build/quickstart)
set -euo pipefail
case ${1:-} in
  -*) sed -n '2,5s/^# \{0,1\}//p' "$0"; [ "$1" = -h ] || [ "$1" = --help ] || exit 2; exit 0 ;;
esac
[ $# = 0 ] || output=$(realpath -m -- "$1")
cd "$(dirname "$0")/.."
. examples/setup.sh

echo "[1/4] packages"
# shellcheck disable=SC2086  # a list of words
install_missing $library_packages
echo "[2/4] configuring a release build in build/"
[ -e build/build.ninja ] || configure_build build -Dtests=false -Dbenchmarks=false
echo "[3/4] building the library and the translator"
build_program translator
echo "[4/4] training and translating"
exec build/examples/translator quickstart --output "${output:-build/quickstart}"
