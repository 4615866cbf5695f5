#include "weft/train/word_reading_task.hpp"

#include <algorithm>
#include <boost/crc.hpp>
#include <utility>

#include "base/fail.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/random.hpp"

namespace weft {
namespace {

constexpr const char* where = "WordReadingTask";

using Words = std::span<const data::LetterWord>;

std::vector<seq2seq::TokenIds> encoded(const seq2seq::WordReader& reader, Words words) {
  std::vector<seq2seq::TokenIds> ids;
  for (const data::LetterWord& word : words) ids.push_back(reader.encode_text(word.text));
  return ids;
}

std::string checksum(Words words) {
  boost::crc_32_type crc;
  for (const data::LetterWord& word : words) {
    crc.process_bytes(word.text.c_str(), word.text.size() + 1);  // its end too
    crc.process_bytes(word.images.contiguous().raw(), static_cast<std::size_t>(word.images.numel()) * sizeof(float));
  }
  return fmt::format("{} words, crc32 {:08x}", words.size(), crc.checksum());
}

/// A copy of images [n, height, width], each moved by up to `most` pixels each way; what comes in is empty.
Tensor shifted(const Tensor& images, std::int64_t most, Generator& generator) {
  const std::int64_t height = images.size(1), width = images.size(2);
  const auto draw = [&] { return static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(2 * most + 1))) - most; };
  Tensor moved = Tensor::zeros(images.shape(), images.dtype());
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    const std::int64_t down = draw(), right = draw();
    const auto part = [&](const Tensor& all, std::int64_t dy, std::int64_t dx) {
      return all.select(0, i)
          .slice(0, std::max<std::int64_t>(dy, 0), height + std::min<std::int64_t>(dy, 0))
          .slice(1, std::max<std::int64_t>(dx, 0), width + std::min<std::int64_t>(dx, 0));
    };
    part(moved, down, right).copy_from(part(images, -down, -right));
  }
  return moved;
}

seq2seq::Batch batch_of(const std::vector<Tensor>& images, const std::vector<const seq2seq::TokenIds*>& ids) {
  return seq2seq::make_batch(seq2seq::pad_features(images), ids);
}

}  // namespace

WordReadingTask::WordReadingTask(seq2seq::WordReader& reader, Words train, Words validation,
                                 const WordReadingTaskOptions& options, Metadata about)
    : reader_(reader),
      train_(train.begin(), train.end()),
      validation_(validation.begin(), validation.end()),
      options_(options),
      train_ids_(encoded(reader, train)),
      validation_ids_(encoded(reader, validation)),
      batcher_(train_ids_, train_ids_, options.batching),  // an image a letter
      settings_({{"training_words", checksum(train)},
                 {"validation_words", checksum(validation)},
                 {"shift", fmt::to_string(options.shift)},
                 {"label_smoothing", fmt::to_string(options.label_smoothing)},
                 {"batching.max_tokens", fmt::to_string(options.batching.max_tokens)},
                 {"batching.max_sentences", fmt::to_string(options.batching.max_sentences)},
                 {"batching.max_length", fmt::to_string(options.batching.max_length)},
                 {"batching.pool_size", fmt::to_string(options.batching.pool_size)},
                 {"batching.seed", fmt::to_string(options.batching.seed)}}),
      about_(std::move(about)) {
  check<ValueError>(!validation_.empty(), where, "there is nothing to validate on");
  check<ValueError>(!options.batching.truncate, where, "words can't be cut: truncate must be off");
  const std::int64_t side = std::min(reader.reader_options().height, reader.reader_options().width);
  check<ValueError>(options.shift >= 0 && options.shift < side, where, "shift is {}; it must be from 0 to {}, within an image",
                    options.shift, side - 1);
}

std::int64_t WordReadingTask::begin_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  batches_ = batcher_.batches(static_cast<std::uint64_t>(epoch));
  return static_cast<std::int64_t>(batches_.size());
}

StepLoss WordReadingTask::step(std::int64_t index) {
  const data::Batch& rows = batches_.at(static_cast<std::size_t>(index));
  std::vector<Tensor> images;
  std::vector<const seq2seq::TokenIds*> ids;
  for (const std::int64_t row : rows) {
    const auto r = static_cast<std::size_t>(row);
    // A function of seed, epoch and word, so that a run goes on as it would have: 2^16 positions for each.
    const std::uint64_t place = static_cast<std::uint64_t>(epoch_) << 40 | static_cast<std::uint64_t>(row) << 16;
    Generator generator(options_.batching.seed ^ hash_of("shifts"), place);
    images.push_back(options_.shift > 0 ? shifted(train_[r].images, options_.shift, generator) : train_[r].images);
    ids.push_back(&train_ids_[r]);
  }
  const seq2seq::Batch batch = batch_of(images, ids);
  return {reader_.loss(batch, options_.label_smoothing), batch.target_tokens, static_cast<std::int64_t>(rows.size())};
}

ValidationResult WordReadingTask::validate() {
  constexpr std::size_t rows_at_a_time = 64;
  double loss = 0;
  std::int64_t tokens = 0;
  for (std::size_t first = 0; first < validation_.size(); first += rows_at_a_time) {
    std::vector<Tensor> images;
    std::vector<const seq2seq::TokenIds*> ids;
    for (std::size_t i = first; i < std::min(first + rows_at_a_time, validation_.size()); ++i) {
      images.push_back(validation_[i].images);
      ids.push_back(&validation_ids_[i]);
    }
    const seq2seq::Batch batch = batch_of(images, ids);
    loss += reader_.loss(batch).item() * static_cast<double>(batch.target_tokens);
    tokens += batch.target_tokens;
  }
  return {loss / static_cast<double>(tokens), 100 - score_words(reader_, validation_).letters.score};
}

Metadata WordReadingTask::metadata() const {
  Metadata metadata = {{"word_reader", seq2seq::to_json(reader_.reader_options())}, {"symbols", reader_.letters().to_json()}};
  metadata.insert(about_.begin(), about_.end());
  return metadata;
}

WordScore score_words(seq2seq::WordReader& reader, Words words, const seq2seq::BeamSearchOptions& search) {
  check<ValueError>(!words.empty(), "score_words", "there are no words to score");
  std::vector<Tensor> images;
  std::vector<std::string> truth;
  for (const data::LetterWord& word : words) {
    images.push_back(word.images);
    truth.push_back(word.text);
  }
  WordScore score;
  for (seq2seq::WordReading& reading : reader.transcribe(images, search)) score.read.push_back(std::move(reading.text));
  score.letters = metrics::cer(score.read, truth);
  score.words = static_cast<std::int64_t>(words.size());
  for (std::size_t i = 0; i < truth.size(); ++i) score.right += score.read[i] == truth[i] ? 1 : 0;
  return score;
}

}  // namespace weft
