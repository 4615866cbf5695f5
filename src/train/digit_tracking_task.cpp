#include "weft/train/digit_tracking_task.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/reduce.hpp"

namespace weft {
namespace {

constexpr const char* where = "DigitTrackingTask";
constexpr std::int64_t films_at_a_time = 64;

/// How many of the two names are right.
int names_right(const DigitAnswer& answer, const data::DigitFilm& film) {
  return (answer.names[0] == film.names[0] ? 1 : 0) + (answer.names[1] == film.names[1] ? 1 : 0);
}

}  // namespace

FilmBatch film_batch(const data::MovingDigits& films, std::uint64_t first, std::int64_t count, std::int64_t frames) {
  const std::int64_t shown = frames == 0 ? films.options().frames : std::min(frames, films.options().frames);
  const std::int64_t size = films.options().size;
  FilmBatch batch{
      {}, Tensor::empty({count, shown, size, size}), {Tensor::empty({count, 2}, i32), Tensor::empty({count, shown, 2, 2})}};
  for (std::int64_t row = 0; row < count; ++row) {
    data::DigitFilm& film = batch.films.emplace_back(films.film(first + static_cast<std::uint64_t>(row), shown));
    const auto moved_to = [row](const Tensor& rows, const Tensor& values) {
      Tensor place = rows.select(0, row);
      place.copy_from(values);
      return place;
    };
    film.frames = moved_to(batch.frames, film.frames);
    film.centres = moved_to(batch.targets.centres, film.centres);
    std::copy(film.names.begin(), film.names.end(), batch.targets.names.mutable_data<std::int32_t>() + 2 * row);
  }
  return batch;
}

DigitAnswer digit_answer(const seq2seq::Tracks& tracks, std::int64_t row, const data::DigitFilm& film) {
  const Tensor names = argmax(Var(tracks.names.value().select(0, row)), -1);
  const std::int64_t last = tracks.centres.size(1) - 1;
  // The answer if digit 0 is the track `first` and digit 1 the other one.
  const auto paired = [&](std::size_t first) {
    DigitAnswer answer;
    for (std::size_t digit = 0; digit < 2; ++digit) {
      const std::size_t track = digit == 0 ? first : 1 - first;
      const auto t = static_cast<std::int64_t>(track), d = static_cast<std::int64_t>(digit);
      answer.tracks[digit] = track;
      answer.names[digit] = static_cast<std::int32_t>(names.at({t}));
      for (std::int64_t axis = 0; axis < 2; ++axis)
        answer.centres[digit][static_cast<std::size_t>(axis)] = tracks.centres.value().at({row, last, t, axis});
      answer.distances[digit] = std::hypot(answer.centres[digit][0] - film.centres.at({last, d, 0}),
                                           answer.centres[digit][1] - film.centres.at({last, d, 1}));
    }
    answer.front_right = (tracks.front.value().at({row}) > 0) == (first == 0);
    return answer;
  };
  const auto fault = [&film](const DigitAnswer& answer) {
    return std::pair(-names_right(answer, film), answer.distances[0] + answer.distances[1]);
  };
  const DigitAnswer straight = paired(0), crossed = paired(1);
  return fault(crossed) < fault(straight) ? crossed : straight;
}

namespace {

void check_classes(const char* op, const seq2seq::DigitTracker& tracker, const data::MovingDigits& films) {
  check<ValueError>(films.classes() <= tracker.options().classes, op, "{} classes don't fit a tracker of {}", films.classes(),
                    tracker.options().classes);
}

// Calls use(batch, tracks) for films 0 to count - 1, some at a time, and scores them.
template <class Use>
TrackingScore score_batches(seq2seq::DigitTracker& tracker, const data::MovingDigits& films, std::int64_t count,
                            const Use& use) {
  TrackingScore score;
  for (std::int64_t first = 0; first < count; first += films_at_a_time) {
    const FilmBatch batch = film_batch(films, static_cast<std::uint64_t>(first), std::min(films_at_a_time, count - first));
    const seq2seq::Tracks tracks = tracker(batch.frames);
    use(batch, tracks);
    for (std::size_t row = 0; row < batch.films.size(); ++row) {
      const data::DigitFilm& film = batch.films[row];
      const DigitAnswer answer = digit_answer(tracks, static_cast<std::int64_t>(row), film);
      const int right = names_right(answer, film);
      const double distance = (answer.distances[0] + answer.distances[1]) / 2;
      ++score.films;
      score.named += right;
      score.both_named += right == 2 ? 1 : 0;
      score.distance += distance;
      if (film.hidden < passes_behind) continue;
      ++score.passing;
      score.passing_distance += distance;
      score.front_right += answer.front_right ? 1 : 0;
    }
  }
  score.distance /= static_cast<double>(score.films);
  if (score.passing > 0) score.passing_distance /= static_cast<double>(score.passing);
  return score;
}

}  // namespace

TrackingScore score_tracks(seq2seq::DigitTracker& tracker, const data::MovingDigits& films, std::int64_t count) {
  constexpr const char* op = "score_tracks";
  check<ValueError>(count > 0, op, "{} films; one at least is needed", count);
  check_classes(op, tracker, films);
  const NoGrad nothing_recorded;
  return score_batches(tracker, films, count, [](const FilmBatch&, const seq2seq::Tracks&) {});
}

DigitTrackingTask::DigitTrackingTask(seq2seq::DigitTracker& tracker, const data::MovingDigits& train,
                                     const data::MovingDigits& validation, const DigitTrackingTaskOptions& options,
                                     Metadata about)
    : tracker_(tracker),
      train_(train),
      validation_(validation),
      options_(options),
      settings_({{"training_films", train.describe()},
                 {"validation_films", fmt::format("{} of {}", options.validation_films, validation.describe())},
                 {"batch", fmt::to_string(options.batch)},
                 {"epoch_batches", fmt::to_string(options.epoch_batches)},
                 {"short_epochs", fmt::format("{} of {} frames", options.short_epochs, options.short_frames)}}),
      about_(std::move(about)) {
  check<ValueError>(options.batch > 0 && options.epoch_batches > 0 && options.validation_films > 0, where,
                    "batches of {} films, {} an epoch, {} films to validate on; each must be positive", options.batch,
                    options.epoch_batches, options.validation_films);
  check<ValueError>(options.short_epochs >= 0 && options.short_frames > 0, where,
                    "{} epochs of {} frames; not negative and positive is needed", options.short_epochs, options.short_frames);
  for (const data::MovingDigits* films : {&train, &validation}) {
    check<ValueError>(films->options().size == tracker.options().size, where,
                      "frames of {} pixels a side don't fit a tracker of {}", films->options().size, tracker.options().size);
    check_classes(where, tracker, *films);
  }
}

std::int64_t DigitTrackingTask::begin_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  return options_.epoch_batches;
}

