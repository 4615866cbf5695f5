#include "weft/ops/margin_loss.hpp"

#include <cmath>

#include "kernels/elementwise.hpp"
#include "ops/loss_support.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/distance_loss.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

// The p-norm of a - b + eps over the last dimension. At 0 the root has no derivative and is left out.
Var distance(const Var& a, const Var& b, double p, double eps) {
  const Var d = a - b + eps;
  if (std::isinf(p)) return max(abs(d), {-1});
  if (p == 1) return sum(abs(d), {-1});
  const Var powers = sum(p == 2 ? square(d) : pow(abs(d), p), {-1});
  const Tensor none = kernels::binary(kernels::Binary::eq, powers.value(), 0.0);
  const Var some = masked_fill(powers, none, 1);
  return masked_fill(p == 2 ? sqrt(some) : pow(some, 1 / p), none, 0);
}

// Where in rows [..., V] the class of each row stands.
Tensor at_class(const Tensor& classes, const Shape& rows) {
  Tensor result = Tensor::zeros(rows, boolean);
  bool* const at = result.mutable_data<bool>();
  for (std::int64_t i = 0; i < classes.numel(); ++i) at[i * rows.back() + classes.data<std::int64_t>()[i]] = true;
  return result;
}

}  // namespace

Var hinge_embedding_loss(const Var& input, const Tensor& target, double margin, LossReduction reduction) {
  detail::check_one_dtype("hinge_embedding_loss", {{"input", input.value()}});
  const Tensor positive = detail::positives("hinge_embedding_loss", target, input.shape());
  return detail::reduce_loss(where(positive, input, relu(margin - input)), reduction);
}

Var cosine_embedding_loss(const Var& a, const Var& b, const Tensor& target, double margin, LossReduction reduction) {
  const char* const op = "cosine_embedding_loss";
  detail::check_alike(op, {{"first vectors", a.value()}, {"second vectors", b.value()}});
  check<ShapeError>(a.rank() >= 1, op, "the vectors are {}; one dimension at least is needed", a.value());
  const Tensor positive = detail::positives(op, target, a.shape().without(-1));
  const Var similarity = cosine_similarity(a, b, -1);
  return detail::reduce_loss(where(positive, 1 - similarity, relu(similarity - margin)), reduction);
}

Var multi_margin_loss(const Var& input, const Tensor& targets, const MultiMarginLossOptions& options) {
  const char* const op = "multi_margin_loss";
  const Tensor classes = detail::own_classes(op, input.value(), targets);
  check<ValueError>(options.p == 1 || options.p == 2, op, "p is {}; 1 or 2 is needed", options.p);
  const Tensor weights = detail::class_weights(op, input.value(), options.weight, classes);
  const Var violations = relu(input - unsqueeze(detail::pick(input, classes), -1) + options.margin);
  const Var others = masked_fill(options.p == 1 ? violations : square(violations), at_class(classes, input.shape()), 0);
  Var losses = sum(others, {-1}) / static_cast<double>(input.shape().back());
  if (weights.defined()) losses = losses * weights.to(input.dtype());
  return detail::reduce_loss(losses, options.reduction);
}

Var triplet_margin_loss(const Var& anchor, const Var& positive, const Var& negative, const TripletMarginLossOptions& options) {
  const char* const op = "triplet_margin_loss";
  detail::check_alike(op, {{"anchor", anchor.value()}, {"positive", positive.value()}, {"negative", negative.value()}});
  check<ShapeError>(anchor.rank() >= 1, op, "the anchor is {}; one dimension at least is needed", anchor.value());
  check<ValueError>(options.p >= 1, op, "p is {}; a norm's is 1 at least", options.p);
  const auto between = [&](const Var& a, const Var& b) { return distance(a, b, options.p, options.eps); };
  Var far = between(anchor, negative);
  if (options.swap) far = minimum(far, between(positive, negative));
  return detail::reduce_loss(relu(between(anchor, positive) - far + options.margin), options.reduction);
}

}  // namespace weft
