#include "weft/seq2seq/speech_score.hpp"

#include <string>
#include <vector>

#include "base/fail.hpp"

namespace weft::seq2seq {
namespace {

std::string text_of(const SpeechRecognizer& recognizer, const TokenIds& labels) {
  const std::vector<std::string>& names = recognizer.options().labels;
  std::string text;
  for (const std::int32_t label : labels) {
    check<IndexError>(label >= 0 && static_cast<std::size_t>(label) < names.size(), "SpeechScore",
                      "a recording's label {} is outside the recogniser's 0..{}", label, names.size() - 1);
    text += (text.empty() ? "" : " ") + names[static_cast<std::size_t>(label)];
  }
  return text;
}

}  // namespace

SpeechScore score_features(SpeechRecognizer& recognizer, std::span<const Tensor> features, std::span<const TokenIds> labels,
                           const RecognizeOptions& recognize) {
  check<ValueError>(features.size() == labels.size(), "SpeechScore", "{} sounds, but labels of {}", features.size(),
                    labels.size());
  std::vector<std::string> texts, references;
  for (const TokenIds& said : labels) references.push_back(text_of(recognizer, said));
  SpeechScore result;
  for (const Recognition& heard : recognizer.recognize(features, recognize)) {
    result.correct += heard.text == references[texts.size()] ? 1 : 0;
    texts.push_back(heard.text);
  }
  result.sounds = static_cast<std::int64_t>(texts.size());
  result.words = metrics::wer(texts, references);
  return result;
}

SpeechScore score_strings(SpeechRecognizer& recognizer, std::span<const data::SpokenWord> words,
                          std::span<const data::SpokenString> strings, const data::SpokenStringOptions& options,
                          const RecognizeOptions& recognize) {
  std::vector<Tensor> features;
  std::vector<TokenIds> labels;
  for (const data::SpokenString& string : strings) {
    features.push_back(recognizer.features(data::joined(words, string, options)));
    labels.push_back(data::labels_of(words, string));
  }
  return score_features(recognizer, features, labels, recognize);
}

SpeechScore score_words(SpeechRecognizer& recognizer, std::span<const data::SpokenWord> words,
                        const RecognizeOptions& recognize) {
  std::vector<Tensor> features;
  std::vector<TokenIds> labels;
  for (const data::SpokenWord& word : words) {
    features.push_back(recognizer.features(word.samples));
    labels.push_back({word.label});
  }
  return score_features(recognizer, features, labels, recognize);
}

}  // namespace weft::seq2seq
