#pragma once
#include <filesystem>
#include <span>

#include "weft/tensor/safetensors.hpp"

namespace weft::nn {

/// The mean of the weights in several safetensors files, the last checkpoints of a run (Vaswani et al. 2017, 6.1): often
/// better than each. Sums are taken in f64 in the order of the paths; of a single i64, a count such as BatchNorm's
/// num_batches_tracked, the largest is taken. Metadata that all have is kept, and "averaged" says of how many files. Throws
/// ValueError without a path; FormatError naming file and tensor where a file lacks one of the first's tensors, has more,
/// another shape or dtype, or one that isn't f32 or f64 and differs; what load_safetensors throws.
SafetensorsFile average_checkpoints(std::span<const std::filesystem::path> paths);

}  // namespace weft::nn
