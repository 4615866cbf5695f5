#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "weft/nn/linear.hpp"
#include "weft/nn/list.hpp"
#include "weft/nn/module.hpp"

namespace weft::nn {

struct GatedFusionOptions {
  std::vector<std::int64_t> in_features = {};  ///< the size of each kind of input, two at least
  std::int64_t out_features = 0;
};

/// Gated multimodal unit (Arevalo et al. 2017): what several kinds of input say of one thing, each weighed by a gate that sees
/// them all:
///   h_i = tanh(W_i x_i),  y = sum_i sigmoid(V_i [x_1; x_2; ...]) * h_i
/// Of two inputs, as in the paper, one gate is enough: y = z * h_1 + (1 - z) * h_2.
class GatedFusion : public Module<GatedFusion> {
 public:
  /// Throws ValueError for fewer than two inputs or sizes that aren't positive.
  explicit GatedFusion(const GatedFusionOptions& options, const Scope& scope = {});

  /// One x_i [..., in_features[i]] for each kind, the leading sizes equal -> [..., out_features]. Throws ShapeError,
  /// DTypeError, ValueError for another number of inputs.
  Var forward(std::span<const Var> inputs);
  Var forward(const Var& first, const Var& second);

  List<Linear> inputs;  ///< W_i, without bias
  List<Linear> gates;   ///< V_i, without bias: one for two inputs, otherwise one each

 private:
  std::vector<std::int64_t> sizes_;
};

}  // namespace weft::nn
