#!/usr/bin/env bash
# English to German on Multi30k: trains an attention LSTM for 26 epochs or a Transformer for 16, then scores it on test_2016 with beam 5.
#
#   examples/multi30k.sh DATA_DIR [lstm|transformer [OUTPUT_DIR]]      (build/multi30k-lstm, build/multi30k-transformer)
#
# DATA_DIR holds train, val and test_2016_flickr as *.lc.norm.tok.{en,de}.gz. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 3 "$@"
model=${2:-lstm}
case $model in
  lstm) settings=(--epochs 26 --embedding 256 --hidden 512 --vocabulary 8000 --dropout 0.3 --cooldown 0.65) ;;
  transformer)
    settings=(--epochs 16 --model transformer --layers 3 --width 256 --heads 4 --feed-forward 512 --vocabulary 6000 --dropout 0.2)
    settings+=(--warmup 400 --schedule constant --cooldown 0.6)
    ;;
  *) echo "$0: '$model' is neither lstm nor transformer" >&2; exit 2 ;;
esac
data=$(realpath -m -- "$1") output=$(realpath -m -- "${3:-$(dirname "$0")/../build/multi30k-$model}")
need "$data"/{train,val,test_2016_flickr}.lc.norm.tok.{en,de}.gz
cd "$(dirname "$0")/.."
translator=build/examples/translator
build_program translator

"$translator" train --output "$output" --tokenized \
  --source "$data/train.lc.norm.tok.en.gz" --target "$data/train.lc.norm.tok.de.gz" \
  --valid-source "$data/val.lc.norm.tok.en.gz" --valid-target "$data/val.lc.norm.tok.de.gz" \
  --joint --batch-tokens 2048 --lr 0.001 --decay 1 "${settings[@]}"
"$translator" evaluate --model "$output" --beam 5 --tokenize none --lowercase \
  --source "$data/test_2016_flickr.lc.norm.tok.en.gz" --reference "$data/test_2016_flickr.lc.norm.tok.de.gz"
zcat "$data/test_2016_flickr.lc.norm.tok.en.gz" | tail -n 5 | "$translator" report --model "$output"
