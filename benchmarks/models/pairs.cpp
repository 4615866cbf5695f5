#include "models/pairs.hpp"

#include "work/values.hpp"

namespace bench {

weft::seq2seq::Batch sentence_pairs(std::int64_t rows, std::int64_t length, std::int64_t vocabulary) {
  // The target without the token of its beginning or end, which makes it `length` long.
  const Rows source = token_rows(rows, length, vocabulary, 1), target = token_rows(rows, length - 1, vocabulary, 2);
  std::vector<const weft::seq2seq::TokenIds*> sources, targets;
  for (const auto& row : source) sources.push_back(&row);
  for (const auto& row : target) targets.push_back(&row);
  return weft::seq2seq::make_batch(sources, targets);
}

}  // namespace bench
