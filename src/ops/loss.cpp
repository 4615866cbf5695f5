#include "weft/ops/loss.hpp"

#include <algorithm>
#include <utility>

#include "kernels/cross_entropy.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"
#include "ops/guarded.hpp"
#include "ops/loss_support.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft {
namespace {

using kernels::Binary;
using kernels::CrossEntropyTargets;

CrossEntropyTargets targets_of(const Var& logits, const Tensor& targets, const CrossEntropyOptions& options) {
  Tensor own = detail::own_classes("cross_entropy", logits.value(), targets, &options.ignore_index);
  check<ValueError>(options.label_smoothing >= 0 && options.label_smoothing <= 1, "cross_entropy",
                    "label_smoothing is {}; it must be in [0, 1]", options.label_smoothing);
  return {own.reshape({own.numel()}), options.ignore_index, options.label_smoothing};
}

bool counts(const CrossEntropyTargets& targets, std::int64_t row) {
  return targets.classes.data<std::int64_t>()[row] != targets.ignore_index;
}

// The same with the rows that `left_out` names ignored.
template <class LeftOut>
CrossEntropyTargets without(CrossEntropyTargets targets, const LeftOut& left_out) {
  targets.classes = targets.classes.clone();
  auto* const to = targets.classes.mutable_data<std::int64_t>();
  for (std::int64_t row = 0; row < targets.classes.numel(); ++row)
    if (left_out(row)) to[row] = targets.ignore_index;
  return targets;
}

// What the mean divides by: the rows that count, each by its weight.
double counted(const CrossEntropyTargets& targets, const Tensor& weights) {
  double count = 0;
  for (std::int64_t row = 0; row < targets.classes.numel(); ++row)
    if (counts(targets, row)) count += weights.defined() ? weights.data<double>()[row] : 1;
  return count;
}

// A column of truth values.
Tensor rows_that_count(const CrossEntropyTargets& targets) {
  Tensor result = Tensor::empty({targets.classes.numel(), 1}, boolean);
  auto* const to = result.mutable_data<bool>();
  for (std::int64_t row = 0; row < targets.classes.numel(); ++row) to[row] = counts(targets, row);
  return result;
}

// The distribution that the loss asks for, [rows, V]; ignored rows are zeros. For the composite rule alone.
Tensor distribution(const CrossEntropyTargets& targets, const Tensor& logits) {
  Tensor all = Tensor::full(logits.shape(), targets.smoothing / static_cast<double>(logits.size(1)), logits.dtype());
  for (std::int64_t row = 0; row < logits.size(0); ++row) {
    const std::int64_t target = targets.classes.data<std::int64_t>()[row];
    Tensor part = all.select(0, row);
    if (!counts(targets, row)) {
      part.fill(0);
    } else {
      Tensor at = part.slice(0, target, target + 1);
      at.fill(at.item() + 1 - targets.smoothing);
    }
  }
  return all;
}

// d(losses)/d(logits) = softmax - distribution, each row times its factor; ignored rows 0.
Var composite_gradient(const Var& logits, const CrossEntropyTargets& targets, const Var& factors) {
  const Tensor counts = rows_that_count(targets);
  const Var zero = Var::scalar(0, logits.dtype());
  const Var difference = softmax(where(counts, logits, zero), -1) - distribution(targets, logits.value());
  return where(counts, guarded_mul(unsqueeze(factors, 1), difference), zero);
}

// The losses of all rows, each times its weight (of the logits' dtype, or undefined: 1); their sum times `scale`, or each.
Var fused(const Var& logits, const Tensor& targets, CrossEntropyTargets classes, Tensor row_weights, bool reduced,
          double scale) {
  const std::int64_t rows = targets.numel(), width = logits.shape().back();
  const Tensor flat = kernels::dense(logits.value()).reshape({rows, width});
  Tensor losses = Tensor::empty({rows}, logits.dtype()), normalisers = Tensor::empty({rows, 2}, logits.dtype());
  kernels::cross_entropy(flat, classes, losses, normalisers);
  if (row_weights.defined()) losses = kernels::binary(Binary::mul, losses, row_weights, "cross_entropy");

  Tensor value = losses.reshape(targets.shape());
  if (reduced) value = kernels::binary(Binary::mul, kernels::sum_to(losses, Shape{}), scale);

  return record("cross_entropy", std::move(value), {&logits},
                [logits = Saved(logits), flat_shape = flat.shape(), classes = std::move(classes),
                 row_weights = std::move(row_weights), normalisers, scale, rows, reduced](Sink& s) {
                  Var factors = reduced ? expand(s.grad() * scale, {rows}) : reshape(s.grad(), {rows});
                  if (row_weights.defined()) factors = factors * row_weights;
                  if (s.recording())
                    return s.add(0, reshape(composite_gradient(reshape(logits.get(), flat_shape), classes, factors),
                                            logits.get().shape()));
                  const Tensor x = kernels::dense(logits.value()).reshape(flat_shape);
                  Tensor gradient = x.empty_like();
                  kernels::cross_entropy_backward(x, classes, normalisers, kernels::dense(factors.value()), gradient);
                  s.add(0, gradient.reshape(logits.get().shape()));
                });
}

// -sum(weight log softmax(logits)) of each row, [rows]: what label smoothing takes a share of.
Var smoothing_losses(const Var& logits, const CrossEntropyTargets& classes, const Tensor& weight) {
  const Tensor counts = rows_that_count(classes);
  const Var zero = Var::scalar(0, logits.dtype());
  const Var flat = reshape(logits, {classes.classes.numel(), logits.shape().back()});
  const Var log_probs = log_softmax(where(counts, flat, zero), -1);
  return where(counts.squeeze(1), -sum(guarded_mul(expand(weight, flat.shape()), log_probs), {1}), zero);
}

}  // namespace

