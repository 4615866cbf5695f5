#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "weft/seq2seq/language_model.hpp"
#include "weft/text/symbols.hpp"
#include "weft/train/trainer.hpp"

namespace weft {

struct LanguageModelTaskOptions {
  std::int64_t rows = 32;    ///< parts of the text that are read next to each other
  std::int64_t window = 64;  ///< tokens of each in one step
};

/// Training a language model on a text; validated by seq2seq::language_model_loss of another one. The windows of each epoch
/// begin at another token. The state of an LSTM or GRU goes on from window to window, and with a checkpoint.
class LanguageModelTask : public TrainingTask {
 public:
  /// Throws ValueError for texts that are too short, FormatError for one that isn't UTF-8.
  LanguageModelTask(seq2seq::LanguageModel& model, const text::Symbols& symbols, std::string_view train,
                    std::string_view validation, const LanguageModelTaskOptions& options = {});

  nn::ModuleBase& model() override { return model_; }
  std::int64_t begin_epoch(std::int64_t epoch) override;
  /// Its words are tokens.
  StepLoss step(std::int64_t index) override;
  ValidationResult validate() override;
  Metadata metadata() const override;
  Metadata settings() const override { return settings_; }
  std::string unit() const override { return "tokens"; }
  StateDict carried() const override;
  void carry(const StateDict& carried) override;

  /// Tokens of the text that isn't trained on.
  std::span<const std::int32_t> validation() const { return validation_; }

 private:
  seq2seq::LanguageModel& model_;
  const text::Symbols& symbols_;
  LanguageModelTaskOptions options_;
  std::vector<std::int32_t> train_, validation_;
  Metadata settings_;
  std::optional<seq2seq::TextWindows> windows_;  // of this epoch
  LSTMState state_;
};

}  // namespace weft