StepLoss DigitTrackingTask::step(std::int64_t index) {
  const std::int64_t first = (epoch_ * options_.epoch_batches + index) * options_.batch;
  const std::int64_t frames = epoch_ < options_.short_epochs ? options_.short_frames : 0;
  const FilmBatch batch = film_batch(train_, static_cast<std::uint64_t>(first), options_.batch, frames);
  const Var loss = tracking_loss(tracker_(batch.frames), batch.targets);
  return {loss, options_.batch, options_.batch * batch.frames.size(1)};
}

ValidationResult DigitTrackingTask::validate() {
  const std::int64_t count = options_.validation_films;
  double loss = 0;
  const TrackingScore score =
      score_batches(tracker_, validation_, count, [&](const FilmBatch& batch, const seq2seq::Tracks& tracks) {
        loss += tracking_loss(tracks, batch.targets).item() * static_cast<double>(batch.films.size());
      });
  return {loss / static_cast<double>(count), 100 * static_cast<double>(score.both_named) / static_cast<double>(count)};
}

Metadata DigitTrackingTask::metadata() const {
  Metadata metadata = {{"digit_tracker", seq2seq::to_json(tracker_.options())}};
  metadata.insert(about_.begin(), about_.end());
  return metadata;
}

}  // namespace weft
