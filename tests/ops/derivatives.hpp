#pragma once
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <span>
#include <utility>

#include "weft/autograd/tape.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::test {

using Function = std::function<Var(const Var&)>;

/// The derivative of f's sum.
inline Tensor gradient(const Function& f, const Tensor& x) {
  Tape tape;
  const Var leaf = tape.leaf(x);
  tape.backward(sum(f(leaf)));
  return tape.grad(leaf);
}

/// d/dx of sum(square(gradient)).
inline Tensor second_gradient(const Function& f, const Tensor& x) {
  Tape tape;
  const Var leaf = tape.leaf(x);
  tape.backward(sum(f(leaf)), {.create_graph = true});
  const Var first = tape.grad_var(leaf);
  if (!first.requires_grad()) return Tensor::zeros(x.shape(), x.dtype());  // linear in pieces
  tape.backward(sum(square(first)));
  return tape.grad(leaf);
}

inline bool all_finite(const Tensor& x) {
  const Tensor wide = x.to(f64).contiguous();
  for (std::int64_t i = 0; i < wide.numel(); ++i)
    if (!std::isfinite(wide.data<double>()[i])) return false;
  return true;
}

/// What a mask takes away behind f leaves no trace in a gradient, of second order as well.
inline void check_masked(const Function& f) {
  const Tensor keep = Tensor::from<bool>({true, false, false, false, false, false, false, false}, {8});
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({0.7, std::nan(""), HUGE_VAL, -HUGE_VAL, 0, 1e30, -1e30, -1}, {8}).to(type);
    const Function masked = [&](const Var& in) { return where(keep, f(in), Var::scalar(0, in.dtype())); };
    CHECK(all_finite(gradient(masked, x)));
    CHECK(all_finite(second_gradient(masked, x)));
    const Function filled = [&](const Var& in) {
      return masked_fill(f(in), where(keep, Tensor::zeros({}, boolean), Tensor::ones({}, boolean)).value(), 0);
    };
    CHECK(all_finite(gradient(filled, x)));
  }
}

struct Point {
  Function function;
  double x, value, derivative;
};

/// Values and derivatives in f64; NaN is met by NaN alone.
inline void check_points(std::span<const Point> points) {
  const auto meets = [](double got, double wanted) {
    return got == wanted || (std::isnan(got) && std::isnan(wanted)) || std::abs(got - wanted) <= 1e-12 * std::abs(wanted);
  };
  int number = 0;
  for (const Point& point : points) {
    const Tensor x = Tensor::full({}, point.x, f64);
    const double value = point.function(x).item(), derivative = gradient(point.function, x).item();
    INFO("row ", number++, ": value ", value, ", derivative ", derivative);
    CHECK(meets(value, point.value));
    CHECK(meets(derivative, point.derivative));
  }
}

}  // namespace weft::test
