#!/usr/bin/env bash
# Handwritten words: trains a reader on folds 1 to 9 of the OCR data, scores it on fold 0 and writes a page with its attention.
#
#   examples/handwriting.sh DATA_DIR [OUTPUT_DIR]      (build/handwriting)
#
# DATA_DIR holds ocr_words.txt.gz. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 2 "$@"
data=$(realpath -m -- "$1")/ocr_words.txt.gz output=$(realpath -m -- "${2:-$(dirname "$0")/../build/handwriting}")
need "$data"
cd "$(dirname "$0")/.."
program=build/examples/handwriting
build_program handwriting

"$program" train --data "$data" --train-folds 1-9 --output "$output"
"$program" evaluate --model "$output" --data "$data" --folds 0 --beam 5
"$program" report --model "$output" --data "$data" --folds 0
