#include "weft/ops/softmax.hpp"

#include "base/fail.hpp"
#include "kernels/softmax.hpp"
#include "ops/guarded.hpp"
#include "ops/mask_dtype.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

void check_floating(const Var& x, const char* op) {
  check<DTypeError>(is_floating(x.dtype()), op, "the input is {}; f32 or f64 is needed", x.value());
}

// `function` works on the last axis; others are brought there.
template <class Function>
Var along(const Var& x, int axis, const char* op, const Function& function) {
  check_floating(x, op);
  if (x.rank() == 0) return reshape(function(reshape(x, {1})), Shape{});
  axis = x.shape().axis(axis, op);
  if (axis == x.rank() - 1) return function(x);
  return transpose(function(transpose(x, axis, -1)), axis, -1);
}

}  // namespace

// dx = y (g - sum(y g))
Var softmax(const Var& x, int axis) {
  return along(x, axis, "softmax", [](const Var& rows) {
    const Tensor y = kernels::softmax(rows.value());
    return record("softmax", y, {&rows}, [y = Saved(y)](Sink& s) {
      if (!s.recording()) return s.add(0, kernels::softmax_backward(y.value(), s.grad().value(), Tensor()));
      const Var g = s.grad(), output = s.output(y);
      s.add(0, guarded_mul(g - sum(guarded_mul(g, output), {-1}, true), output));
    });
  });
}

// dx = g - exp(y) sum(g)
Var log_softmax(const Var& x, int axis) {
  return along(x, axis, "log_softmax", [](const Var& rows) {
    const Tensor y = kernels::log_softmax(rows.value());
    return record("log_softmax", y, {&rows}, [y = Saved(y)](Sink& s) {
      if (!s.recording()) return s.add(0, kernels::log_softmax_backward(y.value(), s.grad().value()));
      const Var g = s.grad();
      s.add(0, g - guarded_mul(sum(g, {-1}, true), exp(s.output(y))));
    });
  });
}

Var masked_softmax(const Var& x, const Tensor& mask) {
  check_floating(x, "masked_softmax");
  check_mask_dtype("masked_softmax", "the mask", mask);
  check<ShapeError>(broadcast(x.shape(), mask.shape(), "masked_softmax") == x.shape(), "masked_softmax",
                    "the mask {} doesn't broadcast to the input {}", mask.shape(), x.shape());
  if (x.rank() == 0) return reshape(masked_softmax(reshape(x, {1}), mask.reshape({1})), Shape{});
  const Tensor y = kernels::masked_softmax(x.value(), mask);
  return record("masked_softmax", y, {&x}, [y = Saved(y), mask = Saved(mask)](Sink& s) {
    if (!s.recording()) return s.add(0, kernels::softmax_backward(y.value(), s.grad().value(), mask.value()));
    const Var output = s.output(y), zero = Var::scalar(0, output.dtype()), g = where(mask.value(), s.grad(), zero);
    s.add(0, guarded_mul(where(mask.value(), g - sum(guarded_mul(g, output), {-1}, true), zero), output));
  });
}

}  // namespace weft
