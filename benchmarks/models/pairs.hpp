#pragma once
#include "weft/seq2seq/batch.hpp"

namespace bench {

/// Made-up sentence pairs of `length` tokens; row i ends in i mod 5 padding.
weft::seq2seq::Batch sentence_pairs(std::int64_t rows, std::int64_t length, std::int64_t vocabulary);

}  // namespace bench
