#!/usr/bin/env bash
# Praise or blame in film reviews, by hierarchical attention: ten folds of review polarity, each trained on the nine others.
#
#   examples/sentiment.sh DATA_DIR [OUTPUT_DIR]      (build/sentiment)
#
# DATA_DIR holds review_polarity.tar.gz. Two folds run at a time, one thread each. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 2 "$@"
data=$(realpath -m -- "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/sentiment}")
need "$data/review_polarity.tar.gz"
cd "$(dirname "$0")/.."
program=build/examples/sentiment
build_program sentiment

unpack_once "$data/review_polarity.tar.gz" txt_sentoken "$output/reviews"

train() {
  local fold
  for fold in "$@"; do
    "$program" train --data "$output/reviews" --fold "$fold" --output "$output/fold-$fold" --word-join --threads 1 || return
  done
}
train 1 3 5 7 9 &
status=0
train 2 4 6 8 10 || status=$?
wait $! || status=$?
[ "$status" = 0 ] || exit "$status"
"$program" evaluate --data "$output/reviews" --model "$output"/fold-{1,2,3,4,5,6,7,8,9,10}
# Two reviews that the first fold has not seen.
for class in neg pos; do
  cat "$output/reviews/$class"/cv000_*.txt
  echo
done | "$program" report --model "$output/fold-1"
