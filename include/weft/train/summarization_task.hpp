#pragma once
#include <string>
#include <vector>

#include "weft/data/batching.hpp"
#include "weft/data/parallel_text.hpp"
#include "weft/seq2seq/summarizer.hpp"
#include "weft/train/pairs_task.hpp"

namespace weft {

struct SummarizationTaskOptions {
  data::BatchOptions batching = {};  ///< its max_length at least validation.max_source, to which all sources are cut
  double label_smoothing = 0;        ///< of models that don't copy
  seq2seq::SummarizeOptions validation = {.search = {.beam = 1, .max_length = 30}};
};

/// Training a summarizer on texts (source) with their summaries (target); validated by loss and, as the score, the mean of
/// ROUGE-1, ROUGE-2 and ROUGE-L (F1) of its own summaries, by words as seq2seq::as_words parts them.
class SummarizationTask : public PairsTask {
 public:
  /// Encodes both texts; `about` is more that the checkpoints say of themselves. Throws ValueError where a text is empty or a
  /// source may be longer than a batch's longest.
  SummarizationTask(seq2seq::Summarizer& summarizer, const data::ParallelText& train, const data::ParallelText& validation,
                    const SummarizationTaskOptions& options = {}, Metadata about = {});

  ValidationResult validate() override;
  Metadata metadata() const override;

 private:
  seq2seq::Summarizer& summarizer_;
  SummarizationTaskOptions options_;
  Metadata about_;
  std::vector<std::string> valid_text_, valid_reference_;
};

}  // namespace weft
