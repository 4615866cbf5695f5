#include "weft/train/digit_senses_task.hpp"

#include <algorithm>
#include <utility>

#include "base/fail.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/seq2seq/batch.hpp"

namespace weft {
namespace {

constexpr const char* where = "DigitSensesTask";
constexpr std::int64_t pairs_at_a_time = 64;

seq2seq::SensesOutput told(seq2seq::DigitSenses& model, const DigitPairBatch& batch) {
  return model(batch.sound, batch.lengths, batch.images);
}

std::string text_of(const data::LogMelOptions& o) {
  return fmt::format(
      "{} samples/s, windows of {}, one each {}, {} points, {} bands of {} from {} to {} Hz, preemphasis {}, floor {}", o.rate,
      o.window, o.hop, o.fft, o.bands, o.scale == data::MelScale::htk ? "htk" : "slaney", o.low, o.high, o.preemphasis,
      o.floor);
}

}  // namespace

DigitPairBatch digit_pair_batch(const data::DigitPairs& pairs, const data::LogMel& log_mel, std::uint64_t first,
                                std::int64_t count) {
  check<ValueError>(count > 0, "digit_pair_batch", "{} pairs; one at least is needed", count);
  DigitPairBatch batch;
  std::vector<Tensor> sounds;
  batch.images = Tensor::empty({count, pairs.image_height(), pairs.image_width()});
  batch.labels = Tensor::empty({count}, i64);
  for (std::int64_t i = 0; i < count; ++i) {
    batch.pairs.push_back(pairs.pair(first + static_cast<std::uint64_t>(i)));
    const data::DigitPair& pair = batch.pairs.back();
    sounds.push_back(log_mel(pair.samples));
    batch.images.select(0, i).copy_from(pair.image);
    batch.labels.mutable_data<std::int64_t>()[i] = pair.label;
  }
  const seq2seq::Padded padded = seq2seq::pad_features(sounds);
  batch.sound = padded.features;
  batch.lengths = padded.lengths;
  return batch;
}

namespace {

// Calls use(batch, output) for pairs 0 to count - 1, some at a time, and scores them.
template <class Use>
SensesScore score_batches(seq2seq::DigitSenses& model, const data::DigitPairs& pairs, const data::LogMel& log_mel,
                          std::int64_t count, const Use& use) {
  SensesScore score;
  for (std::int64_t first = 0; first < count; first += pairs_at_a_time) {
    const DigitPairBatch batch =
        digit_pair_batch(pairs, log_mel, static_cast<std::uint64_t>(first), std::min(pairs_at_a_time, count - first));
    const seq2seq::SensesOutput output = told(model, batch);
    use(batch, output);
    const Tensor names = argmax(output.logits, 1);
    for (std::int64_t i = 0; i < batch.labels.numel(); ++i) {
      auto& part =
          batch.pairs[static_cast<std::size_t>(i)].spoilt == data::Sense::sound ? score.sound_spoilt : score.image_spoilt;
      ++part.pairs;
      part.right += names.at({i}) == batch.labels.at({i}) ? 1 : 0;
      if (output.gate.defined()) part.gate += output.gate.value().at({i});
    }
  }
  for (auto* part : {&score.sound_spoilt, &score.image_spoilt})
    part->gate /= static_cast<double>(std::max<std::int64_t>(part->pairs, 1));
  return score;
}

}  // namespace

SensesScore score_senses(seq2seq::DigitSenses& model, const data::DigitPairs& pairs, const data::LogMel& log_mel,
                         std::int64_t count) {
  check<ValueError>(count > 0, "score_senses", "{} pairs; one at least is needed", count);
  const NoGrad nothing_recorded;
  return score_batches(model, pairs, log_mel, count, [](const DigitPairBatch&, const seq2seq::SensesOutput&) {});
}

DigitSensesTask::DigitSensesTask(seq2seq::DigitSenses& model, const data::LogMel& log_mel, const data::DigitPairs& train,
                                 const data::DigitPairs& validation, const DigitSensesTaskOptions& options, Metadata about)
    : model_(model),
      log_mel_(log_mel),
      train_(train),
      validation_(validation),
      options_(options),
      settings_({{"training_pairs", train.describe()},
                 {"validation_pairs", fmt::format("{} of {}", options.validation_pairs, validation.describe())},
                 {"log_mel", text_of(log_mel.options())},
                 {"batch", fmt::to_string(options.batch)},
                 {"epoch_batches", fmt::to_string(options.epoch_batches)}}),
      about_(std::move(about)) {
  check<ValueError>(options.batch > 0 && options.epoch_batches > 0 && options.validation_pairs > 0, where,
                    "batches of {} pairs, {} an epoch, {} pairs to validate on; each must be positive", options.batch,
                    options.epoch_batches, options.validation_pairs);
  const seq2seq::DigitSensesOptions& o = model.options();
  check<ValueError>(log_mel.options().bands == o.bands, where, "{} bands don't fit a model of {}", log_mel.options().bands,
                    o.bands);
  for (const data::DigitPairs* pairs : {&train, &validation}) {
    check<ValueError>(pairs->image_height() == o.height && pairs->image_width() == o.width, where,
                      "images of {} by {} pixels don't fit a model of {} by {}", pairs->image_height(), pairs->image_width(),
                      o.height, o.width);
    check<ValueError>(pairs->classes() <= o.classes, where, "{} classes don't fit a model of {}", pairs->classes(), o.classes);
  }
}

std::int64_t DigitSensesTask::begin_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  return options_.epoch_batches;
}

StepLoss DigitSensesTask::step(std::int64_t index) {
  const std::int64_t first = (epoch_ * options_.epoch_batches + index) * options_.batch;
  const DigitPairBatch batch = digit_pair_batch(train_, log_mel_, static_cast<std::uint64_t>(first), options_.batch);
  return {cross_entropy(told(model_, batch).logits, batch.labels), options_.batch, options_.batch};
}

ValidationResult DigitSensesTask::validate() {
  const std::int64_t count = options_.validation_pairs;
  double loss = 0;
  const SensesScore score = score_batches(
      model_, validation_, log_mel_, count, [&](const DigitPairBatch& batch, const seq2seq::SensesOutput& output) {
        loss += cross_entropy(output.logits, batch.labels).item() * static_cast<double>(batch.labels.numel());
      });
  return {loss / static_cast<double>(count), 100 * static_cast<double>(score.right()) / static_cast<double>(count)};
}

Metadata DigitSensesTask::metadata() const {
  Metadata metadata = {{"digit_senses", seq2seq::to_json(model_.options())}};
  metadata.insert(about_.begin(), about_.end());
  return metadata;
}

}  // namespace weft
