#include "weft/train/speech_task.hpp"

#include <algorithm>
#include <boost/crc.hpp>
#include <numeric>

#include "base/fail.hpp"
#include "data/shuffle.hpp"
#include "weft/base/random.hpp"

namespace weft {
namespace {

constexpr const char* where = "SpeechTask";

std::string checksum(const std::vector<data::SpokenWord>& words) {
  boost::crc_32_type crc;
  for (const data::SpokenWord& word : words) {
    const std::string name = fmt::format("{} {} {}", word.label, word.speaker, word.samples.size());
    crc.process_bytes(name.c_str(), name.size() + 1);
    crc.process_bytes(word.samples.data(), word.samples.size() * sizeof(float));
  }
  return fmt::format("{} recordings, crc32 {:08x}", words.size(), crc.checksum());
}

std::string text_of(const data::SpokenStringOptions& o) {
  return fmt::format("{} of {} to {} words, pauses {} to {} s, margins {} s, noise {}, {} samples/s, seed {}", o.strings,
                     o.min_words, o.max_words, o.min_pause, o.max_pause, o.max_margin, o.noise, o.rate,
                     data::seed_of(o.seed, o.part));
}

// "7_ann_5 3_ann_6 with 1 step"
std::string named(std::span<const data::SpokenWord> words, const data::SpokenString& string,
                  const std::vector<std::string>& labels, std::int64_t steps) {
  std::string text;
  for (const std::size_t i : string.words)
    text += fmt::format("{}_{}_{} ", labels[static_cast<std::size_t>(words[i].label)], words[i].speaker, words[i].take);
  return fmt::format("{}with {} step{}", text, steps, steps == 1 ? "" : "s");
}

// Whatever the caller has said of the strings, those of the validation are drawn apart.
SpeechTaskOptions with_parts(SpeechTaskOptions o) {
  o.strings.part = data::Part::training;
  o.validation.part = data::Part::validation;
  return o;
}

Metadata settings_of(const SpeechTaskOptions& o, const std::vector<data::SpokenWord>& train,
                     const std::vector<data::SpokenWord>& validation) {
  return {{"training_sounds", checksum(train)},
          {"validation_sounds", checksum(validation)},
          {"strings", text_of(o.strings)},
          {"validation.strings", text_of(o.validation)},
          {"batch", fmt::to_string(o.batch)},
          {"label_smoothing", fmt::to_string(o.label_smoothing)},
          {"masks",
           fmt::format("{} of {} frames, at most {} of them, {} of {} bands, value {}", o.masks.time_masks, o.masks.time_width,
                       o.masks.time_share, o.masks.frequency_masks, o.masks.frequency_width, o.masks.value)}};
}

}  // namespace

SpeechTask::SpeechTask(seq2seq::SpeechRecognizer& recognizer, const std::vector<data::SpokenWord>& train,
                       const std::vector<data::SpokenWord>& validation, const SpeechTaskOptions& options)
    : recognizer_(recognizer), train_(train), validation_(validation), options_(with_parts(options)) {
  check<ValueError>(options.batch >= 1, where, "batches of {} strings; 1 or more are possible", options.batch);
  const std::int64_t rate = recognizer.options().log_mel.rate;
  check<ValueError>(options.strings.rate == rate && options.validation.rate == rate, where,
                    "strings of {} and {} samples a second don't fit a recogniser of {}", options.strings.rate,
                    options.validation.rate, rate);
  for (const auto* words : {&train, &validation})
    for (const data::SpokenWord& word : *words)
      check<ValueError>(word.label >= 0 && static_cast<std::size_t>(word.label) < recognizer.options().labels.size(), where,
                        "a recording of {} has the label {}, and the recogniser knows {} words", word.speaker, word.label,
                        recognizer.options().labels.size());
  validation_strings_ = fitting(validation, data::compose_strings(validation, options_.validation), validation_left_out_);
  check<ValueError>(!validation_strings_.empty(), where,
                    "none of the {} strings to validate on has as many steps as labels: stack fewer frames",
                    validation_left_out_.all);
  fitting(train, data::compose_strings(train, options_.strings), first_epoch_left_out_);  // and the options are sound
  std::vector<Tensor> log_mels;
  for (const data::SpokenWord& word : train) log_mels.push_back(recognizer.log_mel()(word.samples));
  recognizer.learn_normalisation(log_mels);
  settings_ = settings_of(options_, train, validation);
}

std::vector<data::SpokenString> SpeechTask::fitting(std::span<const data::SpokenWord> words,
                                                    std::vector<data::SpokenString> strings, StringsLeftOut& left_out) const {
  left_out.all += static_cast<std::int64_t>(strings.size());
  left_out.count += static_cast<std::int64_t>(std::erase_if(strings, [&](const data::SpokenString& string) {
    const std::int64_t samples = data::samples_of(words, string);
    if (recognizer_.fits(samples, data::labels_of(words, string))) return false;
    if (left_out.first.empty()) left_out.first = named(words, string, recognizer_.options().labels, recognizer_.steps(samples));
    return true;
  }));
  return strings;
}

std::int64_t SpeechTask::begin_epoch(std::int64_t epoch) {
  const auto number = static_cast<std::uint64_t>(epoch);
  strings_ = fitting(train_, data::compose_strings(train_, options_.strings, number), left_out_);
  check<ValueError>(!strings_.empty(), where,
                    "none of the {} strings of epoch {} has as many steps as labels: stack fewer frames",
                    options_.strings.strings, epoch);
  // Sorted by their length, cut into batches, and these shuffled.
  std::vector<std::size_t> order(strings_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto length = [this](std::size_t i) { return data::samples_of(train_, strings_[i]); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return length(a) < length(b); });
  batches_.clear();
  const auto batch = static_cast<std::size_t>(options_.batch);
  for (std::size_t begin = 0; begin < order.size(); begin += batch) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(begin);
    batches_.emplace_back(first, first + static_cast<std::ptrdiff_t>(std::min(batch, order.size() - begin)));
  }
  Generator generator(options_.strings.seed ^ hash_of("speech batches"), number << 40);
  data::shuffle(batches_, generator);
  return static_cast<std::int64_t>(batches_.size());
}

