#include "weft/metrics/ter.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/fail.hpp"
#include "metrics/corpus.hpp"
#include "metrics/rate.hpp"
#include "metrics/shifted_edits.hpp"
#include "metrics/tercom_words.hpp"
#include "metrics/version.hpp"

namespace weft::metrics {
namespace {

class Numbers {
 public:
  std::vector<int> of(const std::vector<std::string>& words) {
    std::vector<int> numbers;
    for (const auto& word : words) numbers.push_back(known_.emplace(word, static_cast<int>(known_.size())).first->second);
    return numbers;
  }

 private:
  std::unordered_map<std::string, int> known_;
};

SentenceStatistics count(const char* op, const std::vector<std::string>& hypotheses,
                         const std::vector<std::vector<std::string>>& references, const TerOptions& options) {
  check_corpus(op, hypotheses, references);
  SentenceStatistics statistics{.width = 2, .score = [](std::span<const double> sum) { return rate(sum[0], sum[1]); }};
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    Numbers numbers;
    const std::vector<int> hypothesis = numbers.of(tercom_words(hypotheses[i], options));
    std::int64_t fewest = std::numeric_limits<std::int64_t>::max(), length = 0;
    for (const auto& stream : references) {
      const std::vector<int> reference = numbers.of(tercom_words(stream[i], options));
      fewest = std::min(fewest, shifted_edits(hypothesis, reference));
      length += static_cast<std::int64_t>(reference.size());
    }
    statistics.values.push_back(static_cast<double>(fewest));
    statistics.values.push_back(static_cast<double>(length) / static_cast<double>(references.size()));
  }
  return statistics;
}

TerScore compute(const char* op, const std::vector<std::string>& hypotheses,
                 const std::vector<std::vector<std::string>>& references, const TerOptions& options) {
  const auto yes = [](bool on) { return on ? "yes" : "no"; };
  TerScore result{.signature = fmt::format("nrefs:{}|case:{}|tok:tercom|norm:{}|punct:{}|asian:{}|version:weft-{}",
                                           references.size(), options.case_sensitive ? "mixed" : "lc", yes(options.normalized),
                                           yes(!options.no_punct), yes(options.asian_support), WEFT_VERSION)};
  const auto statistics = count(op, hypotheses, references, options);
  for (std::size_t i = 0; i < statistics.values.size(); i += 2) {
    result.edits += statistics.values[i];
    result.reference_length += statistics.values[i + 1];
  }
  result.score = rate(result.edits, result.reference_length);
  return result;
}

}  // namespace

std::string TerScore::str() const { return fmt::format("TER = {:.2f}", score); }

TerScore ter(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
             const TerOptions& options) {
  return compute("ter", hypotheses, references, options);
}

TerScore sentence_ter(const std::string& hypothesis, const std::vector<std::string>& references, const TerOptions& options) {
  return compute("sentence_ter", {hypothesis}, as_streams(references), options);
}

SentenceStatistics ter_statistics(const std::vector<std::string>& hypotheses,
                                  const std::vector<std::vector<std::string>>& references, const TerOptions& options) {
  return count("ter_statistics", hypotheses, references, options);
}

}  // namespace weft::metrics
