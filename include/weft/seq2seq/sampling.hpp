#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "weft/seq2seq/hypothesis.hpp"
#include "weft/seq2seq/model.hpp"

namespace weft::seq2seq {

/// Which tokens can be drawn, and how likely each is: softmax(logits / temperature), of that the top_k likeliest, and of
/// these the fewest that have top_p of the probability (nucleus sampling, Holtzman et al. 2020). Of equally likely tokens
/// those of lower id stay.
struct TokenFilter {
  double temperature = 1;  ///< above 0; below 1 favours what is likely
  std::int64_t top_k = 0;  ///< 0: all
  double top_p = 1;        ///< in (0, 1]; 1: all
};

/// The probabilities that `filter` leaves of logits (or log probabilities) [vocabulary]; they add up to 1. A logit of -inf is
/// a token that can't be. Throws ValueError for a filter out of range, NumericError where a logit is NaN or +inf or all are
/// -inf.
std::vector<double> filtered_softmax(std::span<const float> logits, const TokenFilter& filter);

/// The token that u in [0, 1) falls on. Throws ValueError for another u, and where the probabilities don't add up to anything.
std::int32_t draw_token(std::span<const double> probabilities, double u);

struct SampleOptions {
  std::int64_t samples = 1;  ///< of each sentence
  TokenFilter filter = {};
  std::int64_t max_length = 0;       ///< tokens of a sample; 0: twice the source's and ten more, beside those of its prefix
  std::int64_t no_repeat_ngram = 0;  ///< no n-gram of so many tokens comes twice in a sample; 0: any may
  std::uint64_t seed = 1;
  bool attention = false;  ///< return the attention weights too
};

/// Translations of each row of `source` that are drawn token by token, in the order of drawing: what is drawn is a function of
/// the seed, the row's tokens, the number of the sample and the place alone, so that neither the other rows nor the number of
/// threads change it (but for how the model rounds), and more samples go on where fewer ended. Log probabilities are the
/// model's own, without the filter; scores are the same. prefixes[row] is what a row's samples begin with. Nothing is
/// recorded, so nothing is dropped either, in training mode too.
/// Throws ValueError for options out of range and for prefixes as beam_search does, NumericError where the model gives no
/// finite probability to any token.
std::vector<std::vector<Hypothesis>> sample(Model& model, const Padded& source, const SampleOptions& options = {},
                                            std::span<const TokenIds> prefixes = {});

}  // namespace weft::seq2seq
