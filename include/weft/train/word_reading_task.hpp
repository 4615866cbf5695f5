#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "weft/data/batching.hpp"
#include "weft/data/letter_images.hpp"
#include "weft/metrics/error_rate.hpp"
#include "weft/seq2seq/word_reader.hpp"
#include "weft/train/trainer.hpp"

namespace weft {

struct WordReadingTaskOptions {
  data::BatchOptions batching = {.max_tokens = 1024};  ///< tokens: images and letters
  std::int64_t shift = 1;                              ///< in training each image is moved by up to so many pixels each way
  double label_smoothing = 0.1;
};

/// Training a reader of words; validated by its loss on other words and by 100 minus the letter error of its own readings.
class WordReadingTask : public TrainingTask {
 public:
  /// `about` is more that the checkpoints say of themselves. Throws ValueError where there is nothing to train or validate on,
  /// for a shift out of range and as TokenBatcher does.
  WordReadingTask(seq2seq::WordReader& reader, std::span<const data::LetterWord> train,
                  std::span<const data::LetterWord> validation, const WordReadingTaskOptions& options = {},
                  Metadata about = {});

  nn::ModuleBase& model() override { return reader_; }
  std::int64_t begin_epoch(std::int64_t epoch) override;
  StepLoss step(std::int64_t index) override;
  ValidationResult validate() override;
  Metadata metadata() const override;
  Metadata settings() const override { return settings_; }

  /// How many of the words to train on have more than batching.max_length letters and are left out.
  std::int64_t left_out() const { return batcher_.dropped_long(); }

 private:
  seq2seq::WordReader& reader_;
  std::vector<data::LetterWord> train_, validation_;
  WordReadingTaskOptions options_;
  std::vector<seq2seq::TokenIds> train_ids_, validation_ids_;
  data::TokenBatcher batcher_;
  Metadata settings_, about_;
  std::int64_t epoch_ = 0;
  std::vector<data::Batch> batches_;
};

/// What a reader makes of words whose text is known.
struct WordScore {
  metrics::ErrorRate letters;  ///< of all letters: edits (Levenshtein) between what is read and the text, word by word
  std::int64_t words = 0, right = 0;
  std::vector<std::string> read;  ///< in the order of the words
};

/// Throws ValueError for no words, and what WordReader::transcribe throws.
WordScore score_words(seq2seq::WordReader& reader, std::span<const data::LetterWord> words,
                      const seq2seq::BeamSearchOptions& search = {.beam = 1});

}  // namespace weft
