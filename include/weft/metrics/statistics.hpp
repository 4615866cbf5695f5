#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace weft::metrics {

/// What a corpus metric counts in each sentence. The metric of any choice of sentences is `score` of the sum of their rows,
/// which makes a thousand resamples of a corpus cheap (bootstrap.hpp): no text is looked at again.
struct SentenceStatistics {
  std::int64_t width = 0;                                // numbers of a sentence
  std::vector<double> values;                            // [sentences, width]
  std::function<double(std::span<const double>)> score;  // of a sum of rows, as the metric's own

  std::int64_t sentences() const { return width == 0 ? 0 : static_cast<std::int64_t>(values.size()) / width; }
};

/// The metric of all sentences. ValueError: no score, no sentence, values that don't make whole rows.
double corpus_score(const SentenceStatistics& statistics);

}  // namespace weft::metrics
