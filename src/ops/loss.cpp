#include "weft/ops/loss.hpp"

#include "kernels/cross_entropy.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"
#include "ops/guarded.hpp"
#include "ops/loss_support.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft {
namespace {

using kernels::Binary;
using kernels::CrossEntropyTargets;

CrossEntropyTargets targets_of(const Var& logits, const Tensor& targets, const CrossEntropyOptions& options) {
  check<DTypeError>(is_floating(logits.dtype()) && is_integer(targets.dtype()), "cross_entropy",
                    "logits are {}, targets {}; floating logits and integer targets are needed", logits.value(), targets);
  check<ShapeError>(logits.rank() >= 1 && logits.shape().without(-1) == targets.shape(), "cross_entropy",
                    "targets {} don't fit logits {}: one class for each row of the last dimension is needed", targets.shape(),
                    logits.shape());
  check<ValueError>(options.label_smoothing >= 0 && options.label_smoothing <= 1, "cross_entropy",
                    "label_smoothing is {}; it must be in [0, 1]", options.label_smoothing);
  check<ShapeError>(logits.shape().back() > 0 || targets.numel() == 0, "cross_entropy", "logits {} have no classes",
                    logits.shape());
  // A copy of its own: the caller may use the same tensor for the next batch before this one's backward.
  const Tensor own = targets.dtype() == i64 ? targets.clone() : targets.to(i64);
  return {own.reshape({targets.numel()}), options.ignore_index, options.label_smoothing};
}

std::int64_t counted(const CrossEntropyTargets& targets) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < targets.classes.numel(); ++i)
    count += targets.classes.data<std::int64_t>()[i] != targets.ignore_index ? 1 : 0;
  return count;
}

// The distribution that the loss asks for, [rows, V]; ignored rows are zeros. For the composite rule alone.
Tensor distribution(const CrossEntropyTargets& targets, const Tensor& logits) {
  Tensor all = Tensor::full(logits.shape(), targets.smoothing / static_cast<double>(logits.size(1)), logits.dtype());
  for (std::int64_t row = 0; row < logits.size(0); ++row) {
    const std::int64_t target = targets.classes.data<std::int64_t>()[row];
    Tensor part = all.select(0, row);
    if (target == targets.ignore_index) {
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
  Tensor counts = Tensor::empty({logits.size(0), 1}, boolean);
  for (std::int64_t row = 0; row < logits.size(0); ++row)
    counts.mutable_data<bool>()[row] = targets.classes.data<std::int64_t>()[row] != targets.ignore_index;
  const Var zero = Var::scalar(0, logits.dtype());
  const Var difference = softmax(where(counts, logits, zero), -1) - distribution(targets, logits.value());
  return where(counts, guarded_mul(unsqueeze(factors, 1), difference), zero);
}

// log(1 + e) for e of 0 to 1: the logarithm's argument loses digits of e, the quotient gives them back.
Tensor log1p(const Tensor& e) {
  const Tensor u = kernels::binary(Binary::add, e, 1.0), lost = kernels::binary(Binary::eq, u, 1.0);
  const Tensor quotient = kernels::binary(Binary::div, e, kernels::binary(Binary::sub, u, 1.0), "log1p");
  return kernels::where(lost, e, kernels::binary(Binary::mul, kernels::unary(kernels::Unary::log, u), quotient, "log1p"),
                        "log1p");
}

// min(x, 0) - log(1 + e^-|x|)
Var logsigmoid(const Var& x) {
  using kernels::Unary;
  const Tensor e = kernels::unary(Unary::exp, kernels::unary(Unary::neg, kernels::unary(Unary::abs, x.value())));
  Tensor y = kernels::binary(Binary::sub, kernels::binary(Binary::minimum, x.value(), 0.0), log1p(e), "logsigmoid");
  return record("logsigmoid", std::move(y), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, guarded_mul(s.grad(), sigmoid(-x.get()))); });
}

}  // namespace

Var cross_entropy(const Var& logits, const Tensor& targets, const CrossEntropyOptions& options) {
  CrossEntropyTargets classes = targets_of(logits, targets, options);
  const std::int64_t rows = targets.numel(), width = logits.shape().back();
  const Tensor flat = kernels::dense(logits.value()).reshape({rows, width});
  Tensor losses = Tensor::empty({rows}, logits.dtype()), normalisers = Tensor::empty({rows, 2}, logits.dtype());
  kernels::cross_entropy(flat, classes, losses, normalisers);

  const bool reduced = options.reduction != LossReduction::none;
  const std::int64_t count = options.reduction == LossReduction::mean ? counted(classes) : 1;
  const double weight = count == 0 ? 0 : 1.0 / static_cast<double>(count);
  Tensor value = losses.reshape(targets.shape());
  if (reduced) value = kernels::binary(Binary::mul, kernels::sum_to(losses, Shape{}), weight);

  return record("cross_entropy", std::move(value), {&logits},
                [logits = Saved(logits), flat_shape = flat.shape(), targets = Saved(targets), classes = std::move(classes),
                 normalisers, weight, rows, reduced](Sink& s) {
                  static_cast<void>(targets.value());  // `classes` may share it
                  const Var weights = reduced ? expand(s.grad() * weight, {rows}) : reshape(s.grad(), {rows});
                  if (s.recording())
                    return s.add(0, reshape(composite_gradient(reshape(logits.get(), flat_shape), classes, weights),
                                            logits.get().shape()));
                  const Tensor x = kernels::dense(logits.value()).reshape(flat_shape);
                  Tensor gradient = x.empty_like();
                  kernels::cross_entropy_backward(x, classes, normalisers, kernels::dense(weights.value()), gradient);
                  s.add(0, gradient.reshape(logits.get().shape()));
                });
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
