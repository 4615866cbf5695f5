#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace weft::seq2seq {

/// How good a translation would be if another were the reference: BLEU or chrF of single sentences, 0 to 100.
enum class Utility { bleu, chrf };

struct MinimumBayesRiskOptions {
  Utility utility = Utility::chrf;
  bool lowercase = false;  ///< ignore case
};

struct ExpectedUtilities {
  std::size_t best = 0;             ///< the candidate of the highest, the first of equal ones
  std::vector<double> utilities{};  ///< of each candidate
};

/// The candidate that agrees best with all, itself among them: the one of highest expected utility sum_r weight_r *
/// utility(candidate, r) (Kumar and Byrne 2004; Eikema and Aziz 2020). Weights add up to 1 by being divided by their sum;
/// without any all weigh the same, which is right for samples. Texts that come several times are compared once. Throws
/// ValueError for no candidates, weights of another number, a negative or non-finite one or none above 0; FormatError for a
/// text that isn't UTF-8.
ExpectedUtilities minimum_bayes_risk(const std::vector<std::string>& candidates, std::span<const double> weights = {},
                                     const MinimumBayesRiskOptions& options = {});

/// Weights for the hypotheses of a beam: their probabilities among themselves, softmax(log_probabilities). Throws ValueError
/// for none, NaN or +inf among them, and where all are -inf.
std::vector<double> posterior(std::span<const double> log_probabilities);

}  // namespace weft::seq2seq
