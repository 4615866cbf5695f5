#pragma once
#include <string>
#include <vector>

#include "weft/metrics/statistics.hpp"

namespace weft::metrics {

struct ChrfOptions {
  int char_order = 6;
  int word_order = 0;  // 2 makes it chrF++
  int beta = 2;        // recall counts beta times as much as precision
  bool lowercase = false;
  bool whitespace = false;  // count white space as characters
};

struct ChrfScore {
  double score = 0;       // 0 to 100
  std::string name;       // "chrF2", "chrF2++"
  std::string signature;  // "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:weft-0.1.0"

  /// "chrF2 = 61.23".
  std::string str() const;
};

/// Corpus chrF (Popović 2015) and chrF++ (Popović 2017), equal to sacreBLEU 2's: the F-score of precision and recall averaged
/// over the orders that both sides have n-grams of; each sentence counts against the reference that suits it best.
/// references[r][i] is the r-th reference of hypotheses[i].
/// ValueError: nothing to score, numbers of lines that differ, options out of range; FormatError: a line that is not UTF-8.
ChrfScore chrf(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
               const ChrfOptions& options = {});

/// chrF of one sentence against its references.
ChrfScore sentence_chrf(const std::string& hypothesis, const std::vector<std::string>& references,
                        const ChrfOptions& options = {});

/// n-grams of each sentence and its best reference, and their matches, by order, for resampling; errors as of `chrf`.
SentenceStatistics chrf_statistics(const std::vector<std::string>& hypotheses,
                                   const std::vector<std::vector<std::string>>& references, const ChrfOptions& options = {});

}  // namespace weft::metrics
