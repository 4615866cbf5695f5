#pragma once
#include <initializer_list>

#include "base/fail.hpp"
#include "weft/autograd/var.hpp"
#include "weft/ops/loss.hpp"

namespace weft::detail {

// What the losses have in common.

/// An argument and its name in messages.
struct LossArgument {
  const char* name;
  const Tensor& value;
};

/// ValueError for an undefined one.
void check_defined(const char* op, std::initializer_list<LossArgument> arguments);
/// All are f32 or all are f64.
void check_one_dtype(const char* op, std::initializer_list<LossArgument> arguments);
/// And all have the first one's shape: a loss that broadcasts hides mistakes.
void check_alike(const char* op, std::initializer_list<LossArgument> arguments);

/// Integers as a dense i64 tensor of its own: the caller may use the same one for the next batch before this one's backward.
Tensor own_integers(const char* op, const LossArgument& argument);

/// Classes of rows [..., V], [...]: IndexError for one outside 0 to V - 1 that isn't `ignored`. Gives an own_integers copy.
Tensor own_classes(const char* op, const Tensor& rows, const Tensor& targets, const std::int64_t* ignored = nullptr);

/// The elements of rows [..., V] at their classes.
Var pick(const Var& rows, const Tensor& classes);

/// f64: weight [V] at each row's class, 0 for a class that is none; undefined where the weight is.
Tensor class_weights(const char* op, const Tensor& rows, const Tensor& weight, const Tensor& classes);

/// Labels of 1 and -1, integers or floating, of the given shape: where they are 1. ValueError for others.
Tensor positives(const char* op, const Tensor& labels, const Shape& shape);

/// The mean of no losses is 0.
Var reduce_loss(const Var& losses, LossReduction reduction);

}  // namespace weft::detail
