#pragma once
#include <string>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft::report {

/// Weights over a sound: what of it each output looked at; without outputs and weights the sound alone.
struct SoundWeights {
  std::string title;
  std::vector<std::string> outputs;
  Tensor spectrogram;  ///< [frames, bands], such as log-mel energies, the lowest band first
  Tensor weights;      ///< [outputs, frames]; undefined where there are no outputs
  double seconds_per_frame = 0.01;
};

}  // namespace weft::report
