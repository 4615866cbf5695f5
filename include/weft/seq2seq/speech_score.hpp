#pragma once
#include <cstdint>
#include <span>

#include "weft/data/spoken_strings.hpp"
#include "weft/metrics/error_rate.hpp"
#include "weft/seq2seq/speech_recognizer.hpp"

namespace weft::seq2seq {

/// How well sounds are recognised.
struct SpeechScore {
  metrics::ErrorRate words;              ///< edits over all words: of digits, the digit error
  std::int64_t sounds = 0, correct = 0;  ///< how many, and how many without any error

  double accuracy() const { return sounds > 0 ? 100 * static_cast<double>(correct) / static_cast<double>(sounds) : 0; }
};

/// Of sounds by their features, with the labels of what is said in each. Throws as `recognize`, ValueError for nothing to score
/// and counts that differ, IndexError for labels that the recogniser hasn't.
SpeechScore score_features(SpeechRecognizer& recognizer, std::span<const Tensor> features, std::span<const TokenIds> labels,
                           const RecognizeOptions& recognize = {});
/// Of strings, and of each recording by itself, as it is. The recordings' labels are the recogniser's. Throw the same.
SpeechScore score_strings(SpeechRecognizer& recognizer, std::span<const data::SpokenWord> words,
                          std::span<const data::SpokenString> strings, const data::SpokenStringOptions& options,
                          const RecognizeOptions& recognize = {});
SpeechScore score_words(SpeechRecognizer& recognizer, std::span<const data::SpokenWord> words,
                        const RecognizeOptions& recognize = {});

}  // namespace weft::seq2seq