Var cross_entropy(const Var& logits, const Tensor& targets, const CrossEntropyOptions& options) {
  CrossEntropyTargets classes = targets_of(logits, targets, options);
  const bool reduced = options.reduction != LossReduction::none;
  const Tensor weights = detail::class_weights("cross_entropy", logits.value(), options.weight, classes.classes);
  const double total = options.reduction == LossReduction::mean ? counted(classes, weights) : 1;
  const double scale = total == 0 ? 0 : 1 / total;
  if (!weights.defined()) return fused(logits, targets, std::move(classes), {}, reduced, scale);

  const double smoothing = std::exchange(classes.smoothing, 0);
  if (total == 0) classes = without(std::move(classes), [](std::int64_t) { return true; });
  Var loss, smooth;
  if (smoothing < 1) {
    const auto left_out = [&](std::int64_t row) { return weights.data<double>()[row] == 0; };
    loss = fused(logits, targets, without(classes, left_out), weights.to(logits.dtype()), reduced, scale);
  }
  if (smoothing > 0) {
    // Each class has its own weight in the share that goes to all of them.
    smooth = smoothing_losses(logits, classes, options.weight);
    smooth = (reduced ? sum(smooth) * scale : reshape(smooth, targets.shape())) *
             (smoothing / static_cast<double>(std::max<std::int64_t>(logits.shape().back(), 1)));
  }
  if (!smooth.defined()) return loss;
  return loss.defined() ? loss * (1 - smoothing) + smooth : smooth;
}

Var nll_loss(const Var& log_probs, const Tensor& targets, const NLLLossOptions& options) {
  const char* const op = "nll_loss";
  Tensor classes = detail::own_classes(op, log_probs.value(), targets, &options.ignore_index);
  const Tensor weights = detail::class_weights(op, log_probs.value(), options.weight, classes);
  Tensor ignored = Tensor::empty(classes.shape(), boolean);
  auto* const ignore = ignored.mutable_data<bool>();
  auto* const target = classes.mutable_data<std::int64_t>();
  double counted = 0;
  for (std::int64_t i = 0; i < classes.numel(); ++i) {
    ignore[i] = target[i] == options.ignore_index;
    if (ignore[i])
      target[i] = 0;  // any class will do
    else
      counted += weights.defined() ? weights.data<double>()[i] : 1;
  }
  Var losses = -detail::pick(log_probs, classes);
  if (weights.defined()) losses = losses * weights.to(log_probs.dtype());
  losses = masked_fill(losses, ignored, 0);
  if (options.reduction == LossReduction::none) return losses;
  return options.reduction == LossReduction::mean && counted != 0 ? sum(losses) / counted : sum(losses);
}

// -y p log s(x) - (1 - y) log s(-x), without what a target of 0 or 1 doesn't ask for
Var binary_cross_entropy_with_logits(const Var& logits, const Var& target, const BCEWithLogitsOptions& options) {
  const char* const op = "binary_cross_entropy_with_logits";
  detail::check_alike(op, {{"logits", logits.value()}, {"target", target.value()}});
  const auto times = [&](const Var& losses, const char* name, const Tensor& factor) {
    if (!factor.defined()) return losses;
    detail::check_one_dtype(op, {{"logits", logits.value()}, {name, factor}});
    check<ShapeError>(broadcast(logits.shape(), factor.shape(), op) == logits.shape(), op,
                      "{} {} doesn't broadcast to the logits {}", name, factor.shape(), logits.shape());
    return losses * factor;
  };
  const Var positive = times(guarded_mul(target, logsigmoid(logits)), "pos_weight", options.pos_weight);
  const Var negative = guarded_mul(1 - target, logsigmoid(-logits));
  return detail::reduce_loss(times(-(positive + negative), "weight", options.weight), options.reduction);
}

Var kl_div(const Var& input, const Var& target, LossReduction reduction, bool log_target) {
  detail::check_alike("kl_div", {{"input", input.value()}, {"target", target.value()}});
  const Var probability = log_target ? exp(target) : target;
  // A NaN of the input is shown even where it makes no difference.
  const Tensor none =
      kernels::where(kernels::binary(Binary::eq, probability.value(), 0.0),
                     kernels::binary(Binary::eq, input.value(), input.value(), "kl_div"), Tensor::zeros({}, boolean), "kl_div");
  const Var difference = (log_target ? target : log(target)) - input;
  return detail::reduce_loss(probability * masked_fill(difference, none, 0), reduction);
}

}  // namespace weft
