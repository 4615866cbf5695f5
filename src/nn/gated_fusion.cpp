#include "weft/nn/gated_fusion.hpp"

#include <array>
#include <numeric>

#include "base/fail.hpp"
#include "nn/unbiased.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "GatedFusion";

}  // namespace

GatedFusion::GatedFusion(const GatedFusionOptions& options, const Scope& scope)
    : Module(scope), inputs({this, "inputs"}), gates({this, "gates"}), sizes_(options.in_features) {
  check<ValueError>(sizes_.size() >= 2, op, "{} kinds of input; two at least are needed", sizes_.size());
  for (const std::int64_t size : sizes_)
    check<ValueError>(size > 0 && options.out_features > 0, op, "a size of {} and out_features {}; both must be positive", size,
                      options.out_features);
  const std::int64_t together = std::accumulate(sizes_.begin(), sizes_.end(), std::int64_t{0});
  for (const std::int64_t size : sizes_) inputs.emplace(unbiased(size, options.out_features));
  for (std::size_t i = 0; i < (sizes_.size() == 2 ? 1 : sizes_.size()); ++i)
    gates.emplace(unbiased(together, options.out_features));
}

Var GatedFusion::forward(std::span<const Var> x) {
  check<ValueError>(x.size() == sizes_.size(), op, "{} inputs for {} kinds of input", x.size(), sizes_.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    check<ValueError>(x[i].defined(), op, "input {} of {} is undefined", i, x.size());
    check<ShapeError>(x[i].rank() >= 1 && x[i].size(-1) == sizes_[i], op, "input {}, {}, is not [..., {}]", i, x[i].value(),
                      sizes_[i]);
    check<DTypeError>(x[i].dtype() == inputs[0].weight->dtype(), op,
                      "input {}, {}, and the module's weights {} differ in dtype", i, x[i].value(), inputs[0].weight->value());
    check<ShapeError>(x[i].shape().with(-1, 1) == x[0].shape().with(-1, 1), op,
                      "inputs 0 and {}, {} and {}, differ in a leading size", i, x[0].value(), x[i].value());
  }
  const Var all = concat(x, -1);
  if (x.size() == 2) {
    const Var gate = sigmoid(gates[0](all)), first = tanh(inputs[0](x[0])), second = tanh(inputs[1](x[1]));
    return gate * first + (1.0 - gate) * second;
  }
  Var total;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Var part = sigmoid(gates[i](all)) * tanh(inputs[i](x[i]));
    total = total.defined() ? total + part : part;
  }
  return total;
}

Var GatedFusion::forward(const Var& first, const Var& second) { return forward(std::array{first, second}); }

}  // namespace weft::nn
