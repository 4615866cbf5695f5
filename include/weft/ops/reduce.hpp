#pragma once
#include <initializer_list>
#include <span>

#include "weft/autograd/var.hpp"

namespace weft {

// Reductions over all elements, or over some axes: in any order, negative ones count from the end, with keepdim they stay
// with size 1. No axes at all ({}) reduce nothing. Throws IndexError for an axis out of range or named twice,
// DTypeError for the dtypes that a function doesn't take. Results don't depend on the number of threads.

/// Sum; of nothing 0. Integers and bool add up to i64.
Var sum(const Var& x);
Var sum(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var sum(const Var& x, std::span<const int> axes, bool keepdim = false);

/// Mean (f32, f64); of nothing NaN.
Var mean(const Var& x);
Var mean(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var mean(const Var& x, std::span<const int> axes, bool keepdim = false);

/// Largest element; NaN where there is one. Equal largest elements share the gradient evenly.
/// Throws ValueError where there is nothing to choose from.
Var max(const Var& x);
Var max(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var max(const Var& x, std::span<const int> axes, bool keepdim = false);

/// log(sum(exp(x))) without overflow (f32, f64). Of nothing, or of -inf alone, it is -inf with a gradient of 0.
Var logsumexp(const Var& x);
Var logsumexp(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var logsumexp(const Var& x, std::span<const int> axes, bool keepdim = false);

}  // namespace weft
