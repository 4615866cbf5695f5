#!/usr/bin/env bash
# English to German on Multi30k: trains an attention LSTM for 16 epochs, then scores it on test_2016 with beam 5.
#
#   examples/multi30k.sh DATA_DIR [OUTPUT_DIR]      (build/multi30k)
#
# DATA_DIR holds train, val and test_2016_flickr as *.lc.norm.tok.{en,de}.gz. A run that was stopped goes on where it was.
set -euo pipefail
[ $# -ge 1 ] && [ $# -le 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
data=$(realpath "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/multi30k}")
cd "$(dirname "$0")/.."
translator=build/examples/translator
[ -x "$translator" ] || { echo "$0: build first: bash examples/quickstart.sh" >&2; exit 1; }

"$translator" train --output "$output" --tokenized \
  --source "$data/train.lc.norm.tok.en.gz" --target "$data/train.lc.norm.tok.de.gz" \
  --valid-source "$data/val.lc.norm.tok.en.gz" --valid-target "$data/val.lc.norm.tok.de.gz" \
  --joint --vocabulary 8000 --embedding 256 --hidden 512 --dropout 0.3 --batch-tokens 2048 --lr 0.001 --decay 1 \
  --epochs 16 --cooldown 0.625
"$translator" evaluate --model "$output" --beam 5 --tokenize none --lowercase \
  --source "$data/test_2016_flickr.lc.norm.tok.en.gz" --reference "$data/test_2016_flickr.lc.norm.tok.de.gz"
