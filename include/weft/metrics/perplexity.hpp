#pragma once
#include <cstdint>

namespace weft::metrics {

/// Perplexity of text under a language model, gathered batch by batch: exp(negative log likelihood / tokens).
class Perplexity {
 public:
  /// The summed negative log likelihood (natural logarithm, cross_entropy's sum) of so many tokens.
  /// ValueError for a negative number of tokens or a likelihood of none; NumericError for NaN or minus infinity; nothing is
  /// added then. Infinity stays: the model has ruled out what was said.
  void add(double negative_log_likelihood, std::int64_t tokens);

  double negative_log_likelihood() const { return sum_; }
  std::int64_t tokens() const { return tokens_; }

  /// All of these throw ValueError before there are tokens.
  double cross_entropy() const;  // nats a token
  double bits() const;           // bits a token
  double value() const;

 private:
  double sum_ = 0;
  std::int64_t tokens_ = 0;
};

}  // namespace weft::metrics
