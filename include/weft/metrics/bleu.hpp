#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/metrics/statistics.hpp"
#include "weft/metrics/tokenize.hpp"

namespace weft::metrics {

/// What takes the place of a precision of zero (Chen and Cherry 2014).
enum class Smoothing {
  none,   // nothing: the score is 0
  floor,  // value / total
  add_k,  // (matches + value) / (total + value), for all orders above 1
  exp     // 1/2, 1/4, ... of a match for each zero in turn, as mteval-v13a.pl
};

/// sacreBLEU's name ("add-k"), and back; ValueError for a name it doesn't know.
std::string_view name(Smoothing smoothing);
Smoothing parse_smoothing(std::string_view name);

struct BleuOptions {
  Tokenization tokenize = Tokenization::v13a;
  bool lowercase = false;
  Smoothing smooth = Smoothing::exp;
  std::optional<double> smooth_value = {};  // of floor (0.1 if not given) and add-k (1)
  int max_order = 4;
  bool effective_order = false;  // leave out orders above the longest n-gram there is; wanted for single sentences
};

struct BleuScore {
  double score = 0;                // 0 to 100
  std::vector<double> precisions;  // smoothed, 0 to 100, of orders 1, 2, ...
  std::vector<std::int64_t> matches;
  std::vector<std::int64_t> totals;
  double brevity_penalty = 1;
  std::int64_t hypothesis_length = 0;
  std::int64_t reference_length = 0;  // of the reference closest in length, sentence by sentence
  std::string signature;              // "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:weft-0.1.0"

  /// "BLEU = 35.72 68.1/44.0/30.2/18.7 (BP = 1.000 ratio = 1.016 hyp_len = 12276 ref_len = 12084)".
  std::string str() const;
};

/// Corpus BLEU (Papineni et al. 2002), equal to sacreBLEU 2's. references[r][i] is the r-th reference of hypotheses[i].
/// ValueError: nothing to score, numbers of lines that differ, options out of range; FormatError: a line that is not UTF-8.
BleuScore bleu(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
               const BleuOptions& options = {});

/// BLEU of one sentence against its references.
BleuScore sentence_bleu(const std::string& hypothesis, const std::vector<std::string>& references,
                        const BleuOptions& options = {.effective_order = true});

/// Lengths, matches and totals of each sentence, for resampling; errors as of `bleu`.
SentenceStatistics bleu_statistics(const std::vector<std::string>& hypotheses,
                                   const std::vector<std::vector<std::string>>& references, const BleuOptions& options = {});

}  // namespace weft::metrics
