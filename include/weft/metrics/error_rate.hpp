#pragma once
#include <string>
#include <vector>

#include "weft/metrics/edit_distance.hpp"
#include "weft/metrics/statistics.hpp"
#include "weft/metrics/tokenize.hpp"

namespace weft::metrics {

struct WerOptions {
  Tokenization tokenize = Tokenization::none;
  bool lowercase = false;
};

struct CerOptions {
  bool lowercase = false;
  bool whitespace = true;  // count the white space between words, as one character each time
};

struct ErrorRate {
  double score = 0;  // 0 to 100, and above when there are more errors than units in the reference
  std::string name;  // "WER", "CER"
  EditCounts edits;  // of all lines; those of one by sentence_wer or, with its words, count_edits

  /// "WER = 50.00 (2 hits, 1 substitutions, 0 deletions, 1 insertions)".
  std::string str() const;
};

/// Word error rate: 100 * (substitutions + deletions + insertions) / words of the references, over all lines. Without any words
/// in the references it is 0 for hypotheses without words, else 100. show_alignment prints where the errors are.
/// ValueError: nothing to score, numbers of lines that differ; FormatError: a line that is not UTF-8.
ErrorRate wer(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references,
              const WerOptions& options = {});

/// Character error rate: the same of code points.
ErrorRate cer(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references,
              const CerOptions& options = {});

ErrorRate sentence_wer(const std::string& hypothesis, const std::string& reference, const WerOptions& options = {});
ErrorRate sentence_cer(const std::string& hypothesis, const std::string& reference, const CerOptions& options = {});

/// Errors and length of the reference of each line, for resampling; errors as of `wer` and `cer`.
SentenceStatistics wer_statistics(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references,
                                  const WerOptions& options = {});
SentenceStatistics cer_statistics(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references,
                                  const CerOptions& options = {});

}  // namespace weft::metrics
