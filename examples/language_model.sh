#!/usr/bin/env bash
# Language models: of the characters of tiny Shakespeare, three minutes of an LSTM and a Transformer of the size that is published;
# of the words of War and Peace, one of each.
#
#   examples/language_model.sh DATA_DIR [OUTPUT_DIR]      (build/language-model)
#
# DATA_DIR holds tinyshakespeare.txt.gz and war-and-peace.{train,valid,test}.txt.gz. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 2 "$@"
data=$(realpath -m -- "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/language-model}")
shakespeare=$data/tinyshakespeare.txt.gz peace=$data/war-and-peace
need "$shakespeare" "$peace".{train,valid,test}.txt.gz
cd "$(dirname "$0")/.."
program=build/examples/language_model
build_program language_model

train() { "$program" train --text "$shakespeare" --held-out 0.1 --output "$output/$1" "${@:2}"; }
train lstm --width 256 --layers 2 --rows 32 --window 64 --dropout 0.2 --lr 0.003 --epochs 100 --minutes 3
train transformer --model transformer --layers 4 --width 128 --heads 4 --feed-forward 512 --rows 12 --window 64 --dropout 0 \
  --lr 0.001 --warmup 100 --schedule constant --cooldown 0.7 --epochs 2 --updates 2000 --validate-every 1000
"$program" sample --model "$output/lstm" --prompt "ROMEO:" --length 300 --temperature 0.8
train_words() {
  "$program" train --unit words --symbols 10000 --text "$peace.train.txt.gz" --valid "$peace.valid.txt.gz" --output "$output/$1" \
    --width 256 --rows 32 --window 64 --cooldown 0.7 --epochs 6 "${@:2}"
  "$program" evaluate --model "$output/$1" --text "$peace.test.txt.gz"
}
train_words words-lstm --layers 2 --dropout 0.4 --lr 0.003
train_words words-transformer --model transformer --layers 4 --heads 4 --feed-forward 512 --dropout 0.3 --lr 0.001 --warmup 200 \
  --schedule constant
for model in lstm transformer; do
  zcat "$shakespeare" | tail -n 5 | "$program" report --model "$output/$model"
  zcat "$peace.test.txt.gz" | tail -n 5 | "$program" report --model "$output/words-$model"
done
