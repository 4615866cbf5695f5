#pragma once
#include <cstdint>
#include <vector>

#include "weft/data/batching.hpp"
#include "weft/data/parallel_text.hpp"
#include "weft/metrics/bleu.hpp"
#include "weft/seq2seq/translator.hpp"
#include "weft/train/trainer.hpp"

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
class TranslationTask : public TrainingTask {
 public:
  /// Encodes both texts. Throws ValueError where a text is empty.
  TranslationTask(seq2seq::Translator& translator, const data::ParallelText& train, const data::ParallelText& validation,
                  const TranslationTaskOptions& options = {});

  nn::ModuleBase& model() override { return translator_.model(); }
  std::int64_t begin_epoch(std::int64_t epoch) override;
  /// Its words are those of the target text, as white space parts them, however many pieces they have.
  StepLoss step(std::int64_t index) override;
  ValidationResult validate() override;
  Metadata metadata() const override;
  /// The batching's options, checksums of both texts, what is learned and how it is validated.
  Metadata settings() const override { return settings_; }

  const data::TokenBatcher& batcher() const { return batcher_; }

 private:
  struct Loss {
    Var mean;
    std::int64_t tokens;
  };
  Loss loss_of(const seq2seq::Batch& batch, double smoothing);
  double sampling_share(std::int64_t index) const;

  seq2seq::Translator& translator_;
  TranslationTaskOptions options_;
  std::vector<seq2seq::TokenIds> source_, target_, valid_source_, valid_target_;
  std::vector<std::int64_t> target_words_;  // of each sentence
  std::vector<std::string> valid_text_, valid_reference_;
  data::TokenBatcher batcher_;
  Metadata settings_;
  std::vector<data::Batch> batches_;
  std::int64_t epoch_ = 0;
};

}  // namespace weft
