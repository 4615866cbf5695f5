#pragma once
// What a classifier's page shows of a text: what its attention weighs, and what each word adds to the decision.
#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "weft/base/error.hpp"
#include "weft/report/report.hpp"
#include "weft/seq2seq/attributions.hpp"
#include "weft/seq2seq/text_classifier.hpp"

namespace sentiment_pictures {

using namespace weft;
using Weights = std::vector<std::vector<double>>;  // of each sentence's words

/// A sentence's share is the sum of its words'.
inline std::vector<double> sums(const Weights& weights) {
  std::vector<double> result;
  for (const auto& sentence : weights) result.push_back(std::accumulate(sentence.begin(), sentence.end(), 0.0));
  return result;
}

inline void shade(report::Report& page, std::string title, const seq2seq::SentenceWords& words, const Weights& weights,
                  const std::vector<double>& of_sentences) {
  report::ShadedText text{.title = std::move(title), .lines = {}};
  for (std::size_t i = 0; i < words.size(); ++i) text.lines.push_back({words[i], weights[i], of_sentences[i]});
  page.shaded_text(text);
}

inline void begin(report::Report& page) {
  page.section("What the model looks at");
  page.text(
      "Attention's weights say where the model looks, a sentence's at the left of it. What each word adds to the logit of the "
      "class that the text is said to be of has a sign: it speaks for that class or against it. Integrated gradients are what "
      "the words add on the way from the text without them to all of it; gradient times input is what they add to first "
      "order.");
}

/// Three figures of one text.
inline void draw(report::Report& page, seq2seq::TextClassifier& classifier, const std::string& title,
                 const seq2seq::SentenceWords& words, const seq2seq::Classification& classified) {
  shade(page, title, words, classified.word_weights, classified.sentence_weights);
  const std::string& name = classifier.vocabulary().classes[static_cast<std::size_t>(classified.label)];
  try {
    const seq2seq::WordAttributions found =
        seq2seq::word_attributions(classifier.model(), classifier.encode(words), classified.label);
    shade(page, fmt::format("{}: for and against {}, by integrated gradients", title, name), words, found.integrated_gradients,
          sums(found.integrated_gradients));
    page.text(fmt::format(
        "Without the words the logit would be {:.4g} {}; the integrated gradients add up to that but for {:.1e} of the sum of "
        "their magnitudes.",
        std::abs(found.difference), found.difference < 0 ? "higher" : "lower", found.gap));
    shade(page, fmt::format("{}: for and against {}, by gradient times input", title, name), words, found.gradient_times_input,
          sums(found.gradient_times_input));
  } catch (const NumericError& error) {  // of a model that can't be integrated
    page.text(fmt::format("What its words add can't be said: {}", error.what()));
  }
}

}  // namespace sentiment_pictures
