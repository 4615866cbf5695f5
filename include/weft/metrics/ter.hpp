#pragma once
#include <string>
#include <vector>

#include "weft/metrics/statistics.hpp"

namespace weft::metrics {

/// How Tercom cuts lines into words.
struct TerOptions {
  bool normalized = false;      // punctuation and possessives apart, XML's entities resolved; else at white space alone
  bool no_punct = false;        // leave out . , ? : ; ! " ( )
  bool asian_support = false;   // normalized: ideographs and East Asian punctuation apart; no_punct: leave out the latter
  bool case_sensitive = false;  // else in lower case
};

struct TerScore {
  double score = 0;             // 0 to 100, and above when there are more edits than words in the reference
  double edits = 0;             // fewest edits against any of its references, summed over the sentences
  double reference_length = 0;  // mean words of its references, summed over the sentences
  std::string signature;        // "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:weft-0.1.0"

  /// "TER = 45.12".
  std::string str() const;
};

/// Corpus translation edit rate (Snover et al. 2006), equal to sacreBLEU 2's: 100 * edits / words of the reference. An edit
/// inserts, deletes or replaces a word or moves a stretch of words, found greedily with Tercom's limits (10 words, by up to 50,
/// a beam of 25 around the diagonal). Without any words in the references it is 0 for hypotheses without words, else 100.
/// references[r][i] is the r-th reference of hypotheses[i].
/// ValueError: nothing to score, numbers of lines that differ; FormatError: a line that is not UTF-8.
TerScore ter(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
             const TerOptions& options = {});

/// TER of one sentence against its references.
TerScore sentence_ter(const std::string& hypothesis, const std::vector<std::string>& references,
                      const TerOptions& options = {});

/// Edits and length of the reference of each sentence, for resampling; errors as of `ter`.
SentenceStatistics ter_statistics(const std::vector<std::string>& hypotheses,
                                  const std::vector<std::vector<std::string>>& references, const TerOptions& options = {});

}  // namespace weft::metrics
