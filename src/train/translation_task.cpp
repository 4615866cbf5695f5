#include "weft/train/translation_task.hpp"

#include <algorithm>
#include <boost/crc.hpp>

#include "base/fail.hpp"
#include "weft/seq2seq/scheduled_sampling.hpp"

namespace weft {
namespace {

std::vector<seq2seq::TokenIds> encoded(const text::SentencePiece& vocabulary, const std::vector<std::string>& lines) {
  std::vector<seq2seq::TokenIds> result;
  result.reserve(lines.size());
  for (const std::string& line : lines) result.push_back(vocabulary.encode(line));
  return result;
}

std::int64_t words_in(const std::string& line) {
  std::int64_t words = 0;
  bool inside = false;
  for (const char c : line) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return words;
}

std::string checksum(const data::ParallelText& text) {
  boost::crc_32_type crc;
  for (const auto* lines : {&text.source, &text.target})
    for (const std::string& line : *lines) crc.process_bytes(line.c_str(), line.size() + 1);  // its end too
  return fmt::format("{} pairs, crc32 {:08x}", text.size(), crc.checksum());
}

seq2seq::Batch batch_of(const std::vector<seq2seq::TokenIds>& source, const std::vector<seq2seq::TokenIds>& target,
                        std::span<const std::int64_t> rows) {
  PoolVector<const seq2seq::TokenIds*> sources, targets;
  for (const std::int64_t row : rows) {
    sources.push_back(&source[static_cast<std::size_t>(row)]);
    targets.push_back(&target[static_cast<std::size_t>(row)]);
  }
  return seq2seq::make_batch(sources, targets);
}

// What decoding was told beyond beam and lengths; nothing where that is nothing, so that older runs go on.
std::string further(const seq2seq::TranslateOptions& options) {
  const seq2seq::BeamSearchOptions& search = options.search;
  const seq2seq::BeamSearchOptions usual;
  std::string text;
  if (search.length_normalisation != usual.length_normalisation) text += ", gnmt";
  if (search.coverage_penalty != usual.coverage_penalty) text += fmt::format(", coverage {}", search.coverage_penalty);
  if (search.no_repeat_ngram != usual.no_repeat_ngram) text += fmt::format(", no {}-gram twice", search.no_repeat_ngram);
  if (search.diverse_groups != usual.diverse_groups)
    text += fmt::format(", {} groups, diversity {}", search.diverse_groups, search.diversity_strength);
  if (const auto& sample = options.sample)
    text += fmt::format(", {} samples, temperature {}, top k {}, top p {}, no {}-gram twice, max length {}, seed {}",
                        sample->samples, sample->filter.temperature, sample->filter.top_k, sample->filter.top_p,
                        sample->no_repeat_ngram, sample->max_length, sample->seed);
  if (options.minimum_bayes_risk)
    text += options.minimum_bayes_risk->utility == seq2seq::Utility::bleu ? ", minimum Bayes risk by BLEU"
                                                                          : ", minimum Bayes risk by chrF";
  for (const std::string& prefix : options.prefixes) text += fmt::format(", prefix '{}'", prefix);
  return text;
}

Metadata settings_of(const TranslationTaskOptions& o, const data::ParallelText& train, const data::ParallelText& validation) {
  const auto& search = o.validation.search;
  const auto text = [](const auto& value) { return fmt::to_string(value); };
  Metadata settings = {
      {"training_text", checksum(train)},
      {"validation_text", checksum(validation)},
      {"label_smoothing", text(o.label_smoothing)},
      {"batching.max_tokens", text(o.batching.max_tokens)},
      {"batching.max_sentences", text(o.batching.max_sentences)},
      {"batching.pool_size", text(o.batching.pool_size)},
      {"batching.max_length", text(o.batching.max_length)},
      {"batching.truncate", text(o.batching.truncate)},
      {"batching.seed", text(o.batching.seed)},
      {"validation.sentences", text(o.validation_sentences)},
      {"validation.search",
       fmt::format("beam {}, length penalty {}, max length {}, max source {}, batch {}{}", search.beam, search.length_penalty,
                   search.max_length, o.validation.max_source, o.validation.batch, further(o.validation))},
      {"validation.bleu", fmt::format("tokenize {}, lowercase {}, smooth {} {}, order {}, effective order {}",
                                      metrics::name(o.bleu.tokenize), o.bleu.lowercase, metrics::name(o.bleu.smooth),
                                      o.bleu.smooth_value.value_or(0), o.bleu.max_order, o.bleu.effective_order)}};
  if (o.scheduled_sampling > 0)  // older runs go on
    settings["scheduled_sampling"] = fmt::format("{}, after {} epochs", o.scheduled_sampling, o.sampling_epochs);
  return settings;
}

}  // namespace

TranslationTask::TranslationTask(seq2seq::Translator& translator, const data::ParallelText& train,
                                 const data::ParallelText& validation, const TranslationTaskOptions& options)
    : translator_(translator),
      options_(options),
      source_(encoded(translator.vocabularies().source, train.source)),
      target_(encoded(translator.vocabularies().target, train.target)),
      valid_source_(encoded(translator.vocabularies().source, validation.source)),
      valid_target_(encoded(translator.vocabularies().target, validation.target)),
      batcher_(source_, target_, options.batching),
      settings_(settings_of(options, train, validation)) {
  if (options.batching.truncate) {
    for (auto* rows : {&source_, &target_})
      for (auto& ids : *rows) ids.resize(std::min(ids.size(), static_cast<std::size_t>(options.batching.max_length)));
  }
  for (const std::string& line : train.target) target_words_.push_back(words_in(line));
  check<ValueError>(options.scheduled_sampling >= 0 && options.scheduled_sampling <= 1 && options.sampling_epochs >= 0,
                    "TranslationTask",
                    "scheduled_sampling is {} and sampling_epochs {}; a probability and 0 or more are needed",
                    options.scheduled_sampling, options.sampling_epochs);
  check<ValueError>(validation.source.size() == validation.target.size(), "TranslationTask",
                    "{} source sentences to validate on, but {} target sentences", validation.source.size(),
                    validation.target.size());
  check<ValueError>(validation.size() > 0, "TranslationTask", "there is nothing to validate on");
  const auto count =
      std::min(validation.size(), static_cast<std::size_t>(std::max<std::int64_t>(options.validation_sentences, 1)));
  valid_text_.assign(validation.source.begin(), validation.source.begin() + static_cast<std::ptrdiff_t>(count));
  valid_reference_.assign(validation.target.begin(), validation.target.begin() + static_cast<std::ptrdiff_t>(count));
}

std::int64_t TranslationTask::begin_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  batches_ = batcher_.batches(static_cast<std::uint64_t>(epoch));
  return static_cast<std::int64_t>(batches_.size());
}

