#include "weft/metrics/statistics.hpp"

#include "metrics/check_statistics.hpp"

namespace weft::metrics {

double corpus_score(const SentenceStatistics& statistics) {
  check_statistics("corpus_score", statistics);
  const auto width = static_cast<std::size_t>(statistics.width);
  std::vector<double> sum(width, 0.0);
  for (std::size_t i = 0; i < statistics.values.size(); ++i) sum[i % width] += statistics.values[i];
  return statistics.score(sum);
}

}  // namespace weft::metrics
