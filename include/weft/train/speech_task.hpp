#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/data/spec_augment.hpp"
#include "weft/data/spoken_strings.hpp"
#include "weft/seq2seq/speech_score.hpp"
#include "weft/train/trainer.hpp"

namespace weft {

struct SpeechTaskOptions {
  data::SpokenStringOptions strings = {.strings = 1500, .min_words = 1};  ///< of an epoch; their part is data::Part::training
  data::SpokenStringOptions validation = {.strings = 200};                ///< and of these data::Part::validation
  std::int64_t batch = 16;                                                ///< strings of a step, of like length
  data::SpecAugmentOptions masks = {};                                    ///< of the training strings
  double label_smoothing = 0;                                             ///< of the attention model
  std::string unit = "words";                                             ///< what the speed counts, where they are others
};

/// Strings whose labels have no place in their steps.
struct StringsLeftOut {
  std::int64_t count = 0, all = 0;  ///< how many of how many
  std::string first;                ///< the first of them by its recordings, with its number of steps; "" where there is none
};

/// Training a speech recogniser on strings of recorded words that are put together anew for each epoch; validated by the loss
/// and the word error of strings that stay. The score is 100 less the word error. Strings whose labels don't fit into their
/// steps are left out and counted.
class SpeechTask : public TrainingTask {
 public:
  /// Learns the recogniser's normalisation from the training recordings. Recordings must outlive the task. Throws ValueError
  /// where there is nothing to train or validate on, labels that the recogniser hasn't, and options that can't be.
  SpeechTask(seq2seq::SpeechRecognizer& recognizer, const std::vector<data::SpokenWord>& train,
             const std::vector<data::SpokenWord>& validation, const SpeechTaskOptions& options = {});

  nn::ModuleBase& model() override { return recognizer_; }
  /// Throws ValueError where no string is left.
  std::int64_t begin_epoch(std::int64_t epoch) override;
  /// Its words are those of the strings.
  StepLoss step(std::int64_t index) override;
  ValidationResult validate() override;
  Metadata metadata() const override { return recognizer_.metadata(); }
  Metadata settings() const override { return settings_; }
  std::string unit() const override { return options_.unit; }
  bool has_perplexity() const override { return recognizer_.options().model == seq2seq::SpeechModel::attention; }

  /// Of the epochs begun since the task was made, of the first epoch, known before it begins, and of the validation.
  const StringsLeftOut& left_out() const { return left_out_; }
  const StringsLeftOut& first_epoch_left_out() const { return first_epoch_left_out_; }
  const StringsLeftOut& validation_left_out() const { return validation_left_out_; }

 private:
  /// Those of the strings that have a place for their labels; the others go to `left_out`.
  std::vector<data::SpokenString> fitting(std::span<const data::SpokenWord> words, std::vector<data::SpokenString> strings,
                                          StringsLeftOut& left_out) const;

  seq2seq::SpeechRecognizer& recognizer_;
  const std::vector<data::SpokenWord>&train_, &validation_;
  SpeechTaskOptions options_;
  std::vector<data::SpokenString> validation_strings_;
  Metadata settings_;
  StringsLeftOut left_out_, first_epoch_left_out_, validation_left_out_;
  std::vector<data::SpokenString> strings_;        // of this epoch
  std::vector<std::vector<std::size_t>> batches_;  // of them
};

}  // namespace weft