TranslationTask::Loss TranslationTask::loss_of(const seq2seq::Batch& batch, double smoothing) {
  return {translator_.model().loss(batch, smoothing), batch.target_tokens};
}

double TranslationTask::sampling_share(std::int64_t index) const {
  if (options_.sampling_epochs == 0) return options_.scheduled_sampling;
  const double passed =
      static_cast<double>(epoch_) + static_cast<double>(index) / static_cast<double>(std::max<std::size_t>(batches_.size(), 1));
  return options_.scheduled_sampling * std::min(passed / static_cast<double>(options_.sampling_epochs), 1.0);
}

StepLoss TranslationTask::step(std::int64_t index) {
  const data::Batch& rows = batches_[static_cast<std::size_t>(index)];
  const seq2seq::Batch batch =
      seq2seq::scheduled_sampling(translator_.model(), batch_of(source_, target_, rows), sampling_share(index));
  const Loss loss = loss_of(batch, options_.label_smoothing);
  std::int64_t words = 0;
  for (const std::int64_t row : rows) words += target_words_[static_cast<std::size_t>(row)];
  return {loss.mean, loss.tokens, words};
}

ValidationResult TranslationTask::validate() {
  double loss = 0;
  std::int64_t tokens = 0;
  constexpr std::int64_t rows_at_a_time = 64;
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < valid_source_.size(); ++i) {
    if (!valid_source_[i].empty()) rows.push_back(static_cast<std::int64_t>(i));
    if (static_cast<std::int64_t>(rows.size()) < rows_at_a_time && i + 1 < valid_source_.size()) continue;
    if (rows.empty()) continue;
    const Loss part = loss_of(batch_of(valid_source_, valid_target_, rows), 0);
    loss += part.mean.item() * static_cast<double>(part.tokens);
    tokens += part.tokens;
    rows.clear();
  }
  std::vector<std::string> translations;
  for (auto& translation : translator_.translate(valid_text_, options_.validation))
    translations.push_back(std::move(translation.text));
  const double score = metrics::bleu(translations, {valid_reference_}, options_.bleu).score;
  return {tokens > 0 ? loss / static_cast<double>(tokens) : 0, score};
}

Metadata TranslationTask::metadata() const { return translator_.metadata(); }

}  // namespace weft
