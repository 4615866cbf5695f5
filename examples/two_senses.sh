#!/usr/bin/env bash
# Digits that are spoken and written, one of the two spoilt by noise: each sense alone, then both by gated fusion and by co-attention.
#
#   examples/two_senses.sh DATA_DIR [OUTPUT_DIR]      (build/two-senses)
#
# DATA_DIR holds spoken-digits/recordings.tar.gz and mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz. A run that was stopped
# goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 2 "$@"
data=$(realpath -m -- "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/two-senses}")
need "$data/spoken-digits/recordings.tar.gz" "$data"/mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz
cd "$(dirname "$0")/.."
program=build/examples/two_senses
build_program two_senses
unpack_once "$data/spoken-digits/recordings.tar.gz" recordings "$output/recordings"

for senses in sound image gated co_attention; do
  "$program" train --senses "$senses" --output "$output/$senses" --sounds "$output/recordings" \
    --images "$data/mnist/train-images-idx3-ubyte.gz" --labels "$data/mnist/train-labels-idx1-ubyte.gz"
done
for senses in sound image gated co_attention; do
  echo "$senses"
  "$program" evaluate --model "$output/$senses" --pairs 3000 --sounds "$output/recordings" \
    --images "$data/mnist/t10k-images-idx3-ubyte.gz" --labels "$data/mnist/t10k-labels-idx1-ubyte.gz"
done
for senses in gated co_attention; do
  "$program" report --model "$output/$senses" --sounds "$output/recordings" \
    --images "$data/mnist/t10k-images-idx3-ubyte.gz" --labels "$data/mnist/t10k-labels-idx1-ubyte.gz"
done
