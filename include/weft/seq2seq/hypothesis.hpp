#pragma once
#include "weft/seq2seq/batch.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::seq2seq {

/// A translation that was searched or drawn.
struct Hypothesis {
  TokenIds ids;                ///< without begin_id and end_id
  double log_probability = 0;  ///< of all its tokens, end_id included where it ended
  double score = 0;            ///< what hypotheses are compared by
  Tensor attention;            ///< f32 [tokens with end_id, source tokens without padding], where asked for
};

}  // namespace weft::seq2seq
