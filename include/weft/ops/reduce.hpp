#pragma once
#include <initializer_list>
#include <span>

#include "weft/autograd/var.hpp"

namespace weft {

// Reductions over all elements, or over some axes: in any order, negative ones count from the end, with keepdim they stay
// with size 1. No axes at all ({}) reduce nothing. Throws IndexError for an axis out of range or named twice, DTypeError
// for the dtypes that a function doesn't take, ValueError for an undefined input. Results don't depend on the number of
// threads. Variance and norms stand in statistics.hpp.

/// Sum; of nothing 0. Integers and bool add up to i64.
Var sum(const Var& x);
Var sum(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var sum(const Var& x, std::span<const int> axes, bool keepdim = false);

/// Mean (f32, f64); of nothing NaN.
Var mean(const Var& x);
Var mean(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var mean(const Var& x, std::span<const int> axes, bool keepdim = false);

/// Product; of nothing 1. Integers and bool multiply to i64. The gradient is right where there are zeros, too.
Var prod(const Var& x);
Var prod(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var prod(const Var& x, std::span<const int> axes, bool keepdim = false);

/// Largest and smallest element (torch.amax, amin); NaN where there is one. Equal ones share the gradient evenly.
/// Throws ValueError where there is nothing to choose from.
Var max(const Var& x);
Var max(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var max(const Var& x, std::span<const int> axes, bool keepdim = false);
Var min(const Var& x);
Var min(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var min(const Var& x, std::span<const int> axes, bool keepdim = false);

/// log(sum(exp(x))) without overflow (f32, f64). Of nothing, or of -inf alone, it is -inf with a gradient of 0.
Var logsumexp(const Var& x);
Var logsumexp(const Var& x, std::initializer_list<int> axes, bool keepdim = false);
Var logsumexp(const Var& x, std::span<const int> axes, bool keepdim = false);

/// Where the largest or the smallest element stands: i64, of equal ones the first, a NaN before all. Without an axis the
/// place in row-major order. Not differentiable. Throws ValueError where there is nothing to choose from.
Tensor argmax(const Var& x);
Tensor argmax(const Var& x, int axis, bool keepdim = false);
Tensor argmin(const Var& x);
Tensor argmin(const Var& x, int axis, bool keepdim = false);

/// Whether one element, or every element, of a bool tensor is true; of nothing false and true.
Tensor any(const Tensor& x);
Tensor any(const Tensor& x, std::initializer_list<int> axes, bool keepdim = false);
Tensor any(const Tensor& x, std::span<const int> axes, bool keepdim = false);
Tensor all(const Tensor& x);
Tensor all(const Tensor& x, std::initializer_list<int> axes, bool keepdim = false);
Tensor all(const Tensor& x, std::span<const int> axes, bool keepdim = false);

}  // namespace weft
