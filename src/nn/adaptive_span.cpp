#include "weft/nn/adaptive_span.hpp"

#include "base/fail.hpp"
#include "ops/distances.hpp"
#include "weft/autograd/tape.hpp"
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

Var AdaptiveSpan::factors(std::int64_t queries, std::int64_t keys) {
  check_distances(op, queries, keys);
  const Var left = reshape(places(), {heads_, 1, 1}) - Var(distance_table(queries, keys, span->dtype()));
  return weft::clamp(left * (1 / static_cast<double>(ramp_)) + 1.0, 0, 1);
}

Tensor AdaptiveSpan::in_sight(std::int64_t queries, std::int64_t keys) {
  const NoGrad nothing_recorded;
  return gt(factors(queries, keys), 0.0);
}

Var AdaptiveSpan::forward(const Var& weights) {
  check<ValueError>(weights.defined(), op, "the weights aren't given");
  check<ShapeError>(weights.rank() == 4 && weights.size(1) == heads_, op, "weights {} are not [batch, {}, queries, keys]",
                    weights.value(), heads_);
  check<DTypeError>(weights.dtype() == span->dtype(), op, "weights {} and the span {} differ in dtype", weights.value(),
                    span->value());
  const Var seen = weights * factors(weights.size(2), weights.size(3));
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
