#include "weft/train/translation_task.hpp"

#include <algorithm>

#include "train/describe_search.hpp"

namespace weft {
namespace {

std::vector<seq2seq::TokenIds> encoded(const text::SentencePiece& vocabulary, const std::vector<std::string>& lines) {
  std::vector<seq2seq::TokenIds> result;
  result.reserve(lines.size());
  for (const std::string& line : lines) result.push_back(vocabulary.encode(line));
  return result;
}

// What decoding was told beyond beam and lengths; nothing where that is nothing, so that older runs go on.
std::string further(const seq2seq::TranslateOptions& options) {
  std::string text = search_details(options.search);
  if (const auto& sample = options.sample)
    text += fmt::format(", {} samples, temperature {}, top k {}, top p {}, no {}-gram twice, max length {}, seed {}",
                        sample->samples, sample->filter.temperature, sample->filter.top_k, sample->filter.top_p,
                        sample->no_repeat_ngram, sample->max_length, sample->seed);
  if (options.minimum_bayes_risk)
    text += options.minimum_bayes_risk->utility == seq2seq::Utility::bleu ? ", minimum Bayes risk by BLEU"
                                                                          : ", minimum Bayes risk by chrF";
  if (options.minimum_bayes_risk && options.minimum_bayes_risk->lowercase) text += " in lower case";
  for (const std::string& prefix : options.prefixes) text += fmt::format(", prefix '{}'", prefix);
  return text;
}

Metadata settings_of(const TranslationTaskOptions& o) {
  const auto& search = o.validation.search;
  return {{"validation.sentences", fmt::to_string(o.validation_sentences)},
          {"validation.search", fmt::format("beam {}, length penalty {}, max length {}, max source {}, batch {}{}", search.beam,
                                            search.length_penalty, search.max_length, o.validation.max_source,
                                            o.validation.batch, further(o.validation))},
          {"validation.bleu", fmt::format("tokenize {}, lowercase {}, smooth {} {}, order {}, effective order {}",
                                          metrics::name(o.bleu.tokenize), o.bleu.lowercase, metrics::name(o.bleu.smooth),
                                          o.bleu.smooth_value.value_or(0), o.bleu.max_order, o.bleu.effective_order)}};
}

TokenPairs encoded(const seq2seq::Vocabularies& vocabularies, const data::ParallelText& text) {
  return {encoded(vocabularies.source, text.source), encoded(vocabularies.target, text.target)};
}

}  // namespace

TranslationTask::TranslationTask(seq2seq::Translator& translator, const data::ParallelText& train,
                                 const data::ParallelText& validation, const TranslationTaskOptions& options)
    : PairsTask("TranslationTask", translator.model(), {train, validation}, encoded(translator.vocabularies(), train),
                encoded(translator.vocabularies(), validation),
                {.batching = options.batching,
                 .label_smoothing = options.label_smoothing,
                 .scheduled_sampling = options.scheduled_sampling,
                 .sampling_epochs = options.sampling_epochs}),
      translator_(translator),
      options_(options) {
  add_settings(settings_of(options));
  const auto count =
      std::min(validation.size(), static_cast<std::size_t>(std::max<std::int64_t>(options.validation_sentences, 1)));
  valid_text_.assign(validation.source.begin(), validation.source.begin() + static_cast<std::ptrdiff_t>(count));
  valid_reference_.assign(validation.target.begin(), validation.target.begin() + static_cast<std::ptrdiff_t>(count));
}

ValidationResult TranslationTask::validate() {
  const double loss = validation_loss();
  std::vector<std::string> translations;
  for (auto& translation : translator_.translate(valid_text_, options_.validation))
    translations.push_back(std::move(translation.text));
  return {loss, metrics::bleu(translations, {valid_reference_}, options_.bleu).score};
}

Metadata TranslationTask::metadata() const { return translator_.metadata(); }

}  // namespace weft
