#!/usr/bin/env bash
# English to French on Tatoeba's sentences, raw text with its capitals: trains a Transformer, then scores 2,000 held-out sentences
# with beam 5.
#
#   examples/tatoeba.sh DATA_DIR [OUTPUT_DIR]      (build/tatoeba)
#
# DATA_DIR holds a zip with fra.txt (English, tab, French). Held out is every 49th English sentence, counted without
# repetitions, with the first of its translations: 2,000 to test on; of those halfway between two of them every second to validate
# on. No pair with an English side that is held out is trained on. A run that was stopped goes on where it was.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
usage 1 2 "$@"
data=$(realpath -m -- "$1") output=$(realpath -m -- "${2:-$(dirname "$0")/../build/tatoeba}")
archives=("$data"/*.zip)
need "${archives[0]}"
if [ ${#archives[@]} != 1 ]; then
  echo "$0: $data has ${#archives[@]} zips; it must have that with fra.txt alone" >&2
  exit 1
fi
cd "$(dirname "$0")/.."
translator=build/examples/translator
build_program translator

texts=$output/texts
if [ ! -e "$texts/done" ]; then
  mkdir -p "$texts"
  if ! python3 -m zipfile -e "${archives[0]}" "$texts" || [ ! -e "$texts/fra.txt" ]; then
    echo "$0: ${archives[0]} is no sound zip with fra.txt" >&2
    exit 1
  fi
  awk -F '\t' -v folder="$texts" '
    NF < 2 || $1 == "" || $2 == "" { left_out++; next }
    {
      is_new = !($1 in part)
      if (is_new) {
        n = ++sentences
        part[$1] = n % 49 == 0 && tests < 2000 ? "test" : n % 98 == 24 ? "valid" : "train"
        tests += part[$1] == "test"
      }
      if (part[$1] == "train" || is_new) {
        print $1 > (folder "/" part[$1] ".en")
        print $2 > (folder "/" part[$1] ".fr")
      }
    }
    END { if (left_out) print left_out " lines without a sentence and its translation left out" > "/dev/stderr" }' "$texts/fra.txt"
fi
keep_to "$texts/done" "" "${archives[0]}"

"$translator" train --output "$output/run" --model transformer --layers 3 --width 256 --heads 4 --feed-forward 512 \
  --source "$texts/train.en" --target "$texts/train.fr" --valid-source "$texts/valid.en" --valid-target "$texts/valid.fr" \
  --joint --vocabulary 8000 --batch-tokens 2048 --dropout 0.2 --lr 0.001 --warmup 400 --schedule constant --decay 1 \
  --cooldown 0.6 --epochs 7 --minutes 45
"$translator" evaluate --model "$output/run" --beam 5 --bootstrap 1000 --source "$texts/test.en" --reference "$texts/test.fr"
tail -n 5 "$texts/test.en" | "$translator" report --model "$output/run"
