#include "ops/loss_support.hpp"

#include <cmath>

#include "base/place.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::detail {

void check_defined(const char* op, std::initializer_list<LossArgument> arguments) {
  for (const LossArgument& argument : arguments)
    check<ValueError>(argument.value.defined(), op, "undefined {}: a tensor is needed", argument.name);
}

void check_one_dtype(const char* op, std::initializer_list<LossArgument> arguments) {
  check_defined(op, arguments);
  const LossArgument& first = *arguments.begin();
  check<DTypeError>(is_floating(first.value.dtype()), op, "f32 or f64 is needed for the {}, not {}", first.name, first.value);
  for (const LossArgument& argument : arguments)
    check<DTypeError>(argument.value.dtype() == first.value.dtype(), op, "{} {} and {} {} differ in type; convert one",
                      first.name, first.value, argument.name, argument.value);
}

void check_alike(const char* op, std::initializer_list<LossArgument> arguments) {
  check_one_dtype(op, arguments);
  const LossArgument& first = *arguments.begin();
  for (const LossArgument& argument : arguments)
    check<ShapeError>(argument.value.shape() == first.value.shape(), op,
                      "{} {} and {} {} differ in shape; losses don't broadcast, reshape or expand one", first.name,
                      first.value.shape(), argument.name, argument.value.shape());
}

Tensor own_integers(const char* op, const LossArgument& argument) {
  check<DTypeError>(is_integer(argument.value.dtype()), op, "i32 or i64 is needed for the {}, not {}", argument.name,
                    argument.value);
  return argument.value.dtype() == i64 ? argument.value.clone() : argument.value.to(i64);
}

namespace {

// For rows [N, V, ...] with targets [N, ...], which is PyTorch's layout, and for targets that have a number for each class.
std::string hint_of_layout(const Shape& rows, const Shape& targets) {
  if (rows == targets) return rows.rank() > 0 ? "; one-hot targets become classes by argmax(targets, -1)" : "";
  if (rows.rank() < 3 || rows.without(1) != targets) return "";
  std::string axes = "0";
  for (int axis = 2; axis < rows.rank(); ++axis) axes += fmt::format(", {}", axis);
  return fmt::format("; the classes are last here, not second as in PyTorch: permute(input, {{{}, 1}})", axes);
}

}  // namespace

Tensor own_classes(const char* op, const Tensor& rows, const Tensor& targets, const std::int64_t* ignored) {
  check_defined(op, {{"input", rows}, {"target", targets}});
  check<DTypeError>(is_floating(rows.dtype()), op, "f32 or f64 is needed for the input, not {}", rows);
  Tensor own = own_integers(op, {"targets", targets});
  if (rows.rank() < 1 || rows.shape().without(-1) != targets.shape())
    fail<ShapeError>(op, "targets {} don't fit the input {}: one class for each row of the last dimension is needed{}",
                     targets.shape(), rows.shape(), hint_of_layout(rows.shape(), targets.shape()));
  const std::int64_t classes = rows.shape().back();
  check<ShapeError>(classes > 0 || targets.numel() == 0, op, "the input {} has no classes", rows.shape());
  for (std::int64_t i = 0; i < own.numel(); ++i) {
    const std::int64_t target = own.data<std::int64_t>()[i];
    const bool fits = (target >= 0 && target < classes) || (ignored != nullptr && target == *ignored);
    if (fits) continue;
    const std::string unless = ignored != nullptr ? fmt::format(", and isn't ignore_index {}", *ignored) : "";
    fail<IndexError>(op,
                     "target {} at {} of targets {} is outside 0 to {}, the classes of the input {}{}; classes count from 0",
                     target, place_of(targets.shape(), i), targets.shape(), classes - 1, rows.shape(), unless);
  }
  return own;
}

Var pick(const Var& rows, const Tensor& classes) { return squeeze(gather(rows, -1, classes.unsqueeze(-1)), -1); }

Tensor class_weights(const char* op, const Tensor& rows, const Tensor& weight, const Tensor& classes) {
  if (!weight.defined()) return {};
  check_one_dtype(op, {{"input", rows}, {"weight", weight}});
  check<ShapeError>(weight.shape() == Shape{rows.shape().back()}, op,
                    "the weight {} doesn't fit the input {}: one a class is needed", weight.shape(), rows.shape());
  const Tensor numbers = weight.to(f64).contiguous();
  for (std::int64_t k = 0; k < numbers.numel(); ++k) {
    const double factor = numbers.data<double>()[k];
    check<ValueError>(std::isfinite(factor) && factor >= 0, op, "the weight of class {} is {}; it must be finite, 0 or more", k,
                      factor);
  }
  Tensor result = Tensor::empty(classes.shape(), f64);
  double* const to = result.mutable_data<double>();
  for (std::int64_t i = 0; i < classes.numel(); ++i) {
    const std::int64_t k = classes.data<std::int64_t>()[i];
    to[i] = k >= 0 && k < numbers.numel() ? numbers.data<double>()[k] : 0;
  }
  return result;
}

Tensor positives(const char* op, const Tensor& labels, const Shape& shape) {
  check_defined(op, {{"target", labels}});
  check<DTypeError>(labels.dtype() != boolean, op, "the target is {}; numbers are needed, 1 or -1", labels);
  check<ShapeError>(labels.shape() == shape, op, "the target {} doesn't fit: {} is needed", labels.shape(), shape);
  const Tensor numbers = labels.to(f64).contiguous();
  Tensor result = Tensor::empty(shape, boolean);
  bool* const positive = result.mutable_data<bool>();
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    const double label = numbers.data<double>()[i];
    if (label != 1 && label != -1)
      fail<ValueError>(op, "the target is {} at {} of {}; 1 or -1 is needed", label, place_of(shape, i), shape);
    positive[i] = label == 1;
  }
  return result;
}

Var reduce_loss(const Var& losses, LossReduction reduction) {
  if (reduction == LossReduction::none) return losses;
  return reduction == LossReduction::mean && losses.numel() > 0 ? mean(losses) : sum(losses);
}

}  // namespace weft::detail
