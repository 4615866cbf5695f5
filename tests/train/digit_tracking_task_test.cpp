#include "weft/train/digit_tracking_task.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "support/random.hpp"
#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;

namespace {

constexpr DigitTrackingTaskOptions small = {.batch = 4, .epoch_batches = 5, .validation_films = 8};

struct Run {
  explicit Run(const DigitTrackingTaskOptions& options = small, std::int64_t conv_lstm = 0)
      : train(data::made_digits(40, 1), {.frames = 4, .size = 20}),
        validation(data::made_digits(20, 2), {.frames = 4, .size = 20}),
        tracker({.size = 20, .channels = 4, .hidden = 16, .conv_lstm = conv_lstm}),
        task(tracker, train, validation, options) {}

  data::MovingDigits train, validation;
  seq2seq::DigitTracker tracker;
  DigitTrackingTask task;
};

// Tracks that tell exactly this of one film, the front digit being track `front`.
seq2seq::Tracks tracks_of(const data::DigitFilm& film, std::size_t front, double off = 0) {
  const std::int64_t frames = film.centres.size(0);
  Tensor names = Tensor::zeros({1, 2, 10}), centres = Tensor::zeros({1, frames, 2, 2});
  for (std::size_t digit = 0; digit < 2; ++digit) {
    const std::size_t track = digit == 0 ? front : 1 - front;
    names.mutable_data<float>()[10 * static_cast<std::int64_t>(track) + film.names[digit]] = 1;
    for (std::int64_t t = 0; t < frames; ++t)
      for (std::int64_t axis = 0; axis < 2; ++axis)
        centres.mutable_data<float>()[4 * t + 2 * static_cast<std::int64_t>(track) + axis] =
            static_cast<float>(film.centres.at({t, static_cast<std::int64_t>(digit), axis}) + (axis == 0 ? off : 0));
  }
  return {names, centres, Tensor::full({1}, front == 0 ? 1 : -1), {}, {}};
}

}  // namespace

TEST_CASE("a tracker's run that was stopped goes on with the same bits") {
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
  const auto left = whole.tracker.state_dict(), right = second.tracker.state_dict();
  for (std::size_t i = 0; i < left.size(); ++i) CHECK(test::largest_difference(left[i].tensor, right[i].tensor) == 0);
}

TEST_CASE("a batch has its films once, as rows of its tensors") {
  const data::MovingDigits films(data::made_digits(20, 1), {.frames = 4, .size = 20});
  const FilmBatch batch = film_batch(films, 3, 2, 3);
  for (std::int64_t row = 0; row < 2; ++row) {
    const data::DigitFilm &film = batch.films[static_cast<std::size_t>(row)],
                          alone = films.film(3 + static_cast<std::uint64_t>(row), 3);
    CHECK(film.frames.raw() == batch.frames.select(0, row).raw());
    CHECK(film.centres.raw() == batch.targets.centres.select(0, row).raw());
    CHECK(film.frames.str() == alone.frames.str());
    CHECK(film.centres.str() == alone.centres.str());
    CHECK(film.names == alone.names);
  }
}

TEST_CASE("an answer pairs tracks and digits by names, then by distance") {
  const data::MovingDigits films(data::made_digits(20, 1), {.frames = 3});
  std::uint64_t number = 0;
  while (films.film(number).names[0] == films.film(number).names[1]) ++number;
  const data::DigitFilm film = films.film(number);
  for (const std::size_t front : {std::size_t{0}, std::size_t{1}}) {
    const DigitAnswer answer = digit_answer(tracks_of(film, front, 3), 0, film);
    CHECK(answer.names == film.names);
    CHECK(answer.tracks == std::array<std::size_t, 2>{front, 1 - front});
    CHECK(answer.front_right);
    for (std::size_t digit = 0; digit < 2; ++digit) {
      CHECK(answer.distances[digit] == doctest::Approx(3));
      CHECK(answer.centres[digit][0] == doctest::Approx(film.centres.at({2, static_cast<std::int64_t>(digit), 0}) + 3));
    }
  }
  // The names are exchanged: they decide, however far the places are then.
  seq2seq::Tracks exchanged = tracks_of(film, 0);
  exchanged.names = tracks_of(film, 1).names;
  const DigitAnswer by_names = digit_answer(exchanged, 0, film);
  CHECK(by_names.names == film.names);
  CHECK_FALSE(by_names.front_right);
  CHECK(by_names.distances[0] > 0);
  // No name is right: the nearer way counts.
  seq2seq::Tracks nameless = tracks_of(film, 1);
  Tensor names = Tensor::zeros({1, 2, 10});
  for (std::int64_t track = 0; track < 2; ++track)
    for (std::int32_t name = 9; name >= 0; --name)
      if (name != film.names[0] && name != film.names[1]) {
        names.mutable_data<float>()[10 * track + name] = 1;
        break;
      }
  nameless.names = names;
  const DigitAnswer by_distance = digit_answer(nameless, 0, film);
  CHECK(by_distance.distances[0] == doctest::Approx(0));
  CHECK(by_distance.names[0] != film.names[0]);
}

