#include "weft/nn/linear.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "weft/ops/matmul.hpp"

namespace weft::nn {
namespace {

Shape weight_shape(const LinearOptions& o) {
  check<ValueError>(o.in_features > 0 && o.out_features > 0, "Linear",
                    "in_features is {} and out_features {}; both must be positive", o.in_features, o.out_features);
  return {o.out_features, o.in_features};
}

Weight bias_of(const LinearOptions& o, ModuleBase* owner) {
  if (!o.bias) return {};
  const double bound = 1 / std::sqrt(static_cast<double>(o.in_features));
  return {owner, "bias", Shape{o.out_features}, o.bias_init.value_or(init::uniform(-bound, bound))};
}

}  // namespace

Linear::Linear(const LinearOptions& options, const Scope& scope)
    : Module(scope),
      weight(this, "weight", weight_shape(options), options.weight_init.value_or(init::kaiming_uniform(std::sqrt(5.0)))),
      bias(bias_of(options, this)) {}

Linear::Linear(const LinearOptions& options, const Weight& tied, const Scope& scope)
    : Module(scope), weight(this, "weight", tied), bias(bias_of(options, this)) {
  check<ShapeError>(weight->shape() == weight_shape(options), "Linear", "the tied weight {} doesn't fit; {} is needed",
                    weight->value(), weight_shape(options));
}

Var Linear::forward(const Var& x) { return linear(x, weight, bias); }

}  // namespace weft::nn
