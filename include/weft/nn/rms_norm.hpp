#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

struct RMSNormOptions {
  std::int64_t normalized_shape = 0;  ///< size of the last dimension
  std::optional<double> eps = {};     ///< none: the dtype's machine epsilon
  bool elementwise_affine = true;
};

/// x / sqrt(mean of x^2 + eps) * weight over the last dimension (Zhang & Sennrich 2019). weight starts as 1.
class RMSNorm : public Module<RMSNorm> {
 public:
  /// Throws ValueError for a size that isn't positive and an eps that is negative.
  explicit RMSNorm(const RMSNormOptions& options, const Scope& scope = {});

  /// Throws ShapeError for x that doesn't end in normalized_shape.
  Var forward(const Var& x);

  Weight weight;  ///< [normalized_shape], or none without elementwise_affine

 private:
  std::int64_t width_;
  std::optional<double> eps_;
};

}  // namespace weft::nn
