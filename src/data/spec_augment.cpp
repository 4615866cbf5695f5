#include "weft/data/spec_augment.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"

namespace weft::data {
namespace {

constexpr const char* where = "spec_augment";

// Hides a run along `axis`.
void mask(Tensor& features, int axis, std::int64_t most, double value, Generator& generator) {
  const std::int64_t size = features.size(axis);
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(bound)));
  };
  const std::int64_t width = below(std::min(most, size) + 1), start = below(size - width + 1);
  if (width > 0) features.slice(axis, start, start + width).fill(value);
}

}  // namespace

Tensor spec_augment(const Tensor& features, Generator& generator, const SpecAugmentOptions& o) {
  check<DTypeError>(features.dtype() == f32, where, "features are {}; f32 is needed", features);
  check<ShapeError>(features.rank() == 2, where, "features {} are not [frames, bands]", features);
  check<ValueError>(o.time_masks >= 0 && o.time_width >= 0 && o.frequency_masks >= 0 && o.frequency_width >= 0, where,
                    "{} time masks of {} frames, {} frequency masks of {} bands; none can be negative", o.time_masks,
                    o.time_width, o.frequency_masks, o.frequency_width);
  check<ValueError>(o.time_share >= 0 && o.time_share <= 1, where, "time_share is {}; it must be from 0 to 1", o.time_share);
  Tensor result = features.clone();
  const auto share = static_cast<std::int64_t>(o.time_share * static_cast<double>(features.size(0)));
  for (std::int64_t i = 0; i < o.time_masks; ++i) mask(result, 0, std::min(o.time_width, share), o.value, generator);
  for (std::int64_t i = 0; i < o.frequency_masks; ++i) mask(result, 1, o.frequency_width, o.value, generator);
  return result;
}

}  // namespace weft::data
