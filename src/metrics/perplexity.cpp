#include "weft/metrics/perplexity.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "base/fail.hpp"

namespace weft::metrics {

void Perplexity::add(double negative_log_likelihood, std::int64_t tokens) {
  constexpr const char* op = "Perplexity::add";
  check<ValueError>(tokens >= 0, op, "tokens is {}; it must not be negative", tokens);
  check<NumericError>(negative_log_likelihood > -std::numeric_limits<double>::infinity(), op,
                      "the negative log likelihood is {}", negative_log_likelihood);
  check<ValueError>(tokens > 0 || negative_log_likelihood == 0, op, "a negative log likelihood of {}, but no tokens",
                    negative_log_likelihood);
  sum_ += negative_log_likelihood;
  tokens_ += tokens;
}

double Perplexity::cross_entropy() const {
  check<ValueError>(tokens_ > 0, "Perplexity", "there are no tokens");
  return sum_ / static_cast<double>(tokens_);
}

double Perplexity::bits() const { return cross_entropy() / std::numbers::ln2; }

double Perplexity::value() const { return std::exp(cross_entropy()); }

}  // namespace weft::metrics
