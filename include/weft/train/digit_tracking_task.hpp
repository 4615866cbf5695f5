#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "weft/data/moving_digits.hpp"
#include "weft/seq2seq/digit_tracker.hpp"
#include "weft/train/trainer.hpp"

namespace weft {

/// What a tracker told of a film's digits, paired with them: in the way in which more names are right and, of two ways with as
/// many, in the one with the smaller sum of distances in the last frame. The front digit first.
struct DigitAnswer {
  std::array<std::int32_t, 2> names{};
  std::array<std::array<double, 2>, 2> centres{};  ///< row and column in the last frame, in pixels
  std::array<double, 2> distances{};               ///< from the centres there
  std::array<std::size_t, 2> tracks{};             ///< which of the tracks is meant
  bool front_right = false;                        ///< the front one was told from the back one
};

/// One digit passes behind the other in a film where so much of its ink, at least, is hidden in one frame.
inline constexpr double passes_behind = 0.25;

struct TrackingScore {
  std::int64_t films = 0, passing = 0;     ///< all, and those in which one digit passes behind the other
  std::int64_t both_named = 0, named = 0;  ///< films whose names are both right, digits whose name is (of two a film)
  double distance = 0;                     ///< mean over the digits of all films, in the last frame, in pixels
  double passing_distance = 0;             ///< of passing films; 0 where there are none
  std::int64_t front_right = 0;            ///< of passing films: those whose front digit was told from the back one
};

/// A film's frames and digits as rows of a batch, numbers first to first + count - 1 of `films`.
struct FilmBatch {
  std::vector<data::DigitFilm> films;  ///< views of the rows below
  Tensor frames;                       ///< f32 [count, frames, size, size]
  seq2seq::TrackTargets targets;
};
/// Only the first `frames` of each, where that isn't 0.
FilmBatch film_batch(const data::MovingDigits& films, std::uint64_t first, std::int64_t count, std::int64_t frames = 0);

/// A tracker's answer for row `row` of the batch that it tracked.
DigitAnswer digit_answer(const seq2seq::Tracks& tracks, std::int64_t row, const data::DigitFilm& film);

/// Of films 0 to count - 1. Nothing is recorded. Throws ValueError unless count is positive and the tracker has
/// the films' classes, and what the tracker throws.
TrackingScore score_tracks(seq2seq::DigitTracker& tracker, const data::MovingDigits& films, std::int64_t count);

struct DigitTrackingTaskOptions {
  std::int64_t batch = 32;           ///< films
  std::int64_t epoch_batches = 100;  ///< no film comes twice, so an epoch is as long as it is told to be
  std::int64_t validation_films = 320;
  std::int64_t short_epochs = 0;  ///< so many epochs at the beginning show only
  std::int64_t short_frames = 6;  ///< the first frames of each film, which costs less
};

/// Training a tracker on films without end; validated by its loss and by the share of films, in percent, whose digits are both
/// named rightly.
class DigitTrackingTask : public TrainingTask {
 public:
  /// Both outlive the task; `about` is more that the checkpoints say of themselves. Throws ValueError for options that aren't
  /// positive, frames and classes that don't fit the tracker.
  DigitTrackingTask(seq2seq::DigitTracker& tracker, const data::MovingDigits& train, const data::MovingDigits& validation,
                    const DigitTrackingTaskOptions& options = {}, Metadata about = {});

  nn::ModuleBase& model() override { return tracker_; }
  std::int64_t begin_epoch(std::int64_t epoch) override;
  /// Its tokens are films, its words frames.
  StepLoss step(std::int64_t index) override;
  ValidationResult validate() override;
  Metadata metadata() const override;
  Metadata settings() const override { return settings_; }
  std::string unit() const override { return "frames"; }
  bool has_perplexity() const override { return false; }

 private:
  seq2seq::DigitTracker& tracker_;
  const data::MovingDigits &train_, &validation_;
  DigitTrackingTaskOptions options_;
  Metadata settings_, about_;
  std::int64_t epoch_ = 0;
};

}  // namespace weft
