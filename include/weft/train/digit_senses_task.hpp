#pragma once
#include <cstdint>
#include <vector>

#include "weft/data/digit_pairs.hpp"
#include "weft/data/log_mel.hpp"
#include "weft/seq2seq/digit_senses.hpp"
#include "weft/train/trainer.hpp"

namespace weft {

/// Pairs as rows of a batch, numbers first to first + count - 1 of `pairs`.
struct DigitPairBatch {
  std::vector<data::DigitPair> pairs;
  Tensor sound;    ///< f32 [count, frames, bands], log-mel energies, zeros behind the lengths
  Tensor lengths;  ///< i64 [count]
  Tensor images;   ///< f32 [count, height, width]
  Tensor labels;   ///< i64 [count]
};
/// Throws ValueError unless count is positive.
DigitPairBatch digit_pair_batch(const data::DigitPairs& pairs, const data::LogMel& log_mel, std::uint64_t first,
                                std::int64_t count);

struct SensesScore {
  /// Of the pairs whose sound, or whose image, is spoilt.
  struct Part {
    std::int64_t pairs = 0, right = 0;
    double gate = 0;  ///< how much the sound counted, in the mean; 0 of models without a gate
  };
  Part sound_spoilt, image_spoilt;
  std::int64_t pairs() const { return sound_spoilt.pairs + image_spoilt.pairs; }
  std::int64_t right() const { return sound_spoilt.right + image_spoilt.right; }
};

/// Of pairs 0 to count - 1. Nothing is recorded. Throws ValueError unless count is positive, and what the model throws.
SensesScore score_senses(seq2seq::DigitSenses& model, const data::DigitPairs& pairs, const data::LogMel& log_mel,
                         std::int64_t count);

struct DigitSensesTaskOptions {
  std::int64_t batch = 32;           ///< pairs
  std::int64_t epoch_batches = 100;  ///< no pair comes twice, so an epoch is as long as it is told to be
  std::int64_t validation_pairs = 500;
};

/// Training a namer of digits on pairs without end; validated by its loss and the share, in percent, that it names rightly.
class DigitSensesTask : public TrainingTask {
 public:
  /// All outlive the task; `about` is more that the checkpoints say of themselves. Throws ValueError for options that aren't
  /// positive and for bands, images and classes that don't fit the model.
  DigitSensesTask(seq2seq::DigitSenses& model, const data::LogMel& log_mel, const data::DigitPairs& train,
                  const data::DigitPairs& validation, const DigitSensesTaskOptions& options = {}, Metadata about = {});

  nn::ModuleBase& model() override { return model_; }
  std::int64_t begin_epoch(std::int64_t epoch) override;
  /// Its tokens and words are pairs.
  StepLoss step(std::int64_t index) override;
  ValidationResult validate() override;
  Metadata metadata() const override;
  Metadata settings() const override { return settings_; }
  std::string unit() const override { return "pairs"; }
  bool has_perplexity() const override { return false; }

 private:
  seq2seq::DigitSenses& model_;
  const data::LogMel& log_mel_;
  const data::DigitPairs &train_, &validation_;
  DigitSensesTaskOptions options_;
  Metadata settings_, about_;
  std::int64_t epoch_ = 0;
};

}  // namespace weft
