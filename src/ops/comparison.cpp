#include "weft/ops/comparison.hpp"

#include <limits>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"

namespace weft {

using kernels::Binary;
using kernels::Unary;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

void check_bool(const Tensor& x, const char* op) {
  check<ValueError>(x.defined(), op, "an operand is undefined");
  check<DTypeError>(x.dtype() == boolean, op, "the operand is {}; bool is needed: compare with 0 first (ne)", x);
}

// Whether the elements are numbers that can be infinite.
bool check_number(const Var& x, const char* op) {
  check<ValueError>(x.defined(), op, "the input is undefined");
  return is_floating(x.dtype());
}

}  // namespace

Tensor eq(const Var& a, const Var& b) { return kernels::binary(Binary::eq, a.value(), b.value(), "eq"); }
Tensor eq(const Var& a, double b) { return kernels::binary(Binary::eq, a.value(), b); }
Tensor ne(const Var& a, const Var& b) { return kernels::binary(Binary::ne, a.value(), b.value(), "ne"); }
Tensor ne(const Var& a, double b) { return kernels::binary(Binary::ne, a.value(), b); }
Tensor lt(const Var& a, const Var& b) { return kernels::binary(Binary::lt, a.value(), b.value(), "lt"); }
Tensor lt(const Var& a, double b) { return kernels::binary(Binary::lt, a.value(), b); }
Tensor le(const Var& a, const Var& b) { return kernels::binary(Binary::le, a.value(), b.value(), "le"); }
Tensor le(const Var& a, double b) { return kernels::binary(Binary::le, a.value(), b); }
Tensor gt(const Var& a, const Var& b) { return kernels::binary(Binary::gt, a.value(), b.value(), "gt"); }
Tensor gt(const Var& a, double b) { return kernels::binary(Binary::gt, a.value(), b); }
Tensor ge(const Var& a, const Var& b) { return kernels::binary(Binary::ge, a.value(), b.value(), "ge"); }
Tensor ge(const Var& a, double b) { return kernels::binary(Binary::ge, a.value(), b); }

Tensor isnan(const Var& x) {
  if (!check_number(x, "isnan")) return Tensor::zeros(x.shape(), boolean);
  return ne(x, x);
}

Tensor isinf(const Var& x) {
  if (!check_number(x, "isinf")) return Tensor::zeros(x.shape(), boolean);
  return eq(kernels::unary(Unary::abs, x.value()), infinity);
}

Tensor isfinite(const Var& x) {
  if (!check_number(x, "isfinite")) return Tensor::ones(x.shape(), boolean);
  return lt(kernels::unary(Unary::abs, x.value()), infinity);
}

Tensor logical_and(const Tensor& a, const Tensor& b) {
  check_bool(a, "logical_and");
  check_bool(b, "logical_and");
  return kernels::where(a, b, Tensor::zeros({}, boolean), "logical_and");
}

Tensor logical_or(const Tensor& a, const Tensor& b) {
  check_bool(a, "logical_or");
  check_bool(b, "logical_or");
  return kernels::where(a, Tensor::ones({}, boolean), b, "logical_or");
}

Tensor logical_xor(const Tensor& a, const Tensor& b) {
  check_bool(a, "logical_xor");
  check_bool(b, "logical_xor");
  return kernels::binary(Binary::ne, a, b, "logical_xor");
}

Tensor logical_not(const Tensor& x) {
  check_bool(x, "logical_not");
  return kernels::binary(Binary::eq, x, 0.0);
}

}  // namespace weft
