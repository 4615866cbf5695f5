#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "weft/explain/integrated_gradients.hpp"
#include "weft/seq2seq/document_classifier.hpp"
#include "weft/seq2seq/language_model.hpp"

namespace weft::seq2seq {

// What words add to an output. A word's input is how much of its vector is there: 1, and 0 where the word is taken away. So its
// share is the sum over its vector of what weft/explain/ gives for each element.

/// What each word of a text adds to a class's logit, above 0 where it speaks for the class.
struct WordAttributions {
  std::vector<std::vector<double>> gradient_times_input, integrated_gradients;  ///< of each sentence's words
  double difference = 0;  ///< the logit less that of the text without its words: what the integrated gradients add up to,
  double gap = 0;         ///< but for this share of the sum of their magnitudes
};

/// Throws ValueError for a model in training mode, IndexError for a label that no class has, NumericError where the gap can't
/// be brought under the options' tolerance, and as make_batch.
WordAttributions word_attributions(DocumentClassifier& model, const Sentences& text, std::int64_t label,
                                   const explain::IntegratedGradientsOptions& options = {});

/// What each token but the last adds to the log probability of the last behind them, to first order (gradient times input).
/// Throws ValueError for less than two tokens and a model in training mode.
std::vector<double> context_attributions(LanguageModel& model, std::span<const std::int32_t> ids);

}  // namespace weft::seq2seq
