#pragma once
#include <string>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft::report {

/// Weights over a sequence of images, or over one.
struct FrameWeights {
  std::string title;
  std::vector<std::string> outputs;
  Tensor frames;   ///< [frames, height, width], grey, or [frames, height, width, 3], red, green and blue
  Tensor weights;  ///< [outputs, frames], or over a grid on each frame [outputs, frames, grid height, grid width]
};

}  // namespace weft::report
