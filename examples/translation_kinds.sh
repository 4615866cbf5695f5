#!/usr/bin/env bash
# English to German on Multi30k with each kind of attention, the same time of training for each, as a Markdown table.
#
#   examples/translation_kinds.sh DATA_DIR [OUTPUT_DIR [MINUTES [KIND...]]]      (build/translation-kinds, 10, all 17 of them)
#
# DATA_DIR holds train, val and test_2016_flickr as *.lc.norm.tok.{en,de}.gz: a sentence a line, its words apart by blanks. The
# table's rows come as they are done; what was stopped goes on where it was, and what is done is not done again.
#
# An LSTM's KIND: none, dot, general, additive, local-p, multi_head. A Transformer's: transformer (heads), light, dynamic, linear,
# gated, block_local, strided, window in their place, and with heads sparsemax, entmax15, spans.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 1000 "$@"
kinds=(none dot general additive local-p multi_head transformer light dynamic linear gated block_local strided window sparsemax
  entmax15 spans)
data=$(realpath -m -- "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/translation-kinds}") minutes=${3:-10}
chosen=("${@:4}")
[ $# -gt 3 ] || chosen=("${kinds[@]}")

# kind_settings KIND: the options of its model; the sizes are those of examples/multi30k.sh.
kind_settings() {
  local transformer="--model transformer --layers 3 --width 256 --heads 4 --feed-forward 512 --dropout 0.2 --warmup 400"
  case $1 in
    none | dot | general | additive | local-p | multi_head) echo "--embedding 256 --hidden 512 --dropout 0.3 --attention $1" ;;
    transformer) echo "$transformer" ;;
    light | dynamic | linear | gated | block_local | strided | window) echo "$transformer --mixing $1" ;;
    sparsemax | entmax15) echo "$transformer --normaliser $1" ;;
    spans) echo "$transformer --max-span 64" ;;
    *) echo "$0: '$1' is none of ${kinds[*]}" >&2; return 2 ;;
  esac
}
for kind in "${chosen[@]}"; do kind_settings "$kind" >/dev/null; done
[[ $minutes =~ ^[0-9]*\.?[0-9]+$ && $minutes =~ [1-9] ]] || { echo "$0: MINUTES '$minutes' is no number above 0" >&2; exit 2; }
files=("$data"/{train,val,test_2016_flickr}.lc.norm.tok.{en,de}.gz)
need "${files[@]}"

keep_to "$output/made_of" "$minutes minutes" "${files[@]}"
cd "$(dirname "$0")/.."
translator=build/examples/translator
build_program translator

# All share one vocabulary, that of the first.
first=$output/vocabulary.model
row() {
  local kind=$1 folder=$output/$1 settings vocabulary=()
  settings=$(kind_settings "$kind")
  read -ra settings <<<"$settings"
  [ ! -e "$first" ] || vocabulary=(--source-model "$first")
  mkdir -p "$folder"
  if [ ! -e "$folder/trained" ]; then  # a training that ended isn't asked again for its speed
    "$translator" train --output "$folder" --tokenized "${vocabulary[@]}" "${settings[@]}" \
      --source "$data/train.lc.norm.tok.en.gz" --target "$data/train.lc.norm.tok.de.gz" \
      --valid-source "$data/val.lc.norm.tok.en.gz" --valid-target "$data/val.lc.norm.tok.de.gz" \
      --joint --vocabulary 8000 --batch-tokens 2048 --lr 0.001 --decay 1 --schedule constant --ema 0.999 \
      --epochs 1000 --minutes "$minutes" >"$folder/result" 2> >(tee "$folder/progress" >&2)
    mv "$folder/result" "$folder/trained"
  fi
  [ -e "$first" ] || cp "$folder/source.model" "$first"
  "$translator" evaluate --model "$folder" --beam 5 --tokenize none --lowercase \
    --source "$data/test_2016_flickr.lc.norm.tok.en.gz" --reference "$data/test_2016_flickr.lc.norm.tok.de.gz" >"$folder/scored"
  local bleu chrf speed updates parameters memory
  bleu=$(sed -n 's/^BLEU = \([0-9.]*\).*/\1/p' "$folder/scored")
  chrf=$(sed -n 's/^chrF = //p' "$folder/scored")
  speed=$(sed -n 's/.*, \([0-9]*\) words\/s.*/\1/p' "$folder/trained")
  updates=$(sed -n 's/^\([0-9,]*\) updates*, .*/\1/p' "$folder/trained")
  parameters=$(sed -n 's/.*, \([^ ]*\) parameters.*/\1/p' "$folder/progress")
  memory=$(sed -n 's/.*memory \([0-9.]*\) MiB.*/\1/p' "$folder/train.log" | sort -n | tail -1)
  echo "| $kind | $bleu | $chrf | $updates | $speed | $memory | $parameters |"
}

echo "| kind | BLEU, beam 5 | chrF | updates in $minutes minutes | words/s in training | MiB of tensors | parameters |"
echo "|---|---|---|---|---|---|---|"
for kind in "${chosen[@]}"; do
  if [ ! -e "$output/$kind/row" ]; then
    row "$kind" >"$output/$kind.row"
    mv "$output/$kind.row" "$output/$kind/row"
  fi
  cat "$output/$kind/row"
done
