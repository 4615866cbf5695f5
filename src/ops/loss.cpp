#include "weft/ops/loss.hpp"

#include "base/fail.hpp"
#include "kernels/cross_entropy.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft {
namespace {

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
  return where(counts, difference * unsqueeze(factors, 1), zero);
}

}  // namespace

Var cross_entropy(const Var& logits, const Tensor& targets, const CrossEntropyOptions& options) {
  CrossEntropyTargets classes = targets_of(logits, targets, options);
  const std::int64_t rows = targets.numel(), width = logits.shape().back();
  const Tensor flat = kernels::dense(logits.value()).reshape({rows, width});
  Tensor losses = Tensor::empty({rows}, logits.dtype()), logsumexps = losses.empty_like();
  kernels::cross_entropy(flat, classes, losses, logsumexps);

  const bool reduced = options.reduction != LossReduction::none;
  const std::int64_t count = options.reduction == LossReduction::mean ? counted(classes) : 1;
  const double weight = count == 0 ? 0 : 1.0 / static_cast<double>(count);
  Tensor value = losses.reshape(targets.shape());
  if (reduced) value = kernels::binary(kernels::Binary::mul, kernels::sum_to(losses, Shape{}), weight);

  return record("cross_entropy", std::move(value), {&logits},
                [logits = Saved(logits), flat_shape = flat.shape(), targets = Saved(targets), classes = std::move(classes),
                 logsumexps, weight, rows, reduced](Sink& s) {
                  static_cast<void>(targets.value());  // `classes` may share it
                  const Var weights = reduced ? expand(s.grad() * weight, {rows}) : reshape(s.grad(), {rows});
                  if (s.recording())
                    return s.add(0, reshape(composite_gradient(reshape(logits.get(), flat_shape), classes, weights),
                                            logits.get().shape()));
                  const Tensor x = kernels::dense(logits.value()).reshape(flat_shape);
                  Tensor gradient = x.empty_like();
                  kernels::cross_entropy_backward(x, classes, logsumexps, kernels::dense(weights.value()), gradient);
                  s.add(0, gradient.reshape(logits.get().shape()));
                });
}

}  // namespace weft
