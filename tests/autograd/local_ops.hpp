#pragma once
#include "autograd/linear_maps.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"
#include "weft/autograd/record.hpp"

namespace weft::test {

using maps::gather_rows;
using maps::slice;
using maps::sum_to;

// A few operations of the tests' own: the tape is tested without the layer above it.

inline Var plus(const Var& a, const Var& b) {
  return record("plus", kernels::add(a.value(), b.value()), {&a, &b}, [](Sink& s) {
    s.add(0, s.grad());
    s.add(1, s.grad());
  });
}

inline Var times(const Var& a, const Var& b) {
  return record("times", kernels::binary(kernels::Binary::mul, a.value(), b.value(), "times"), {&a, &b},
                [a = Saved(a, b.requires_grad()), b = Saved(b, a.requires_grad())](Sink& s) {
                  if (s.wants(0)) s.add(0, times(s.grad(), b.get()));
                  if (s.wants(1)) s.add(1, times(s.grad(), a.get()));
                });
}

inline Var exponential(const Var& x) {
  const Tensor y = kernels::unary(kernels::Unary::exp, x.value());
  return record("exponential", y, {&x}, [y = Saved(y)](Sink& s) { s.add(0, times(s.grad(), s.output(y))); });
}

/// The sum of all elements.
inline Var total(const Var& x) { return sum_to(x, {}); }

inline Tensor vector(std::initializer_list<double> values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

}  // namespace weft::test
