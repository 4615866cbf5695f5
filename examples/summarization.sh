#!/usr/bin/env bash
# Headlines of Reuters news (Reuters-21578, Distribution 1.0): the first ten words as a baseline, then an LSTM that copies.
#
#   examples/summarization.sh DATA_DIR [OUTPUT_DIR]      (build/summarization)
#
# DATA_DIR holds reuters_headlines.tsv.gz. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 2 "$@"
data=$(realpath -m -- "$1")/reuters_headlines.tsv.gz output=$(realpath -m -- "${2:-$(dirname "$0")/../build/summarization}")
need "$data"
cd "$(dirname "$0")/.."
program=build/examples/summarizer
build_program summarizer

"$program" baseline --data "$data"
"$program" train --data "$data" --output "$output" --epochs 12 --lr 0.002 --cooldown 0.7
"$program" evaluate --data "$data" --model "$output" --beam 5
zcat "$data" | awk -F '\t' '$1 == "TEST" && shown++ < 8 { print $3 }' | "$program" report --model "$output"
