#include "weft/train/speech_task.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <regex>
#include <sstream>

#include "support/support.hpp"
#include "train/same_state.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using seq2seq::SpeechModel;

namespace {

std::vector<data::SpokenWord> words_of(std::int64_t first, std::int64_t last) {
  std::vector<data::SpokenWord> words = data::tone_words(2, last);
  std::erase_if(words, [&](const data::SpokenWord& word) { return word.take < first; });
  return words;
}

seq2seq::SpeechRecognizerOptions model_options(SpeechModel kind) {
  seq2seq::SpeechRecognizerOptions options;
  options.model = kind;
  for (int digit = 0; digit < 10; ++digit) options.labels.push_back(std::to_string(digit));
  options.log_mel.bands = 8;
  options.stack = 6;
  options.hidden = 8;
  options.layers = 2;
  options.embedding = 4;
  options.dropout = 0.1;
  return options;
}

SpeechTaskOptions task_options() {
  SpeechTaskOptions options;
  options.strings.strings = 30;
  options.strings.max_words = 3;
  options.validation = {.strings = 5, .min_words = 2, .max_words = 3};
  options.batch = 8;
  return options;
}

struct Run {
  explicit Run(SpeechModel kind, const SpeechTaskOptions& options = task_options())
      : recognizer(model_options(kind)), task(recognizer, train, validation, options) {}

  std::vector<data::SpokenWord> train = words_of(1, 3), validation = words_of(0, 1);
  seq2seq::SpeechRecognizer recognizer;
  SpeechTask task;
};

}  // namespace

TEST_CASE("a speech run that was stopped goes on with the same bits") {
  for (const SpeechModel kind : {SpeechModel::ctc, SpeechModel::attention}) {
    const test::TemporaryFolder folder;
    std::ostringstream progress;
    const auto run = [&](const char* name, std::int64_t updates) {
      Run each(kind);
      TrainerOptions options;
      options.folder = folder.path() / name;
      options.epochs = 2;
      options.updates = updates;
      options.validate_every = 3;  // where the first part ends, within an epoch
      options.save_every = 1;
      return train(each.task, options, progress).updates;
    };
    CHECK(run("whole", 0) == 8);
    CHECK(run("parts", 3) == 3);
    CHECK(run("parts", 0) == 8);
    test::check_same_state(folder.path() / "whole" / "last.safetensors", folder.path() / "parts" / "last.safetensors");
  }
}

TEST_CASE("strings of the validation have draws of their own, whatever the options say") {
  const auto seeds = [](data::Part of_training, data::Part of_validation) {
    SpeechTaskOptions options = task_options();
    options.strings.part = of_training;
    options.validation.part = of_validation;
    Run run(SpeechModel::ctc, options);
    std::vector<std::string> found;
    for (const auto& [key, value] : run.task.settings())
      if (key == "strings" || key == "validation.strings") found.push_back(value.substr(value.rfind(' ') + 1));
    return found;
  };
  const auto usual = seeds(data::Part::training, data::Part::training);
  REQUIRE(usual.size() == 2);
  CHECK(usual[0] != usual[1]);
  CHECK(seeds(data::Part::test, data::Part::test) == usual);
}

TEST_CASE("an epoch's steps have each string once, and are the same when the epoch begins anew") {
  Run run(SpeechModel::ctc);
  run.recognizer.eval();
  CHECK_THROWS_AS(run.task.step(0), ValueError);
  REQUIRE(run.task.begin_epoch(3) == 4);
  CHECK(run.task.left_out().count == 0);
  CHECK(run.task.left_out().all == 30);
  CHECK(run.task.left_out().first.empty());
  std::vector<double> losses;
  std::int64_t tokens = 0;
  for (std::int64_t i = 0; i < 4; ++i) {
    const StepLoss step = run.task.step(i);
    losses.push_back(step.loss.item());
    tokens += step.tokens;
    CHECK(step.words == step.tokens);
  }
  std::int64_t expected = 0;
  for (const data::SpokenString& string : data::compose_strings(run.train, task_options().strings, 3))
    expected += static_cast<std::int64_t>(string.words.size());
  CHECK(tokens == expected);
  run.task.begin_epoch(0);
  run.task.begin_epoch(3);
  for (std::int64_t i = 0; i < 4; ++i) CHECK(run.task.step(i).loss.item() == losses[static_cast<std::size_t>(i)]);
  Run attention(SpeechModel::attention);
  attention.task.begin_epoch(0);
  Generator generator(1);
  Tape tape(generator);
  const StepLoss step = attention.task.step(0);
  CHECK(step.tokens == step.words + 8);  // the ends
}

