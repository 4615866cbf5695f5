#pragma once
#include <cstdint>
#include <vector>

#include "weft/seq2seq/model.hpp"

namespace weft::seq2seq {

struct BeamSearchOptions {
  std::int64_t beam = 5;        ///< 1 is greedy search
  double length_penalty = 1.0;  ///< hypotheses are compared by log probability / length^this
  std::int64_t max_length = 0;  ///< tokens of a hypothesis; 0: twice the source's and ten more
  bool attention = false;       ///< return the attention weights too
};

struct Hypothesis {
  TokenIds ids;                ///< without begin_id and end_id
  double log_probability = 0;  ///< of all its tokens, end_id included where it ended
  double score = 0;            ///< log_probability / length^length_penalty
  Tensor attention;            ///< f32 [tokens with end_id, source], where asked for
};

/// The best hypotheses for each row of `source`, best first, `beam` of them where that many were found. A row is searched
/// as if it were alone. Nothing is recorded; dropout is off while the model is in eval mode.
/// Throws ValueError for a beam below 1 or wider than the vocabulary.
std::vector<std::vector<Hypothesis>> beam_search(Model& model, const Padded& source, const BeamSearchOptions& options = {});

}  // namespace weft::seq2seq
