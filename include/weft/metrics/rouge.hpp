#pragma once
#include <optional>
#include <string>
#include <vector>

#include "weft/metrics/statistics.hpp"
#include "weft/metrics/tokenize.hpp"

namespace weft::metrics {

struct RougeOptions {
  std::optional<Tokenization> tokenize = {};  // if not given, words are runs of letters, marks and digits of any script
  bool lowercase = true;
};

struct RougeScore {
  double precision = 0, recall = 0, f1 = 0;  // 0 to 100, means over the sentences
  std::string name;                          // "ROUGE-1", "ROUGE-L", ...

  /// "ROUGE-1 = 45.12 (P = 50.30 R = 40.91)".
  std::string str() const;
};

/// ROUGE-N (Lin 2004): n-grams that hypothesis and reference share, none counted twice, over those of the hypothesis
/// (precision) and of the reference (recall), and F1 of both, sentence by sentence; of several references, the one of the best
/// F1. A side without n-grams makes all three 0. Words are not stemmed, as by default in the package rouge-score, whose scores
/// these are on ASCII text. references[r][i] is the r-th reference of hypotheses[i].
/// ValueError: nothing to score, numbers of lines that differ, n below 1; FormatError: a line that is not UTF-8.
RougeScore rouge_n(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references, int n,
                   const RougeOptions& options = {});

/// ROUGE-L: the same of words in the longest common subsequence.
RougeScore rouge_l(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
                   const RougeOptions& options = {});

/// ROUGE-Lsum, for summaries whose sentences stand on lines of their own ("\n"): for each sentence of the reference, the union
/// of its longest common subsequences with the hypothesis's sentences; no word of either side counts more often than it occurs.
RougeScore rouge_lsum(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
                      const RougeOptions& options = {});

/// F1 of each sentence, for resampling (bootstrap.hpp): a corpus's score is their mean. Errors as of `rouge_n`.
SentenceStatistics rouge_n_statistics(const std::vector<std::string>& hypotheses,
                                      const std::vector<std::vector<std::string>>& references, int n,
                                      const RougeOptions& options = {});
SentenceStatistics rouge_l_statistics(const std::vector<std::string>& hypotheses,
                                      const std::vector<std::vector<std::string>>& references,
                                      const RougeOptions& options = {});

}  // namespace weft::metrics
