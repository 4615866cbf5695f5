#!/usr/bin/env bash
# Builds and runs every test; installs missing packages first (as root, or with sudo). Ends with "N passed, N failed, N skipped".
#
#   tests/run.sh               release build in build/, with the script checks of tests/checks
#   tests/run.sh --sanitize    AddressSanitizer and UndefinedBehaviorSanitizer, in build-sanitize/
#   tests/run.sh --clang       with clang and its OpenMP, in build-clang/
#
# WEFT_SHARED=DIR   use the data there; without it, tests that need data are skipped
# CI=true           compiler warnings are errors
set -euo pipefail
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0"; }

sanitize= clang=
for argument in "$@"; do
  case $argument in
    --sanitize) sanitize=1 ;;
    --clang) clang=1 ;;
    -h | --help) usage; exit 0 ;;
    *) echo "run.sh: unknown argument $argument" >&2; usage >&2; exit 2 ;;
  esac
done
if [ -n "${WEFT_SHARED:-}" ]; then
  WEFT_SHARED=$(cd "$WEFT_SHARED" 2>/dev/null && pwd) || { echo "run.sh: WEFT_SHARED is not a folder" >&2; exit 2; }
  export WEFT_SHARED
fi
cd "$(dirname "$0")/.."
. examples/setup.sh
# shellcheck disable=SC2086  # lists of words
install_missing $library_packages $test_packages ${clang:+$clang_packages}

options=(-Dtests=true)
# Test programs run side by side, each with its own threads: those that wait sleep instead of spinning.
export OMP_WAIT_POLICY=passive
# Tensors begin as NaN: what isn't written shows.
export WEFT_FILL_MEMORY=1
selection=(--num-processes "$(nproc)")
if [ -n "$sanitize" ]; then
  build="build-sanitize"
  # Warnings are the other build's business: about instrumented code g++ gives false ones. -O1 and line numbers alone: instrumented
  # code takes long to compile.
  options+=("-Db_sanitize=address,undefined" -Db_lundef=false -Dbuildtype=plain "-Dcpp_args=-w -O1 -g1")
  # Sanitized programs are slower; the script checks don't depend on the build.
  selection+=(--timeout-multiplier 4 --no-suite checks)
  export ASAN_OPTIONS=${ASAN_OPTIONS:-strict_string_checks=1:detect_stack_use_after_return=1}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
else
  build=build
  if [ -n "$clang" ]; then
    build=build-clang
    export CC=clang CXX=clang++
    selection+=(--no-suite checks)
  fi
  if [ "${CI:-}" = true ]; then options+=(-Dwerror=true); else options+=(-Dwerror=false); fi
  export MALLOC_PERTURB_=85  # other uninitialised memory has the same wrong content in every run
fi
# Benchmarks need one package more; a folder that was configured with them keeps them.
[ -e "$build/meson-private/coredata.dat" ] || options+=(-Dbenchmarks=false)

configure_build "$build" "${options[@]}"
quiet=
[ -t 1 ] || quiet=--quiet
ninja -C "$build" $quiet

log=$build/meson-logs/testlog.json
rm -f "$log"
meson test -C "$build" --no-rebuild --print-errorlogs "${selection[@]}" || true
python3 tests/summary.py "$log"
