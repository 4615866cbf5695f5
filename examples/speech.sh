#!/usr/bin/env bash
# Strings of spoken digits: trains a BiLSTM with CTC and an attention encoder-decoder, then scores both on test recordings.
#
#   examples/speech.sh DATA_DIR [OUTPUT_DIR]      (build/speech)
#
# DATA_DIR holds recordings.tar.gz, which is unpacked into OUTPUT_DIR. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 2 "$@"
data=$(realpath -- "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/speech}")
need "$data/recordings.tar.gz"
cd "$(dirname "$0")/.."
program=build/examples/speech
build_program speech

unpack_once "$data/recordings.tar.gz" recordings "$output/recordings"
for model in ctc attention; do
  "$program" train --model "$model" --data "$output/recordings" --output "$output/$model"
  echo "$model:"
  "$program" evaluate --model "$output/$model" --data "$output/recordings" --beam 8
done
"$program" report --model "$output/attention" --sounds "$output"/recordings/{3,7}_theo_0.wav
