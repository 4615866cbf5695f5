#include "weft/train/pairs_task.hpp"

#include <algorithm>
#include <boost/crc.hpp>

#include "base/fail.hpp"
#include "text/split.hpp"
#include "weft/seq2seq/scheduled_sampling.hpp"

namespace weft {
namespace {

std::int64_t words_in(const std::string& line) {
  std::int64_t words = 0;
  text::for_each_word(line, [&](std::string_view) { ++words; });
  return words;
}

std::string checksum(const data::ParallelText& text) {
  boost::crc_32_type crc;
  for (const auto* lines : {&text.source, &text.target})
    for (const std::string& line : *lines) crc.process_bytes(line.c_str(), line.size() + 1);  // its end too
  return fmt::format("{} pairs, crc32 {:08x}", text.size(), crc.checksum());
}

seq2seq::Batch batch_of(const TokenPairs& pairs, std::span<const std::int64_t> rows) {
  PoolVector<const seq2seq::TokenIds*> sources, targets;
  for (const std::int64_t row : rows) {
    sources.push_back(&pairs.source[static_cast<std::size_t>(row)]);
    targets.push_back(&pairs.target[static_cast<std::size_t>(row)]);
  }
  return seq2seq::make_batch(sources, targets);
}

}  // namespace

PairsTask::PairsTask(const char* name, seq2seq::Model& model, const Texts& texts, TokenPairs train, TokenPairs validation,
                     const PairsTaskOptions& options)
    : model_(model),
      options_(options),
      train_(std::move(train)),
      validation_(std::move(validation)),
      batcher_(train_.source, train_.target, options.batching) {
  const data::BatchOptions& batching = options.batching;
  const auto text = [](const auto& value) { return fmt::to_string(value); };
  settings_ = {{"training_text", checksum(texts.train)},
               {"validation_text", checksum(texts.validation)},
               {"label_smoothing", text(options.label_smoothing)},
               {"batching.max_tokens", text(batching.max_tokens)},
               {"batching.max_sentences", text(batching.max_sentences)},
               {"batching.pool_size", text(batching.pool_size)},
               {"batching.max_length", text(batching.max_length)},
               {"batching.truncate", text(batching.truncate)},
               {"batching.seed", text(batching.seed)}};
  if (options.scheduled_sampling > 0)  // older runs go on
    settings_["scheduled_sampling"] = fmt::format("{}, after {} epochs", options.scheduled_sampling, options.sampling_epochs);
  if (batching.truncate) {
    for (auto* rows : {&train_.source, &train_.target})
      for (auto& ids : *rows) ids.resize(std::min(ids.size(), static_cast<std::size_t>(batching.max_length)));
  }
  for (const std::string& line : texts.train.target) target_words_.push_back(words_in(line));
  check<ValueError>(options.scheduled_sampling >= 0 && options.scheduled_sampling <= 1 && options.sampling_epochs >= 0, name,
                    "scheduled_sampling is {} and sampling_epochs {}; a probability and 0 or more are needed",
                    options.scheduled_sampling, options.sampling_epochs);
  check<ValueError>(texts.validation.source.size() == texts.validation.target.size(), name,
                    "{} source sentences to validate on, but {} target sentences", texts.validation.source.size(),
                    texts.validation.target.size());
  check<ValueError>(texts.validation.size() > 0, name, "there is nothing to validate on");
  check<ValueError>(
      std::any_of(validation_.source.begin(), validation_.source.end(), [](const auto& ids) { return !ids.empty(); }), name,
      "none of the {} source sentences to validate on has a token", validation_.source.size());
}

std::int64_t PairsTask::begin_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  batches_ = batcher_.batches(static_cast<std::uint64_t>(epoch));
  return static_cast<std::int64_t>(batches_.size());
}

PairsTask::Loss PairsTask::loss_of(const seq2seq::Batch& batch, double smoothing) {
  return {model_.loss(batch, smoothing), batch.target_tokens};
}

double PairsTask::sampling_share(std::int64_t index) const {
  if (options_.sampling_epochs == 0) return options_.scheduled_sampling;
  const double passed =
      static_cast<double>(epoch_) + static_cast<double>(index) / static_cast<double>(std::max<std::size_t>(batches_.size(), 1));
  return options_.scheduled_sampling * std::min(passed / static_cast<double>(options_.sampling_epochs), 1.0);
}

StepLoss PairsTask::step(std::int64_t index) {
  const data::Batch& rows = batches_[static_cast<std::size_t>(index)];
  const seq2seq::Batch batch = seq2seq::scheduled_sampling(model_, batch_of(train_, rows), sampling_share(index));
  const Loss loss = loss_of(batch, options_.label_smoothing);
  std::int64_t words = 0;
  for (const std::int64_t row : rows) words += target_words_[static_cast<std::size_t>(row)];
  return {loss.mean, loss.tokens, words};
}

double PairsTask::validation_loss() {
  double loss = 0;
  std::int64_t tokens = 0;
  constexpr std::int64_t rows_at_a_time = 64;
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < validation_.source.size(); ++i) {
    if (!validation_.source[i].empty()) rows.push_back(static_cast<std::int64_t>(i));
    if (static_cast<std::int64_t>(rows.size()) < rows_at_a_time && i + 1 < validation_.source.size()) continue;
    if (rows.empty()) continue;
    const Loss part = loss_of(batch_of(validation_, rows), 0);
    loss += part.mean.item() * static_cast<double>(part.tokens);
    tokens += part.tokens;
    rows.clear();
  }
  return tokens > 0 ? loss / static_cast<double>(tokens) : 0;
}

}  // namespace weft
