#pragma once
#include <initializer_list>
#include <span>

#include "weft/autograd/var.hpp"

namespace weft {

// Variance and norms (f32, f64) over all elements or over some axes, which are given as in reduce.hpp.
// Throw IndexError for an axis out of range or named twice, DTypeError, ValueError for an undefined input.

struct VarianceOptions {
  double correction = 1;  ///< taken from the number of elements: 1 makes the estimate unbiased, 0 is the plain mean
  bool keepdim = false;
};

/// sum((x - mean)^2) / max(n - correction, 0); NaN of nothing.
Var var(const Var& x, VarianceOptions options = {});
Var var(const Var& x, std::initializer_list<int> axes, VarianceOptions options = {});
Var var(const Var& x, std::span<const int> axes, VarianceOptions options = {});

/// Its square root; the gradient is 0 where that is 0.
Var std(const Var& x, VarianceOptions options = {});
Var std(const Var& x, std::initializer_list<int> axes, VarianceOptions options = {});
Var std(const Var& x, std::span<const int> axes, VarianceOptions options = {});

/// (sum |x|^p)^(1/p) for any p; for infinite p the largest (or smallest) |x|, equal ones share the gradient evenly; for 0
/// how many aren't 0. For p = 2 without overflow of the squares in f32. Where the norm is 0 the gradient is 0.
/// Throws ValueError for p = NaN, and for infinite p where there is nothing to choose from.
Var norm(const Var& x, double p = 2);
Var norm(const Var& x, double p, std::initializer_list<int> axes, bool keepdim = false);
Var norm(const Var& x, double p, std::span<const int> axes, bool keepdim = false);

}  // namespace weft
