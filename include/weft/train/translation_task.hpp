#pragma once
#include <cstdint>
#include <vector>

#include "weft/data/batching.hpp"
#include "weft/data/parallel_text.hpp"
#include "weft/metrics/bleu.hpp"
#include "weft/seq2seq/translator.hpp"
#include "weft/train/pairs_task.hpp"

namespace weft {

struct TranslationTaskOptions {
  data::BatchOptions batching = {};
  double label_smoothing = 0.1;
  double scheduled_sampling = 0;     ///< share of the decoder's inputs that are its own tokens (seq2seq::scheduled_sampling)
  std::int64_t sampling_epochs = 0;  ///< in which that share grows linearly from 0
  std::int64_t validation_sentences = 1000;  ///< of which BLEU is taken, from the first
  seq2seq::TranslateOptions validation = {.search = {.beam = 1}};
  metrics::BleuOptions bleu = {};
};

/// Training a translator on pairs of sentences; validated by loss and BLEU of its own translations.
class TranslationTask : public PairsTask {
 public:
  /// Encodes both texts. Throws ValueError where a text is empty.
  TranslationTask(seq2seq::Translator& translator, const data::ParallelText& train, const data::ParallelText& validation,
                  const TranslationTaskOptions& options = {});

  ValidationResult validate() override;
  Metadata metadata() const override;

 private:
  seq2seq::Translator& translator_;
  TranslationTaskOptions options_;
  std::vector<std::string> valid_text_, valid_reference_;
};

}  // namespace weft
