#pragma once
#include <memory>

#include "weft/seq2seq/model.hpp"
#include "work/work.hpp"

namespace bench {

/// Sentences of so many tokens, in both languages; row i ends in i mod 5 padding.
struct PairSizes {
  std::int64_t rows, length, vocabulary;
};

/// Training of a translator on one batch: label smoothing 0.1, Adam, clipping.
Work translation(std::unique_ptr<weft::seq2seq::Model> model, const PairSizes& pairs, double gflop, const Settings& settings);

}  // namespace bench
