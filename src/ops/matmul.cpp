#include "weft/ops/matmul.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

#include "base/fail.hpp"
#include "kernels/matmul.hpp"
#include "ops/matmul_transposed.hpp"
#include "ops/sizes.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

// All leading dimensions as rows of one matrix.
Tensor rows_of(const Tensor& x) {
  return x.reshape({x.numel() / std::max<std::int64_t>(x.shape().back(), 1), x.shape().back()});
}

Shape with_last(const Shape& shape, std::int64_t size) { return shape.with(shape.rank() - 1, size); }

bool same_batch(const Var& a, const Var& b) {
  return a.rank() == b.rank() && std::equal(a.shape().begin(), a.shape().end() - 2, b.shape().begin());
}

Var transposed(const Var& x) { return transpose(x, -1, -2); }

// `integers` are taken too, where it says so.
void check_types(const char* op, const Var& a, const Var& b, bool integers = false) {
  check<ValueError>(a.defined() && b.defined(), op, "the operands are {} and {}; both need a value", a.value(), b.value());
  check<DTypeError>(a.dtype() == b.dtype(), op,
                    "operands {} and {} differ in type; convert data with x.to(f64), a module with model.to(f64)", a.value(),
                    b.value());
  check<DTypeError>(is_floating(a.dtype()) || (integers && is_integer(a.dtype())), op,
                    "operands {} and {}; numbers of {} are needed", a.value(), b.value(),
                    integers ? "f32, f64, i32 or i64" : "f32 or f64");
}

}  // namespace

// C = A B:  dA = dC B^T,  dB = A^T dC
Var matmul(const Var& a, const Var& b) {
  Tensor product = kernels::matmul(a.value(), b.value(), "matmul");
  // Whether B is one matrix for all rows of A, or goes with A batch by batch: its uses then make one product.
  const bool shared = b.rank() == 2, paired = !shared && same_batch(a, b);
  return record("matmul", std::move(product), {&a, &b},
                [a = Saved(a, b.requires_grad()), b = Saved(b, a.requires_grad()), shared, paired](Sink& s) {
                  const Var g = s.grad();
                  if (s.wants(0)) s.add(0, matmul(g, transposed(b.get())));
                  if (!s.wants(1)) return;
                  if (!s.recording() && a.get().numel() > 0 && g.numel() > 0) {
                    if (shared) return s.add_product(1, rows_of(a.value()), rows_of(g.value()));
                    if (paired) return s.add_product(1, a.value(), g.value());
                  }
                  s.add(1, matmul(transposed(a.get()), g));
                });
}

// C = A B^T:  dA = dC B, dB = dC^T A
Var matmul_transposed(const Var& a, const Var& b) {
  Tensor product = kernels::matmul(a.value(), b.value().transpose(-1, -2), "matmul");
  return record("matmul", std::move(product), {&a, &b},
                [a = Saved(a, b.requires_grad()), b = Saved(b, a.requires_grad())](Sink& s) {
                  const Var g = s.grad();
                  if (s.wants(0)) s.add(0, matmul(g, b.get()));
                  if (!s.wants(1)) return;
                  if (!s.recording() && a.get().numel() > 0 && g.numel() > 0) return s.add_product(1, g.value(), a.value());
                  s.add(1, matmul(transposed(g), a.get()));
                });
}

Var bmm(const Var& a, const Var& b) {
  check_types("bmm", a, b);
  check<ShapeError>(a.rank() == 3 && b.rank() == 3 && a.size(0) == b.size(0) && a.size(2) == b.size(1), "bmm",
                    "operands have shapes {} and {}; [batch, m, k] and [batch, k, n] are needed", a.shape(), b.shape());
  return matmul(a, b);
}

Var mv(const Var& matrix, const Var& vector) {
  check_types("mv", matrix, vector);
  check<ShapeError>(matrix.rank() == 2 && vector.rank() == 1 && matrix.size(1) == vector.size(0), "mv",
                    "operands have shapes {} and {}; [m, k] and [k] are needed", matrix.shape(), vector.shape());
  return squeeze(matmul(matrix, unsqueeze(vector, 1)), 1);
}

Var dot(const Var& a, const Var& b) {
  check_types("dot", a, b, true);
  check<ShapeError>(a.rank() == 1 && a.shape() == b.shape(), "dot",
                    "operands have shapes {} and {}; two vectors of one length are needed", a.shape(), b.shape());
  return sum(a * b);
}

Var outer(const Var& a, const Var& b) {
  check_types("outer", a, b, true);
  check<ShapeError>(a.rank() == 1 && b.rank() == 1, "outer", "operands have shapes {} and {}; two vectors are needed",
                    a.shape(), b.shape());
  Sizes sizes(a.shape());
  sizes.append(b.numel(), "outer");
  static_cast<void>(sizes.shape("outer"));  // refused by this name where it is too large
  return unsqueeze(a, 1) * b;
}

// y = x W^T + b:  dx = dy W,  dW = dy^T x,  db = sum of dy's rows
Var linear(const Var& x, const Var& weight, const Var& bias) {
  check<ShapeError>(x.rank() >= 1 && weight.rank() == 2 && x.size(-1) == weight.size(1), "linear",
                    "input {} doesn't fit weight {}: the input's last size must be the weight's second", x.shape(),
                    weight.shape());
  check<DTypeError>(
      x.dtype() == weight.dtype() && is_floating(x.dtype()), "linear",
      "input {} and weight {} must be of one floating type: convert data with x.to({}), a module with model.to({})", x.value(),
      weight.value(), name_of(weight.dtype()), name_of(is_floating(x.dtype()) ? x.dtype() : f32));
  check<ShapeError>(!bias.defined() || (bias.shape() == Shape{weight.size(0)} && bias.dtype() == weight.dtype()), "linear",
                    "bias {} doesn't fit weight {}: one element an output is needed", bias.value(), weight.value());
  const std::int64_t rows = std::reduce(x.shape().begin(), x.shape().end() - 1, std::int64_t{1}, std::multiplies());
  Tensor y = kernels::linear(x.value().reshape({rows, weight.size(1)}), weight.value(), bias.value())
                 .reshape(with_last(x.shape(), weight.size(0)));
  return record("linear", std::move(y), {&x, &weight, &bias},
                [x = Saved(x, weight.requires_grad()), weight = Saved(weight, x.requires_grad()), rows](Sink& s) {
                  const Var g = s.grad();
                  if (s.wants(0)) {
                    const Var flat = matmul(reshape(g, {rows, g.size(-1)}), weight.get());
                    s.add(0, reshape(flat, with_last(g.shape(), weight.get().size(1))));
                  }
                  if (s.wants(1)) {
                    const Var g_rows = reshape(g, {rows, g.size(-1)}), x_rows = reshape(x.get(), {rows, x.get().size(-1)});
                    if (s.recording()) {
                      s.add(1, matmul(transposed(g_rows), x_rows));
                    } else {
                      s.add_product(1, g_rows.value(), x_rows.value());
                    }
                  }
                  if (s.wants(2)) s.add(2, g);
                });
}

}  // namespace weft
