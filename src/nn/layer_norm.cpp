#include "weft/nn/layer_norm.hpp"

#include "base/fail.hpp"
#include "weft/ops/normalization.hpp"

namespace weft::nn {

LayerNorm::LayerNorm(const LayerNormOptions& options, const Scope& scope)
    : Module(scope), width_(options.normalized_shape), eps_(options.eps) {
  check<ValueError>(width_ > 0, "LayerNorm", "normalized_shape is {}; it must be positive", width_);
  check<ValueError>(eps_ >= 0, "LayerNorm", "eps is {}; it can't be negative", eps_);
  if (!options.elementwise_affine) return;
  weight = Weight(this, "weight", Shape{width_}, init::ones());
  bias = Weight(this, "bias", Shape{width_}, init::zeros());
}

Var LayerNorm::forward(const Var& x) {
  check<ShapeError>(x.rank() >= 1 && x.size(-1) == width_, "LayerNorm", "input {} doesn't end in the normalized size {}",
                    x.value(), width_);
  return layer_norm(x, weight, bias, eps_);
}

}  // namespace weft::nn