TEST_CASE("a score counts films, digits and distances") {
  Run run;
  run.tracker.eval();
  const TrackingScore score = score_tracks(run.tracker, run.validation, 70);  // two batches
  CHECK(score.films == 70);
  std::int64_t passing = 0, named = 0, both = 0, front = 0;
  double distance = 0, passing_distance = 0;
  for (std::uint64_t number = 0; number < 70; ++number) {
    const FilmBatch one = film_batch(run.validation, number, 1);
    const DigitAnswer answer = digit_answer(run.tracker(one.frames), 0, one.films[0]);
    const int right = (answer.names[0] == one.films[0].names[0]) + (answer.names[1] == one.films[0].names[1]);
    named += right;
    both += right == 2 ? 1 : 0;
    const double mean = (answer.distances[0] + answer.distances[1]) / 2;
    distance += mean / 70;
    if (one.films[0].hidden < passes_behind) continue;
    ++passing;
    passing_distance += mean;
    front += answer.front_right ? 1 : 0;
  }
  REQUIRE(passing > 0);
  CHECK(score.passing == passing);
  CHECK(score.named == named);
  CHECK(score.both_named == both);
  CHECK(score.front_right == front);
  CHECK(score.distance == doctest::Approx(distance).epsilon(1e-4));
  CHECK(score.passing_distance == doctest::Approx(passing_distance / static_cast<double>(passing)).epsilon(1e-4));
  CHECK_THROWS_WITH_AS(score_tracks(run.tracker, run.validation, 0), "[score_tracks] 0 films; one at least is needed",
                       ValueError);
}

TEST_CASE("a validation is loss and score of the same pass") {
  Run run;
  run.tracker.eval();
  std::int64_t calls = 0;
  for (nn::ModuleBase* module : run.tracker.modules())
    module->on_output([&](const nn::ModuleBase&, const Var&) {
      ++calls;
      return Var();
    });
  const FilmBatch batch = film_batch(run.validation, 0, 8);
  const double loss = tracking_loss(run.tracker(batch.frames), batch.targets).item();
  const std::int64_t of_one_pass = std::exchange(calls, 0);
  const ValidationResult result = run.task.validate();
  CHECK(of_one_pass > 0);
  CHECK(calls == of_one_pass);
  CHECK(result.loss == doctest::Approx(loss));
  CHECK(*result.score ==
        doctest::Approx(100.0 / 8 * static_cast<double>(score_tracks(run.tracker, run.validation, 8).both_named)));
}

TEST_CASE("training brings a tracker's loss down, with a ConvLSTM too") {
  for (const std::int64_t conv_lstm : {0, 4}) {
    CAPTURE(conv_lstm);
    const test::TemporaryFolder folder;
    std::ostringstream progress;
    Run run(small, conv_lstm);
    run.tracker.eval();
    const double before = run.task.validate().loss;
    train(run.task, {.folder = folder.path(), .epochs = 16, .lr = 0.01}, progress);
    const auto trained = seq2seq::DigitTracker::load(folder.path());
    CHECK(trained->options().conv_lstm == conv_lstm);
    run.tracker.eval();
    CHECK(run.task.validate().loss < 0.8 * before);
  }
}

TEST_CASE("the first epochs show the first frames alone, where that is asked for") {
  Run run({.batch = 4, .epoch_batches = 5, .validation_films = 8, .short_epochs = 1, .short_frames = 3});
  run.tracker.eval();
  run.task.begin_epoch(0);
  const StepLoss first = run.task.step(2);
  CHECK(first.tokens == 4);
  CHECK(first.words == 12);
  const FilmBatch batch = film_batch(run.train, 8, 4, 3);
  CHECK(batch.frames.shape() == Shape{4, 3, 20, 20});
  CHECK(first.loss.item() == tracking_loss(run.tracker(batch.frames), batch.targets).item());
  run.task.begin_epoch(1);
  CHECK(run.task.step(2).words == 16);
  CHECK(run.task.settings().at("short_epochs") == "1 of 3 frames");
}

TEST_CASE("settings say what films a tracker learns from, and what can't be is refused") {
  Run run;
  CHECK(run.task.settings().at("training_films") == run.train.describe());
  CHECK(run.task.settings().at("validation_films").starts_with("8 of 20 digits, crc32 "));
  CHECK(run.task.metadata().at("digit_tracker") == seq2seq::to_json(run.tracker.options()));
  const DigitTrackingTask noted(run.tracker, run.train, run.validation, small, {{"films.frames", "4"}});
  CHECK(noted.metadata().at("films.frames") == "4");
  CHECK(noted.metadata().contains("digit_tracker"));
  CHECK_THROWS_WITH_AS(DigitTrackingTask(run.tracker, run.train, run.validation, {.batch = 0}),
                       "[DigitTrackingTask] batches of 0 films, 100 an epoch, 320 films to validate on; each must be positive",
                       ValueError);
  CHECK_THROWS_WITH_AS(DigitTrackingTask(run.tracker, run.train, run.validation, {.short_frames = 0}),
                       "[DigitTrackingTask] 0 epochs of 0 frames; not negative and positive is needed", ValueError);
  seq2seq::DigitTracker nine({.size = 20, .channels = 4, .hidden = 16, .classes = 9});
  CHECK_THROWS_WITH_AS(DigitTrackingTask(nine, run.train, run.validation),
                       "[DigitTrackingTask] 10 classes don't fit a tracker of 9", ValueError);
  CHECK_THROWS_WITH_AS(score_tracks(nine, run.validation, 1), "[score_tracks] 10 classes don't fit a tracker of 9", ValueError);
  seq2seq::DigitTracker other;
  CHECK_THROWS_WITH_AS(DigitTrackingTask(other, run.train, run.validation),
                       "[DigitTrackingTask] frames of 20 pixels a side don't fit a tracker of 32", ValueError);
}
