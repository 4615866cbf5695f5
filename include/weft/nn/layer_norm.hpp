#pragma once
#include <cstdint>

#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

struct LayerNormOptions {
  std::int64_t normalized_shape = 0;  ///< size of the last dimension
  double eps = 1e-5;
  bool elementwise_affine = true;
};

/// (x - mean) / sqrt(variance + eps) * weight + bias over the last dimension (Ba 2016). weight starts as 1, bias as 0.
class LayerNorm : public Module<LayerNorm> {
 public:
  explicit LayerNorm(const LayerNormOptions& options, const Scope& scope = {});

  Var forward(const Var& x);

  Weight weight, bias;  ///< [normalized_shape], or none without elementwise_affine

 private:
  std::int64_t width_;
  double eps_;
};

}  // namespace weft::nn
