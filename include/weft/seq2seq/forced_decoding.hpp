#pragma once
#include <vector>

#include "weft/seq2seq/model.hpp"

namespace weft::seq2seq {

/// What a model makes of a target that it is given, not asked for.
struct ForcedDecoding {
  std::vector<double> log_probabilities;  ///< of each token, end_id included
  Tensor attention;                       ///< f32 [tokens with end_id, source]: what it looked at as it said each
};

/// Teacher forcing of each row's target by the steps of a search, whose weights it keeps. Nothing is recorded, so nothing is
/// dropped either, in training mode too. Throws ValueError for a model without attention and a row beyond max_target_length(),
/// IndexError for a token that it can't say, ShapeError, DTypeError, ValueError for lengths that can't be.
std::vector<ForcedDecoding> forced_decoding(Model& model, const Batch& batch);

}  // namespace weft::seq2seq
