#include "weft/nn/adaptive_span.hpp"

#include "base/fail.hpp"
#include "ops/distances.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "AdaptiveSpan";

}  // namespace

AdaptiveSpan::AdaptiveSpan(const AdaptiveSpanOptions& options, const Scope& scope)
    : Module(scope), heads_(options.num_heads), max_span_(options.max_span), ramp_(options.ramp) {
  check<ValueError>(heads_ > 0 && max_span_ > 0 && ramp_ > 0, op,
                    "num_heads is {}, max_span {} and ramp {}; each must be positive", heads_, max_span_, ramp_);
  check<ValueError>(options.initial >= 0 && options.initial <= 1, op, "initial is {}; it must be in [0, 1]", options.initial);
  span = Weight(this, "span", Shape{heads_}, init::constant(options.initial));
}

Var AdaptiveSpan::places() { return weft::clamp(span, 0, 1) * static_cast<double>(max_span_); }

Var AdaptiveSpan::forward(const Var& weights) {
  check<ShapeError>(weights.rank() == 4 && weights.size(1) == heads_, op, "weights {} are not [batch, {}, queries, keys]",
                    weights.value(), heads_);
  const Var left = reshape(places(), {heads_, 1, 1}) - Var(distance_table(weights.size(2), weights.size(3), weights.dtype()));
  const Var seen = weights * weft::clamp(left * (1 / static_cast<double>(ramp_)) + 1.0, 0, 1);
  const Var total = sum(seen, {-1}, true);
  return seen / where(eq(total, 0), Var::scalar(1, total.dtype()), total);
}

Var AdaptiveSpan::loss() {
  const ModuleScope scope(*this);
  return mean(places());
}

void AdaptiveSpan::clamp() { span->mutable_value().copy_from(weft::clamp(span->value(), 0, 1).value()); }

std::vector<AdaptiveSpan*> adaptive_spans(ModuleBase& model) {
  std::vector<AdaptiveSpan*> spans;
  for (ModuleBase* module : model.modules())
    if (auto* span = dynamic_cast<AdaptiveSpan*>(module)) spans.push_back(span);
  return spans;
}

}  // namespace weft::nn
