#include "weft/ops/entmax.hpp"

#include "base/fail.hpp"
#include "kernels/entmax.hpp"
#include "ops/axes.hpp"
#include "ops/guarded.hpp"
#include "ops/mask_dtype.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

// `function` works on the last axis of rows and a mask that fits them; others are brought there.
template <class Function>
Var along(const Var& x, int axis, const Tensor& mask, const char* op, const Function& function) {
  check<ValueError>(x.defined(), op, "the input is undefined");
  check_floating(op, x);
  Tensor kept = mask;
  if (mask.defined()) {
    check_mask_dtype(op, "the mask", mask);
    check<ShapeError>(broadcast(x.shape(), mask.shape(), op) == x.shape(), op, "the mask {} doesn't broadcast to the input {}",
                      mask.shape(), x.shape());
    kept = mask.expand(x.shape());
  }
  if (x.rank() == 0) return reshape(function(reshape(x, {1}), kept.defined() ? kept.reshape({1}) : kept), Shape{});
  axis = x.shape().axis(axis, op);
  if (axis == x.rank() - 1) return function(x, kept);
  return transpose(function(transpose(x, axis, -1), kept.defined() ? kept.transpose(axis, -1) : kept), axis, -1);
}

// What comes in where y isn't 0, times `factor`. What comes in elsewhere, NaN included, counts for nothing.
Var at_support(const Var& g, const Tensor& support, const Var& factor) {
  return guarded_mul(where(support, g, Var::scalar(0, g.dtype())), factor);
}

// g - share sum(g) / sum(share) where y isn't 0: a NaN there reaches no other place of its row.
Var without_mean(const Var& g, const Tensor& support, const Var& share) {
  const Var result = g - guarded_mul(guarded_div(sum(g, {-1}, true), sum(share, {-1}, true)), share);
  return where(support, result, Var::scalar(0, g.dtype()));
}

}  // namespace

// With s = 1 where y isn't 0:  dx = s (g - sum(s g) / sum(s))
Var sparsemax(const Var& x, int axis, const Tensor& mask) {
  return along(x, axis, mask, "sparsemax", [](const Var& rows, const Tensor& kept) {
    const Tensor y = kernels::sparsemax(rows.value(), kept);
    return record("sparsemax", y, {&rows}, [y = Saved(y)](Sink& s) {
      const Tensor support = ne(y.value(), 0);
      const Var ones = where(support, Var(y.value()) * 0.0 + 1.0, Var::scalar(0, y.value().dtype()));  // a NaN shows
      s.add(0, without_mean(at_support(s.grad(), support, ones), support, ones));
    });
  });
}

// With r = sqrt(y):  dx = r (g - sum(r g) / sum(r))
Var entmax15(const Var& x, int axis, const Tensor& mask) {
  return along(x, axis, mask, "entmax15", [](const Var& rows, const Tensor& kept) {
    const Tensor y = kernels::entmax15(rows.value(), kept);
    return record("entmax15", y, {&rows}, [y = Saved(y)](Sink& s) {
      const Var output = s.output(y), zero = Var::scalar(0, output.dtype());
      const Tensor support = ne(output, 0);
      // 1 for the zeros, where a root has no derivative.
      const Var root = where(support, sqrt(where(support, output, zero + 1.0)), zero);
      s.add(0, without_mean(at_support(s.grad(), support, root), support, root));
    });
  });
}

}  // namespace weft
