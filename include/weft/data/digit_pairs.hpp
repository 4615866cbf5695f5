#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "weft/data/idx.hpp"
#include "weft/data/part.hpp"
#include "weft/data/spoken_strings.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::data {

enum class Sense : std::uint8_t { sound, image };

struct DigitPairOptions {
  double sound_noise = 8;  ///< deviation of the noise in a spoilt recording, in root mean squares of the recording
  double image_noise = 4;  ///< deviation of the noise in a spoilt image, whose ink is 1
  std::uint64_t seed = 1;
  Part part = Part::training;
};

/// A digit that was spoken and one that was written, of one class, one of them spoilt.
struct DigitPair {
  std::vector<float> samples;
  Tensor image;  ///< f32 [height, width]
  std::int32_t label = 0;
  Sense spoilt = Sense::sound;
};

/// Pairs without end: class, recording, image, which of the two is spoilt (as often the one as the other) and its noise
/// (normal) are drawn evenly. A pair is a function of (seed, part, index).
class DigitPairs {
 public:
  /// Throws ShapeError and DTypeError for images that aren't f32 [n, height, width] with labels i32 [n], ValueError for
  /// negative noise, recordings without samples, and where no class has recordings and images.
  DigitPairs(std::vector<SpokenWord> sounds, const LabelledImages& images, const DigitPairOptions& options = {});

  DigitPair pair(std::uint64_t index) const;

  std::int64_t image_height() const { return images_.size(1); }
  std::int64_t image_width() const { return images_.size(2); }
  /// One more than the largest label.
  std::int64_t classes() const { return static_cast<std::int64_t>(classes_.size()); }
  /// Recordings, images and options in a line, for the settings of a run.
  std::string describe() const;

 private:
  struct Class {
    std::vector<std::size_t> sounds;
    std::vector<std::int64_t> images;
  };

  DigitPairOptions options_;
  std::vector<SpokenWord> sounds_;
  Tensor images_;
  std::vector<Class> classes_;           // by label
  std::vector<std::int32_t> in_common_;  // labels that have both
};

}  // namespace weft::data