TEST_CASE("strings whose labels have no place are left out and counted, never an infinite loss") {
  SpeechTaskOptions options = task_options();
  options.strings.min_pause = options.strings.max_pause = options.strings.max_margin = 0;
  Run run(SpeechModel::ctc, options);
  // Words of 10 ms: two of them in a string of one step.
  for (data::SpokenWord& word : run.train)
    if (word.take == 2) word.samples.resize(80);
  CHECK(run.task.begin_epoch(0) > 0);
  const StringsLeftOut left_out = run.task.left_out();
  CHECK(left_out.count > 0);
  CHECK(left_out.count < 30);
  CHECK(left_out.all == 30);
  const std::string short_word = "[0-9]_[^ ]+_2 ";  // both of one step
  CHECK_MESSAGE(std::regex_match(left_out.first, std::regex(short_word + short_word + "(" + short_word + ")?with 1 step")),
                left_out.first);
  for (std::int64_t i = 0; i < run.task.begin_epoch(0); ++i) {
    Generator generator(1);
    Tape tape(generator);
    CHECK(std::isfinite(run.task.step(i).loss.item()));
  }
  CHECK(run.task.left_out().count * 30 == left_out.count * run.task.left_out().all);  // of each time that it began
  CHECK(run.task.first_epoch_left_out().count == 0);                                  // all words were long enough then
  CHECK(SpeechTask(run.recognizer, run.train, run.validation, options).first_epoch_left_out().count == left_out.count);
  for (data::SpokenWord& word : run.train) word.samples.resize(80);
  options.strings.min_words = 2;
  SpeechTask short_words(run.recognizer, run.train, run.validation, options);
  CHECK(short_words.first_epoch_left_out().count == 30);
  CHECK_THROWS_WITH_AS(short_words.begin_epoch(0), doctest::Contains("none of the 30 strings of epoch 0"), ValueError);
}

TEST_CASE("the speed counts what the options say") {
  CHECK(Run(SpeechModel::ctc).task.unit() == "words");
  SpeechTaskOptions options = task_options();
  options.unit = "digits";
  CHECK(Run(SpeechModel::ctc, options).task.unit() == "digits");
}

TEST_CASE("validation is the loss and 100 less the word error, without masks or smoothing") {
  Run run(SpeechModel::attention);
  run.recognizer.eval();
  const NoGrad nothing_recorded;
  const ValidationResult result = run.task.validate();
  SpeechTaskOptions options = task_options();
  options.label_smoothing = 0.5;
  options.batch = 2;
  Run other(SpeechModel::attention, options);
  other.recognizer.eval();
  CHECK(other.task.validate().loss == doctest::Approx(result.loss).epsilon(1e-4));
  REQUIRE(result.score);
  CHECK(*result.score <= 100);
  CHECK(result.loss == doctest::Approx(std::log(14.0)).epsilon(0.2));
}

TEST_CASE("the settings of a speech run tell its options and sounds apart") {
  const Metadata settings = Run(SpeechModel::ctc).task.settings();
  CHECK(Run(SpeechModel::ctc).task.settings() == settings);
  const auto differs = [&](const std::string& key, const auto& change) {
    SpeechTaskOptions options = task_options();
    change(options);
    Metadata changed = Run(SpeechModel::ctc, options).task.settings();
    CHECK_MESSAGE(changed.at(key) != settings.at(key), key);
    changed[key] = settings.at(key);
    CHECK(changed == settings);
  };
  differs("strings", [](auto& o) { o.strings.strings = 31; });
  differs("strings", [](auto& o) { o.strings.seed = 2; });
  differs("validation.strings", [](auto& o) { o.validation.max_pause = 0.3; });
  differs("batch", [](auto& o) { o.batch = 9; });
  differs("masks", [](auto& o) { o.masks.time_share = 0.1; });
  differs("label_smoothing", [](auto& o) { o.label_smoothing = 0.1; });
  Run run(SpeechModel::ctc);
  run.train[5].samples[7] += 0.5f;
  const Metadata changed = SpeechTask(run.recognizer, run.train, run.validation, task_options()).settings();
  CHECK(changed.at("training_sounds") != settings.at("training_sounds"));
  CHECK(changed.at("validation_sounds") == settings.at("validation_sounds"));
}

TEST_CASE("speech tasks that can't be are refused") {
  Run run(SpeechModel::ctc);
  const auto made = [&](const auto& train, const auto& validation, const SpeechTaskOptions& options = task_options()) {
    SpeechTask(run.recognizer, train, validation, options);
  };
  const std::vector<data::SpokenWord> none;
  CHECK_THROWS_AS(made(none, run.validation), ValueError);
  CHECK_THROWS_AS(made(run.train, none), ValueError);
  SpeechTaskOptions options = task_options();
  options.batch = 0;
  CHECK_THROWS_AS(made(run.train, run.validation, options), ValueError);
  options = task_options();
  options.strings.rate = 16000;
  CHECK_THROWS_WITH_AS(made(run.train, run.validation, options),
                       "[SpeechTask] strings of 16000 and 8000 samples a second don't fit a recogniser of 8000", ValueError);
  std::vector<data::SpokenWord> unknown = run.train;
  unknown[1].label = 10;
  CHECK_THROWS_WITH_AS(made(unknown, run.validation),
                       "[SpeechTask] a recording of speaker0 has the label 10, and the recogniser knows 10 words", ValueError);
}
