#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

struct LinearOptions {
  std::int64_t in_features = 0;
  std::int64_t out_features = 0;
  bool bias = true;
  std::optional<Init> weight_init = {};  ///< how they start; none: as PyTorch's
  std::optional<Init> bias_init = {};
};

/// y = x W^T + b over the last dimension: [..., in_features] -> [..., out_features].
/// Both start uniform within 1 / sqrt(in_features), as PyTorch's, unless the options say otherwise.
class Linear : public Module<Linear> {
 public:
  explicit Linear(const LinearOptions& options, const Scope& scope = {});
  /// With another module's weight [out_features, in_features] as its own.
  Linear(const LinearOptions& options, const Weight& tied, const Scope& scope = {});

  Var forward(const Var& x);

  Weight weight;  ///< [out_features, in_features]
  Weight bias;    ///< [out_features], or none
};

}  // namespace weft::nn
