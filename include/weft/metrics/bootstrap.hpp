#pragma once
#include <cstdint>
#include <string>

#include "weft/metrics/statistics.hpp"

namespace weft::metrics {

struct BootstrapOptions {
  std::int64_t samples = 1000;
  double confidence = 0.95;  // share of the resamples that an interval holds
  std::uint64_t seed = 12345;
};

struct ConfidenceInterval {
  double score = 0;       // of the corpus itself
  double mean = 0;        // of the resamples
  double low = 0;         // the resamples' quantile (1 - confidence) / 2
  double high = 0;        // and that of (1 + confidence) / 2
  double confidence = 0;  // as asked for

  /// "35.72 [34.80, 36.61] (95 %)".
  std::string str() const;
};

/// Interval of a corpus metric by the bootstrap (Efron 1979; Koehn 2004 for BLEU): corpora of as many sentences are drawn from
/// this one, with replacement, and scored. Quantiles are interpolated as NumPy's. The same statistics and options give the same
/// bits.
/// ValueError: statistics without sentences or score, samples below 1, confidence not between 0 and 1. NumericError: a resample
/// whose score isn't finite.
ConfidenceInterval bootstrap(const SentenceStatistics& statistics, const BootstrapOptions& options = {});

struct PairedBootstrap {
  ConfidenceInterval a, b;
  ConfidenceInterval difference;  // of a's score less b's
  double a_higher = 0;            // share of the resamples where a's score is the higher one; for TER and WER that is the worse
  double b_higher = 0;
  double p_value = 1;  // of a difference this far from 0, either way, if there were none between the systems

  /// "a 35.72, b 34.90, difference 0.82 [0.11, 1.50] (95 %), p = 0.0240, a higher in 98.8 %, b in 1.2 %".
  std::string str() const;
};

/// Paired bootstrap resampling of two systems' outputs on the same sentences (Koehn 2004): each resample draws the same
/// sentences of both. The p-value shifts the resamples' differences to a mean of 0 (Riezler and Maxwell 2005):
/// (1 + resamples that then lie at least as far from 0 as the corpus's difference) / (1 + resamples).
/// ValueError: as `bootstrap`, or different numbers of sentences or of a sentence's counts. NumericError as there.
PairedBootstrap paired_bootstrap(const SentenceStatistics& a, const SentenceStatistics& b,
                                 const BootstrapOptions& options = {});

}  // namespace weft::metrics