StepLoss SpeechTask::step(std::int64_t index) {
  check<ValueError>(!batches_.empty(), where, "step {} comes before begin_epoch", index);
  std::vector<Tensor> features;
  std::vector<seq2seq::TokenIds> labels;
  std::int64_t words = 0;
  for (const std::size_t i : batches_[static_cast<std::size_t>(index)]) {
    const data::SpokenString& string = strings_[i];
    Generator masks(options_.strings.seed ^ hash_of("masks"), string.number);
    features.push_back(recognizer_.features(data::joined(train_, string, options_.strings), masks, options_.masks));
    labels.push_back(data::labels_of(train_, string));
    words += static_cast<std::int64_t>(labels.back().size());
  }
  return {recognizer_.loss(features, labels, options_.label_smoothing), recognizer_.tokens(labels), words};
}

ValidationResult SpeechTask::validate() {
  std::vector<Tensor> features;
  std::vector<seq2seq::TokenIds> labels;
  for (const data::SpokenString& string : validation_strings_) {
    features.push_back(recognizer_.features(data::joined(validation_, string, options_.validation)));
    labels.push_back(data::labels_of(validation_, string));
  }
  double loss = 0;
  std::int64_t tokens = 0;
  const auto batch = static_cast<std::size_t>(options_.batch);
  for (std::size_t first = 0; first < features.size(); first += batch) {
    const std::size_t rows = std::min(batch, features.size() - first);
    const auto of_batch = std::span(labels).subspan(first, rows);
    const std::int64_t part = recognizer_.tokens(of_batch);
    loss += recognizer_.loss(std::span(features).subspan(first, rows), of_batch).item() * static_cast<double>(part);
    tokens += part;
  }
  const auto score = seq2seq::score_features(recognizer_, features, labels);
  return {loss / static_cast<double>(tokens), 100 - score.words.score};
}

}  // namespace weft
