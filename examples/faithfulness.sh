#!/usr/bin/env bash
# How far attention weights explain a decision: trains readers of reviews and recognisers of spoken digits whose weights come from
# softmax, entmax15 and sparsemax, and says what becomes of their decisions without what they weigh most, and with other weights.
#
#   examples/faithfulness.sh DATA_DIR [OUTPUT_DIR]      (build/faithfulness)
#
# DATA_DIR holds review-polarity/review_polarity.tar.gz and spoken-digits/recordings.tar.gz. Two readers learn at a time, one thread
# each. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 2 "$@"
data=$(realpath -m -- "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/faithfulness}")
reviews=$data/review-polarity/review_polarity.tar.gz recordings=$data/spoken-digits/recordings.tar.gz
need "$reviews" "$recordings"
cd "$(dirname "$0")/.."
build_program sentiment
build_program speech
unpack_once "$reviews" txt_sentoken "$output/reviews"
unpack_once "$recordings" recordings "$output/recordings"

train() {
  local fold=$1 normaliser
  for normaliser in softmax entmax15 sparsemax; do
    build/examples/sentiment train --data "$output/reviews" --fold "$fold" --normaliser "$normaliser" \
      --output "$output/$normaliser-$fold" --word-join --threads 1 || return
  done
}
train 1 &
status=0
train 2 || status=$?
wait $! || status=$?
[ "$status" = 0 ] || exit "$status"
for normaliser in softmax entmax15 sparsemax; do
  build/examples/sentiment faithfulness --data "$output/reviews" --model "$output/$normaliser"-{1,2}
done

for normaliser in softmax entmax15 sparsemax; do
  build/examples/speech train --model attention --normaliser "$normaliser" --data "$output/recordings" --output "$output/$normaliser"
done
build/examples/speech faithfulness --data "$output/recordings" --model "$output"/{softmax,entmax15,sparsemax}
