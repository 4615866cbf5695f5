#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "weft/data/idx.hpp"
#include "weft/data/part.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::data {

struct MovingDigitsOptions {
  std::int64_t frames = 20;
  std::int64_t size = 32;                    ///< pixels a side of a frame
  double least_speed = 0.5, most_speed = 2;  ///< pixels a frame
  std::uint64_t seed = 1;
  Part part = Part::training;
};

/// Two digits that move, the front one first.
struct DigitFilm {
  Tensor frames;  ///< f32 [frames, size, size], 0 to 1
  std::array<std::int32_t, 2> names{};
  Tensor centres;  ///< f32 [frames, 2, 2]: row and column of each digit's middle, in pixels from the frame's upper left corner
  double hidden = 0;  ///< the largest share of the back digit's ink that the front one hid in a frame
};

/// Films of two digits, halved in size, that move with constant velocities and bounce at the frame's borders. The first passes
/// in front of the second: its ink and a rim of one pixel around it hide what lies behind. A film is a function of (seed, part,
/// index). Where a digit is drawn it stands at whole pixels, the nearest ones to its path; `centres` are those of the path.
class MovingDigits {
 public:
  /// Throws ShapeError for images that aren't [n, height, width] of even sizes or have other than n labels, ValueError where
  /// there are none, a label is negative, they don't fit a frame, or an option is out of range, DTypeError.
  MovingDigits(const LabelledImages& digits, const MovingDigitsOptions& options = {});

  /// Only the first `frames` of it, where that isn't 0. Throws ValueError for more than there are.
  DigitFilm film(std::uint64_t index, std::int64_t frames = 0) const;

  const MovingDigitsOptions& options() const { return options_; }
  /// One more than the largest label.
  std::int64_t classes() const { return classes_; }
  /// The digits, their names and the options in a line, for the settings of a run.
  std::string describe() const;

 private:
  MovingDigitsOptions options_;
  Tensor images_;  // halved
  std::vector<std::int32_t> labels_;
  std::int64_t classes_ = 0;
};

/// Digits of draw_glyph, 28 by 28 pixels, each class in turn; a function of (count, seed). Throws ValueError for a negative
/// count.
LabelledImages made_digits(std::int64_t count, std::uint64_t seed);

}  // namespace weft::data
