#include "weft/ops/distance_loss.hpp"

#include <optional>

#include "ops/loss_support.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/statistics.hpp"

namespace weft {
namespace {

using detail::reduce_loss;

Var difference(const char* op, const Var& input, const Var& target) {
  detail::check_alike(op, {{"input", input.value()}, {"target", target.value()}});
  return input - target;
}

// c (d - c / 2), c being d within [-delta, delta]
Var huber(const Var& d, double delta) {
  const Var c = clamp(d, -delta, delta);
  return c * (d - c * 0.5);
}

// x / max(|x|, eps)
Var unit(const Var& x, int axis, double eps) { return x / clamp(norm(x, 2, {axis}, true), eps, std::nullopt); }

}  // namespace

Var mse_loss(const Var& input, const Var& target, LossReduction reduction) {
  return reduce_loss(square(difference("mse_loss", input, target)), reduction);
}

Var l1_loss(const Var& input, const Var& target, LossReduction reduction) {
  return reduce_loss(abs(difference("l1_loss", input, target)), reduction);
}

Var huber_loss(const Var& input, const Var& target, LossReduction reduction, double delta) {
  check<ValueError>(delta > 0, "huber_loss", "delta is {}; it must be above 0", delta);
  return reduce_loss(huber(difference("huber_loss", input, target), delta), reduction);
}

Var smooth_l1_loss(const Var& input, const Var& target, LossReduction reduction, double beta) {
  check<ValueError>(beta >= 0, "smooth_l1_loss", "beta is {}; it must not be negative", beta);
  const Var d = difference("smooth_l1_loss", input, target);
  return reduce_loss(beta == 0 ? abs(d) : huber(d, beta) / beta, reduction);
}

Var cosine_similarity(const Var& a, const Var& b, int axis, double eps) {
  detail::check_one_dtype("cosine_similarity", {{"first vectors", a.value()}, {"second vectors", b.value()}});
  check<ValueError>(eps >= 0, "cosine_similarity", "eps is {}; it must not be negative", eps);
  const Shape shape = broadcast(a.shape(), b.shape(), "cosine_similarity");
  axis = shape.axis(axis, "cosine_similarity");
  return sum(unit(expand(a, shape), axis, eps) * unit(expand(b, shape), axis, eps), {axis});
}

}  // namespace weft
