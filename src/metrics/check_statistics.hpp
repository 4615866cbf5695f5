#pragma once
#include "base/fail.hpp"
#include "weft/metrics/statistics.hpp"

namespace weft::metrics {

/// ValueError unless there are sentences, in whole rows, and a score for them.
inline void check_statistics(const char* op, const SentenceStatistics& statistics) {
  check<ValueError>(statistics.score != nullptr, op, "the statistics have no score");
  check<ValueError>(statistics.width > 0, op, "the statistics have a width of {}; it must be at least 1", statistics.width);
  check<ValueError>(!statistics.values.empty(), op, "there are no sentences");
  check<ValueError>(statistics.values.size() % static_cast<std::size_t>(statistics.width) == 0, op,
                    "{} values don't make whole rows of {}", statistics.values.size(), statistics.width);
}

}  // namespace weft::metrics
