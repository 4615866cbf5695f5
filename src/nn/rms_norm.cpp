#include "weft/nn/rms_norm.hpp"

#include "base/fail.hpp"
#include "weft/ops/normalization.hpp"

namespace weft::nn {

RMSNorm::RMSNorm(const RMSNormOptions& options, const Scope& scope)
    : Module(scope), width_(options.normalized_shape), eps_(options.eps) {
  check<ValueError>(width_ > 0, "RMSNorm", "normalized_shape is {}; it must be positive", width_);
  check<ValueError>(eps_.value_or(0) >= 0, "RMSNorm", "eps is {}; it can't be negative", eps_.value_or(0));
  if (options.elementwise_affine) weight = Weight(this, "weight", Shape{width_}, init::ones());
}

Var RMSNorm::forward(const Var& x) {
  check<ValueError>(x.defined(), "RMSNorm", "the input isn't given");
  check<ShapeError>(x.rank() >= 1 && x.size(-1) == width_, "RMSNorm", "input {} doesn't end in the normalized size {}",
                    x.value(), width_);
  return rms_norm(x, weight, eps_);
}

}  // namespace weft::nn
