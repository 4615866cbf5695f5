#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/data/batching.hpp"
#include "weft/data/parallel_text.hpp"
#include "weft/seq2seq/model.hpp"
#include "weft/train/trainer.hpp"

namespace weft {

/// Texts as a model's tokens: source i goes with target i.
struct TokenPairs {
  std::vector<seq2seq::TokenIds> source, target;
};

struct PairsTaskOptions {
  data::BatchOptions batching = {};
  double label_smoothing = 0;
  double scheduled_sampling = 0;     ///< share of the decoder's inputs that are its own tokens (seq2seq::scheduled_sampling)
  std::int64_t sampling_epochs = 0;  ///< in which that share grows linearly from 0
};

/// What learning from pairs of texts has in common: batches of like lengths, their loss, and that of held-out pairs.
class PairsTask : public TrainingTask {
 public:
  nn::ModuleBase& model() override { return model_; }
  std::int64_t begin_epoch(std::int64_t epoch) override;
  /// Its words are those of the target text, as white space parts them, however many tokens they have.
  StepLoss step(std::int64_t index) override;
  /// The batching's options, checksums of both texts, and what the task adds.
  Metadata settings() const override { return settings_; }

  const data::TokenBatcher& batcher() const { return batcher_; }

 protected:
  struct Texts {
    const data::ParallelText& train;
    const data::ParallelText& validation;
  };
  /// `name` stands for the task in errors; it must stay. Throws ValueError where a text is empty or its sides differ, and for
  /// options that can't be.
  PairsTask(const char* name, seq2seq::Model& model, const Texts& texts, TokenPairs train, TokenPairs validation,
            const PairsTaskOptions& options);

  /// The mean loss of a held-out token, without label smoothing.
  double validation_loss();
  void add_settings(const Metadata& more) { settings_.insert(more.begin(), more.end()); }

 private:
  struct Loss {
    Var mean;
    std::int64_t tokens;
  };
  Loss loss_of(const seq2seq::Batch& batch, double smoothing);
  double sampling_share(std::int64_t index) const;

  seq2seq::Model& model_;
  PairsTaskOptions options_;
  TokenPairs train_, validation_;
  std::vector<std::int64_t> target_words_;  // of each pair
  data::TokenBatcher batcher_;
  Metadata settings_;
  std::vector<data::Batch> batches_;
  std::int64_t epoch_ = 0;
};

}  // namespace weft
