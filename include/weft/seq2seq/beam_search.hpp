#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "weft/seq2seq/hypothesis.hpp"
#include "weft/seq2seq/model.hpp"

namespace weft::seq2seq {

/// What the log probability of a hypothesis of `length` tokens is divided by, so that long ones have a chance.
enum class LengthNormalisation {
  power,  ///< length^length_penalty
  gnmt    ///< ((5 + length) / 6)^length_penalty (Wu et al. 2016)
};

struct BeamSearchOptions {
  std::int64_t beam = 5;        ///< 1 is greedy search
  double length_penalty = 1.0;  ///< exponent of the length normalisation; 0: hypotheses are compared by log probability.
                                ///< Refused where the longest hypothesis would be divided by more than e^600
  std::int64_t max_length = 0;  ///< tokens of a hypothesis; 0: max_length_ratio times the source's and max_length_offset more,
                                ///< one at least, beside those of its prefix
  double max_length_ratio = 2;
  std::int64_t max_length_offset = 10;
  bool attention = false;  ///< return the attention weights too
  LengthNormalisation length_normalisation = LengthNormalisation::power;
  double coverage_penalty = 0;       ///< times what `coverage` says is added to a score; needs a model with attention
  std::int64_t no_repeat_ngram = 0;  ///< no n-gram of so many tokens comes twice in a hypothesis; 0: any may
  std::int64_t diverse_groups = 1;   ///< parts of the beam that are kept apart (Vijayakumar et al. 2016); divides it
  double diversity_strength = 0.5;   ///< taken from a token's rank for each earlier group's beam that took it at this step
};

/// The best hypotheses for each row of `source`, best first, `beam` of them where that many were found. A row is searched
/// as if it were alone. Scores are log_probability / normalisation + coverage_penalty * coverage. Nothing is recorded, so
/// nothing is dropped either, in training mode too.
///
/// prefixes[row] is what all hypotheses of a row begin with; it counts for length and probability, and may repeat n-grams. No
/// prefixes at all: none for any row.
///
/// With diverse groups a part of beam / diverse_groups goes on by itself in each, by the rank log probability -
/// diversity_strength * (how many beams of the groups before took the token at this step). The rank is forgotten after the
/// step: scores are those of the model. The same hypothesis may come from several groups.
///
/// Throws ValueError for options out of range, groups that don't divide the beam, prefixes that don't go with the rows, have
/// ids that are no words of the vocabulary or are longer than max_length, and where attention is needed that the model
/// hasn't; NumericError where the model gives no finite probability to any token.
std::vector<std::vector<Hypothesis>> beam_search(Model& model, const Padded& source, const BeamSearchOptions& options = {},
                                                 std::span<const TokenIds> prefixes = {});

/// sum_i log min(sum_j attention[j, i], 1) over the source's tokens (Wu et al. 2016): 0 where each was looked at once in sum,
/// less where some were passed over. attention f32 [tokens, source]. A sum below 1e-9 counts as 1e-9, so that kinds of
/// attention whose weights can be 0 still have something to compare.
double coverage(const Tensor& attention);

}  // namespace weft::seq2seq
