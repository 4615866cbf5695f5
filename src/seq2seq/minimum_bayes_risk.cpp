#include "weft/seq2seq/minimum_bayes_risk.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "base/fail.hpp"
#include "weft/metrics/bleu.hpp"
#include "weft/metrics/chrf.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "minimum_bayes_risk";

double utility_of(const std::string& candidate, const std::string& reference, const MinimumBayesRiskOptions& options) {
  if (options.utility == Utility::chrf)
    return metrics::sentence_chrf(candidate, {reference}, {.lowercase = options.lowercase}).score;
  return metrics::sentence_bleu(candidate, {reference}, {.lowercase = options.lowercase, .effective_order = true}).score;
}

}  // namespace

ExpectedUtilities minimum_bayes_risk(const std::vector<std::string>& candidates, std::span<const double> weights,
                                     const MinimumBayesRiskOptions& options) {
  check<ValueError>(!candidates.empty(), where, "there are no candidates to choose from");
  check<ValueError>(weights.empty() || weights.size() == candidates.size(), where, "{} weights for {} candidates",
                    weights.size(), candidates.size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    check<ValueError>(std::isfinite(weights[i]) && weights[i] >= 0, where,
                      "weight {} is {}; it must be finite and not negative", i, weights[i]);
  const double total =
      weights.empty() ? static_cast<double>(candidates.size()) : std::accumulate(weights.begin(), weights.end(), 0.0);
  check<ValueError>(total > 0, where, "all weights are 0");
  check<ValueError>(std::isfinite(total), where, "the weights add up to more than a double holds");

  struct Text {
    double weight = 0, utility = 0;
  };
  std::map<std::string, Text> texts;
  for (std::size_t i = 0; i < candidates.size(); ++i) texts[candidates[i]].weight += weights.empty() ? 1 : weights[i];
  for (auto& [candidate, text] : texts) {
    for (const auto& [reference, other] : texts)
      if (other.weight > 0) text.utility += other.weight / total * utility_of(candidate, reference, options);
  }
  ExpectedUtilities result;
  for (const std::string& candidate : candidates) result.utilities.push_back(texts[candidate].utility);
  result.best =
      static_cast<std::size_t>(std::max_element(result.utilities.begin(), result.utilities.end()) - result.utilities.begin());
  return result;
}

std::vector<double> posterior(std::span<const double> log_probabilities) {
  check<ValueError>(!log_probabilities.empty(), "posterior", "there are no log probabilities");
  for (std::size_t i = 0; i < log_probabilities.size(); ++i)  // NaN neither
    check<ValueError>(log_probabilities[i] < std::numeric_limits<double>::infinity(), "posterior",
                      "log probability {} of {} is {}; it must be finite or -inf", i, log_probabilities.size(),
                      log_probabilities[i]);
  const double most = *std::max_element(log_probabilities.begin(), log_probabilities.end());
  check<ValueError>(std::isfinite(most), "posterior", "the greatest log probability is {}; it must be finite", most);
  std::vector<double> result;
  for (const double each : log_probabilities) result.push_back(std::exp(each - most));
  const double total = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& each : result) each /= total;
  return result;
}

}  // namespace weft::seq2seq
