#include "ops/loss_support.hpp"

#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::detail {

void check_defined(const char* op, std::initializer_list<LossArgument> arguments) {
  for (const LossArgument& argument : arguments)
    check<ValueError>(argument.value.defined(), op, "the {} is undefined; a tensor is needed", argument.name);
}

void check_one_dtype(const char* op, std::initializer_list<LossArgument> arguments) {
  check_defined(op, arguments);
  const LossArgument& first = *arguments.begin();
  for (const LossArgument& argument : arguments)
    check<DTypeError>(is_floating(first.value.dtype()) && argument.value.dtype() == first.value.dtype(), op,
                      "the {} is {} and the {} {}; f32 or f64 is needed, the same for all", first.name, first.value,
                      argument.name, argument.value);
}

void check_alike(const char* op, std::initializer_list<LossArgument> arguments) {
  check_one_dtype(op, arguments);
  const LossArgument& first = *arguments.begin();
  for (const LossArgument& argument : arguments)
    check<ShapeError>(argument.value.shape() == first.value.shape(), op,
                      "the {} {} and the {} {} differ in shape; losses don't broadcast, reshape or expand one", first.name,
                      first.value.shape(), argument.name, argument.value.shape());
}

Tensor own_integers(const char* op, const LossArgument& argument) {
  check<DTypeError>(is_integer(argument.value.dtype()), op, "the {} are {}; i32 or i64 is needed", argument.name,
                    argument.value);
  return argument.value.dtype() == i64 ? argument.value.clone() : argument.value.to(i64);
}

Tensor own_classes(const char* op, const Tensor& rows, const Tensor& targets, const std::int64_t* ignored) {
  check_defined(op, {{"input", rows}, {"target", targets}});
  check<DTypeError>(is_floating(rows.dtype()), op, "the input is {}; f32 or f64 is needed", rows);
  Tensor own = own_integers(op, {"targets", targets});
  check<ShapeError>(rows.rank() >= 1 && rows.shape().without(-1) == targets.shape(), op,
                    "targets {} don't fit the input {}: one class for each row of the last dimension is needed",
                    targets.shape(), rows.shape());
  const std::int64_t classes = rows.shape().back();
  for (std::int64_t i = 0; i < own.numel(); ++i) {
    const std::int64_t target = own.data<std::int64_t>()[i];
    const bool fits = (target >= 0 && target < classes) || (ignored != nullptr && target == *ignored);
    check<IndexError>(fits, op, "target {} at position {} is outside 0 to {} (input {}, targets {})", target, i, classes - 1,
                      rows.shape(), targets.shape());
  }
  return own;
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
    check<ValueError>(label == 1 || label == -1, op, "the target is {} at position {} of {}; 1 or -1 is needed", label, i,
                      shape);
    positive[i] = label == 1;
  }
  return result;
}

Var reduce_loss(const Var& losses, LossReduction reduction) {
  if (reduction == LossReduction::none) return losses;
  return reduction == LossReduction::mean && losses.numel() > 0 ? mean(losses) : sum(losses);
}

}  // namespace weft::detail
