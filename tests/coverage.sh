#!/usr/bin/env bash
# How many lines of src/autograd and src/ops the tests of the core run: builds with gcov's counters in build-coverage/, runs the test
# programs, prints gcovr's table of files with the lines that no test runs, and the sum. Arguments go to gcovr:
#
#   tests/coverage.sh [--html-details FOLDER/index.html ...]
set -euo pipefail
cd "$(dirname "$0")/.."
. examples/setup.sh
# shellcheck disable=SC2086  # lists of words
install_missing $library_packages $test_packages gcovr

build=build-coverage
programs=(autograd ops nn optim)
# Optimised a little: without, the gradient checks take long.
configure_build $build -Dseq2seq=disabled -Dbenchmarks=false -Db_coverage=true -Doptimization=1 -Ddebug=false
ninja -C $build "${programs[@]/#/tests/test-}"
find $build -name '*.gcda' -delete
export OMP_WAIT_POLICY=passive
for program in "${programs[@]}"; do
  "$build/tests/test-$program" --minimal
done
gcovr --root . --filter src/autograd/ --filter src/ops/ --print-summary "$@" $build
