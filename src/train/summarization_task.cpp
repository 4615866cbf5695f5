#include "weft/train/summarization_task.hpp"

#include "base/fail.hpp"
#include "train/describe_search.hpp"
#include "weft/metrics/rouge.hpp"

namespace weft {
namespace {

constexpr const char* where = "SummarizationTask";

TokenPairs encoded(const seq2seq::Summarizer& summarizer, const data::ParallelText& text, std::int64_t max_source) {
  check<ValueError>(text.source.size() == text.target.size(), where, "{} texts, but {} summaries", text.source.size(),
                    text.target.size());
  TokenPairs pairs;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto source = summarizer.encode_source(text.source[i], max_source);
    pairs.target.push_back(summarizer.encode_summary(text.target[i], source));
    pairs.source.push_back(std::move(source.ids));
  }
  return pairs;
}

const SummarizationTaskOptions& checked(const SummarizationTaskOptions& options) {
  check<ValueError>(options.validation.max_source <= options.batching.max_length, where,
                    "max_source {} is more than the {} words that a batch takes of a text", options.validation.max_source,
                    options.batching.max_length);
  return options;
}

}  // namespace

SummarizationTask::SummarizationTask(seq2seq::Summarizer& summarizer, const data::ParallelText& train,
                                     const data::ParallelText& validation, const SummarizationTaskOptions& options,
                                     Metadata about)
    : PairsTask(where, summarizer.model(), {train, validation},
                encoded(summarizer, train, checked(options).validation.max_source),
                encoded(summarizer, validation, options.validation.max_source),
                {.batching = options.batching, .label_smoothing = options.label_smoothing}),
      summarizer_(summarizer),
      options_(options),
      about_(std::move(about)),
      valid_text_(validation.source) {
  for (const std::string& summary : validation.target) valid_reference_.push_back(seq2seq::as_words(summary));
  const auto& search = options.validation.search;
  add_settings(
      {{"validation.search",
        fmt::format("beam {}, length penalty {}, max length {}, max source {}, batch {}{}", search.beam, search.length_penalty,
                    search.max_length, options.validation.max_source, options.validation.batch, search_details(search))}});
}

ValidationResult SummarizationTask::validate() {
  const double loss = validation_loss();
  std::vector<std::string> summaries;
  for (auto& summary : summarizer_.summarize(valid_text_, options_.validation)) summaries.push_back(std::move(summary.text));
  const std::vector<std::vector<std::string>> references = {valid_reference_};
  const metrics::RougeOptions as_they_are{.tokenize = metrics::Tokenization::none};
  const double score =
      (metrics::rouge_n(summaries, references, 1, as_they_are).f1 + metrics::rouge_n(summaries, references, 2, as_they_are).f1 +
       metrics::rouge_l(summaries, references, as_they_are).f1) /
      3;
  return {loss, score};
}

Metadata SummarizationTask::metadata() const {
  Metadata metadata = summarizer_.metadata();
  metadata.insert(about_.begin(), about_.end());
  return metadata;
}

}  // namespace weft
