#include "weft/seq2seq/speech_score.hpp"

#include <string>
#include <vector>

#include "base/fail.hpp"

namespace weft::seq2seq {
namespace {

std::string text_of(const SpeechRecognizer& recognizer, const std::vector<std::int32_t>& labels) {
  const std::vector<std::string>& names = recognizer.options().labels;
  std::string text;
  for (const std::int32_t label : labels) {
    check<IndexError>(label >= 0 && static_cast<std::size_t>(label) < names.size(), "SpeechScore",
                      "a recording's label {} is outside the recogniser's 0..{}", label, names.size() - 1);
    text += (text.empty() ? "" : " ") + names[static_cast<std::size_t>(label)];
  }
  return text;
}

SpeechScore score(SpeechRecognizer& recognizer, const std::vector<Tensor>& features, const std::vector<std::string>& references,
                  const RecognizeOptions& options) {
  std::vector<std::string> texts;
  SpeechScore result;
  for (const Recognition& heard : recognizer.recognize(features, options)) {
    result.correct += heard.text == references[texts.size()] ? 1 : 0;
    texts.push_back(heard.text);
  }
  result.sounds = static_cast<std::int64_t>(texts.size());
  result.words = metrics::wer(texts, references);
  return result;
}

}  // namespace

SpeechScore score_strings(SpeechRecognizer& recognizer, std::span<const data::SpokenWord> words,
                          std::span<const data::SpokenString> strings, const data::SpokenStringOptions& options,
                          const RecognizeOptions& recognize) {
  std::vector<Tensor> features;
  std::vector<std::string> references;
  for (const data::SpokenString& string : strings) {
    features.push_back(recognizer.features(data::joined(words, string, options)));
    references.push_back(text_of(recognizer, data::labels_of(words, string)));
  }
  return score(recognizer, features, references, recognize);
}

SpeechScore score_words(SpeechRecognizer& recognizer, std::span<const data::SpokenWord> words,
                        const RecognizeOptions& recognize) {
  std::vector<Tensor> features;
  std::vector<std::string> references;
  for (const data::SpokenWord& word : words) {
    features.push_back(recognizer.features(word.samples));
    references.push_back(text_of(recognizer, {word.label}));
  }
  return score(recognizer, features, references, recognize);
}

}  // namespace weft::seq2seq
