#include "weft/train/digit_senses_task.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <utility>

#include "support/random.hpp"
#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/data/moving_digits.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;

namespace {

constexpr DigitSensesTaskOptions small = {.batch = 8, .epoch_batches = 5, .validation_pairs = 70};

struct Run {
  explicit Run(const DigitSensesTaskOptions& options = small)
      : log_mel({.bands = 12}),
        train(data::tone_words(2, 4), data::made_digits(60, 1)),
        validation(data::tone_words(2, 2, 8000, 9), data::made_digits(30, 2)),
        model({.bands = 12, .hidden = 12, .channels = 4}),
        task(model, log_mel, train, validation, options) {}

  data::LogMel log_mel;
  data::DigitPairs train, validation;
  seq2seq::DigitSenses model;
  DigitSensesTask task;
};

}  // namespace

TEST_CASE("a namer's run that was stopped goes on with the same bits") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  const TrainerOptions options{.folder = folder.path() / "whole", .epochs = 2, .save_every = 1, .lr = 0.01};
  Run whole;
  CHECK(train(whole.task, options, progress).updates == 10);
  TrainerOptions part = options;
  part.folder = folder.path() / "parts";
  part.updates = 7;
  Run first;
  train(first.task, part, progress);
  part.updates = 0;
  Run second;
  train(second.task, part, progress);
  const auto left = whole.model.state_dict(), right = second.model.state_dict();
  for (std::size_t i = 0; i < left.size(); ++i) CHECK(test::largest_difference(left[i].tensor, right[i].tensor) == 0);
}

TEST_CASE("training names more of the pairs") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Run run({.batch = 16, .epoch_batches = 15, .validation_pairs = small.validation_pairs});
  train(run.task, {.folder = folder.path(), .epochs = 12, .lr = 0.01}, progress);
  run.model.eval();
  const ValidationResult result = run.task.validate();
  CHECK(result.score.value() > 40);  // of chance's 10
  const SensesScore score = score_senses(run.model, run.validation, run.log_mel, small.validation_pairs);
  CHECK(result.score.value() == doctest::Approx(100.0 * static_cast<double>(score.right()) / 70));
}

TEST_CASE("a validation is the loss of the pairs that it scores") {
  Run run({.batch = 8, .epoch_batches = 5, .validation_pairs = 20});
  run.model.eval();
  std::int64_t calls = 0;
  for (nn::ModuleBase* module : run.model.modules())
    module->on_output([&](const nn::ModuleBase&, const Var&) {
      ++calls;
      return Var();
    });
  const DigitPairBatch batch = digit_pair_batch(run.validation, run.log_mel, 0, 20);
  const double loss = cross_entropy(run.model(batch.sound, batch.lengths, batch.images).logits, batch.labels).item();
  const std::int64_t of_one_pass = std::exchange(calls, 0);
  const ValidationResult result = run.task.validate();
  CHECK(of_one_pass > 0);
  CHECK(calls == of_one_pass);
  CHECK(result.loss == doctest::Approx(loss));
  const SensesScore score = score_senses(run.model, run.validation, run.log_mel, 20);
  CHECK(*result.score == doctest::Approx(100.0 * static_cast<double>(score.right()) / 20));
}

TEST_CASE("a score counts pairs by what is spoilt") {
  Run run;
  run.model.eval();
  const SensesScore score = score_senses(run.model, run.validation, run.log_mel, 70);  // two batches
  SensesScore expected;
  for (std::uint64_t number = 0; number < 70; ++number) {
    const DigitPairBatch one = digit_pair_batch(run.validation, run.log_mel, number, 1);
    const seq2seq::SensesOutput output = run.model(one.sound, one.lengths, one.images);
    auto& part = one.pairs[0].spoilt == data::Sense::sound ? expected.sound_spoilt : expected.image_spoilt;
    ++part.pairs;
    part.right += argmax(output.logits, 1).at({0}) == one.pairs[0].label ? 1 : 0;
    part.gate += output.gate.value().at({0});
  }
  CHECK(score.pairs() == 70);
  CHECK(score.sound_spoilt.pairs == expected.sound_spoilt.pairs);
  CHECK(score.sound_spoilt.right == expected.sound_spoilt.right);
  CHECK(score.image_spoilt.right == expected.image_spoilt.right);
  CHECK(score.sound_spoilt.gate ==
        doctest::Approx(expected.sound_spoilt.gate / static_cast<double>(expected.sound_spoilt.pairs)).epsilon(1e-4));
}

TEST_CASE("settings say what pairs a namer learns from, and what doesn't fit is refused") {
  Run run;
  CHECK(run.task.settings().at("training_pairs") == run.train.describe());
  CHECK(run.task.settings().at("log_mel") ==
        "8000 samples/s, windows of 200, one each 80, 256 points, 12 bands of htk from 0 to 4000 Hz, preemphasis 0.97, floor "
        "1e-08");
  CHECK(run.task.metadata().at("digit_senses") == seq2seq::to_json(run.model.options()));
  const DigitSensesTask noted(run.model, run.log_mel, run.train, run.validation, {}, {{"pairs.sound_noise", "2"}});
  CHECK(noted.metadata().at("pairs.sound_noise") == "2");
  CHECK(noted.metadata().contains("digit_senses"));
  CHECK_THROWS_WITH_AS(Run({.batch = 0}),
                       "[DigitSensesTask] batches of 0 pairs, 100 an epoch, 500 pairs to validate on; each must be positive",
                       ValueError);
  CHECK_THROWS_AS(score_senses(run.model, run.validation, run.log_mel, 0), ValueError);
  CHECK_THROWS_AS(digit_pair_batch(run.validation, run.log_mel, 0, 0), ValueError);
  seq2seq::DigitSenses bands({.bands = 13}), images({.bands = 12, .height = 32}), classes({.bands = 12, .classes = 9});
  CHECK_THROWS_WITH_AS(DigitSensesTask(bands, run.log_mel, run.train, run.validation),
                       "[DigitSensesTask] 12 bands don't fit a model of 13", ValueError);
  CHECK_THROWS_WITH_AS(DigitSensesTask(images, run.log_mel, run.train, run.validation),
                       "[DigitSensesTask] images of 28 by 28 pixels don't fit a model of 32 by 28", ValueError);
  CHECK_THROWS_WITH_AS(DigitSensesTask(classes, run.log_mel, run.train, run.validation),
                       "[DigitSensesTask] 10 classes don't fit a model of 9", ValueError);
}
