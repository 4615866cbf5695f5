#!/usr/bin/env bash
# Moving digits: trains a tracker on films of two digits, scores it on films of the test digits and writes a page with its attention.
#
#   examples/moving_digits.sh DATA_DIR [OUTPUT_DIR [CHANNELS]]      (build/moving-digits, 0)
#
# DATA_DIR holds {train,t10k}-images-idx3-ubyte.gz and {train,t10k}-labels-idx1-ubyte.gz. CHANNELS: of a ConvLSTM over the frames'
# cells, 0 for none. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 3 "$@"
data=$(realpath -m -- "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/moving-digits}") conv_lstm=${3:-0}
need "$data"/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz
cd "$(dirname "$0")/.."
program=build/examples/moving_digits
build_program moving_digits

train=(--images "$data/train-images-idx3-ubyte.gz" --labels "$data/train-labels-idx1-ubyte.gz" --conv-lstm "$conv_lstm")
test=(--images "$data/t10k-images-idx3-ubyte.gz" --labels "$data/t10k-labels-idx1-ubyte.gz")
# First mostly films of four frames, which cost a fifth; then whole ones.
"$program" train "${train[@]}" --output "$output/first" --epochs 50 --short-epochs 40 --short-frames 4 --cooldown 0.4 --validate-every 500
"$program" train "${train[@]}" --output "$output/whole" --start "$output/first" --seed 2 --epochs 24 --lr 0.001 --cooldown 0.8 \
  --validate-every 400 --validation-films 2000
"$program" evaluate "${test[@]}" --model "$output/whole" --films 3000
"$program" report "${test[@]}" --model "$output/whole"
