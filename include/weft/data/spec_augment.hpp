#pragma once
#include <cstdint>

#include "weft/base/random.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::data {

struct SpecAugmentOptions {
  std::int64_t time_masks = 2, time_width = 15;           ///< how many, and the most frames of each
  double time_share = 0.2;                                ///< no time mask is wider than this share of the frames
  std::int64_t frequency_masks = 2, frequency_width = 6;  ///< how many, and the most bands of each
  double value = 0;                                       ///< what masked places become: the mean of normalised features
};

/// Masks of SpecAugment (Park et al. 2019), without its time warping: each hides a run of frames or of bands, its width drawn
/// evenly from 0 to the most, its start evenly from where it fits. features f32 [frames, bands], which stay; the result is a
/// copy. Draws twice for each mask, whatever the sizes.
/// Throws ShapeError, DTypeError, ValueError for options that can't be.
Tensor spec_augment(const Tensor& features, Generator& generator, const SpecAugmentOptions& options = {});

}  // namespace weft::data
