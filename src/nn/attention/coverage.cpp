#include "weft/nn/attention/coverage.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "nn/attention/parts.hpp"
#include "ops/lengths.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/scan.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {

Coverage::Coverage(const CoverageOptions& options, const Scope& scope)
    : LookingBack("attention::Coverage", {options.query_dim, options.key_dim, options.hidden},
                  {options.normaliser, options.dropout}, scope),
      coverage(unbiased(1, options.hidden), {this, "coverage"}) {}

Var Coverage::features(const Var& history) { return coverage(unsqueeze(history, 3)); }

Var Coverage::next(const Var& history, const Var& weights) { return history + weights; }

Var coverage_loss(const Var& weights, const Tensor& lengths, LossReduction reduction) {
  constexpr const char* op = "coverage_loss";
  check<ValueError>(weights.defined(), op, "the weights are undefined");
  check<ShapeError>(weights.rank() == 3, op, "weights {} are not [rows, queries, places]", weights.value());
  check<DTypeError>(is_floating(weights.dtype()), op, "weights {} must be f32 or f64", weights.value());
  const Tensor ends = checked_lengths(op, lengths, "weights", weights.value(), 1);
  const std::int64_t rows = weights.size(0), queries = weights.size(1), places = weights.size(2);
  const Tensor first = Tensor::zeros({rows, std::min<std::int64_t>(queries, 1), places}, weights.dtype());
  const Var before = concat({first, slice(cumsum(weights, 1), 1, 0, std::max<std::int64_t>(queries - 1, 0))}, 1);
  Var each = sum(minimum(weights, before), {2});
  if (ends.defined()) each = where(sequence_mask(ends, queries), each, Var::scalar(0, each.dtype()));
  if (reduction == LossReduction::none) return each;
  if (reduction == LossReduction::sum) return sum(each);
  const double counted = ends.defined() ? sum(Var(ends)).value().item() : static_cast<double>(rows * queries);
  return sum(each) / std::max(counted, 1.0);
}

}  // namespace weft::nn::attention
