#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "weft/data/documents.hpp"
#include "weft/seq2seq/text_classifier.hpp"
#include "weft/train/trainer.hpp"

namespace weft {

/// What makes weights the best: the held-out documents' loss, or how many of them are classified right.
enum class ClassificationScore : std::uint8_t { loss, accuracy };

struct ClassificationTaskOptions {
  std::int64_t documents = 16;  ///< of a batch
  double sentence_dropout = 0;  ///< share of a document's sentences that an epoch leaves out, others each time
  double label_smoothing = 0;
  ClassificationScore best_by = ClassificationScore::loss;
  std::uint64_t seed = 1;  ///< of the order of documents and what of them is left out
};

/// Training a classifier on documents of known classes; validated by loss and accuracy (percent) on others.
class ClassificationTask : public TrainingTask {
 public:
  /// Encodes the documents; `about` is more that the checkpoints say of themselves. Throws ValueError where there are none to
  /// train or to validate on, for a class that the classifier hasn't and options that can't be.
  ClassificationTask(seq2seq::TextClassifier& classifier, std::span<const data::Document> train,
                     std::span<const data::Document> validation, const ClassificationTaskOptions& options = {},
                     Metadata about = {});

  nn::ModuleBase& model() override { return classifier_.model(); }
  std::int64_t begin_epoch(std::int64_t epoch) override;
  /// Its tokens are documents.
  StepLoss step(std::int64_t index) override;
  ValidationResult validate() override;
  Metadata metadata() const override;
  Metadata settings() const override { return settings_; }
  bool has_perplexity() const override { return false; }

 private:
  struct Documents {
    std::vector<seq2seq::Sentences> texts;
    std::vector<std::int64_t> labels;
  };
  Documents encoded(std::span<const data::Document> documents, const char* what) const;
  /// What the epoch keeps of a document.
  seq2seq::Sentences kept(std::size_t document) const;
  Var logits_of(std::span<const seq2seq::Sentences> texts);

  seq2seq::TextClassifier& classifier_;
  ClassificationTaskOptions options_;
  Documents train_, validation_;
  Metadata settings_, about_;
  std::int64_t epoch_ = 0;
  std::vector<std::size_t> order_;  // of this epoch
};

}  // namespace weft
