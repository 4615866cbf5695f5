#!/usr/bin/env bash
# Strings of spoken digits: trains a BiLSTM with CTC, an attention encoder-decoder and a transducer, then scores them on test
# recordings, greedily and with a beam, and on two further sets of strings.
#
#   examples/speech.sh DATA_DIR [OUTPUT_DIR]      (build/speech)
#
# DATA_DIR holds recordings.tar.gz, which is unpacked into OUTPUT_DIR. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 2 "$@"
data=$(realpath -m -- "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/speech}")
need "$data/recordings.tar.gz"
cd "$(dirname "$0")/.."
program=build/examples/speech
build_program speech

unpack_once "$data/recordings.tar.gz" recordings "$output/recordings"
for model in ctc attention transducer; do
  "$program" train --model "$model" --data "$output/recordings" --output "$output/$model"
  for search in "--beam 1" "--beam 8" "--string-seed 2" "--string-seed 3"; do
    echo "$model $search:"
    # shellcheck disable=SC2086  # an option and its value
    "$program" evaluate --model "$output/$model" --data "$output/recordings" $search
  done
done
"$program" report --model "$output/attention" --sounds "$output"/recordings/{3,7}_theo_0.wav
