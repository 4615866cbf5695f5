#include <utility>

#include "base/fail.hpp"
#include "kernels/elementwise_functions.hpp"
#include "kernels/elementwise_rows.hpp"
#include "kernels/elementwise_walk.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {
namespace {

template <Unary function, class T>
void row(void* out, const void* x, std::int64_t n, std::int64_t step) {
  auto* y = static_cast<T*>(out);
  const auto* from = static_cast<const T*>(x);
  for (std::int64_t i = 0; i < n; ++i) y[i] = scalar::apply<function>(from[i * step]);
}

template <Binary function, class T>
void row(void* out, const void* left, const void* right, std::int64_t n, std::int64_t step_a, std::int64_t step_b) {
  auto* y = static_cast<decltype(scalar::apply<function>(T{}, T{}))*>(out);
  const auto* a = static_cast<const T*>(left);
  const auto* b = static_cast<const T*>(right);
  if (step_a == 1 && step_b == 1) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = scalar::apply<function>(a[i], b[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = scalar::apply<function>(a[i * step_a], b[i * step_b]);
  }
}

template <class Row, auto function, class T>
constexpr Row row_of() {
  if constexpr (scalar::takes(function, dtype_of<T>::value)) return row<function, T>;
  return nullptr;
}

// A row for each function, in the order of the enumeration.
template <class T, int... u>
constexpr std::array<UnaryRow, sizeof...(u)> unary_rows(std::integer_sequence<int, u...>) {
  return {row_of<UnaryRow, Unary{u}, T>()...};
}
template <class T, int... b>
constexpr std::array<BinaryRow, sizeof...(b)> binary_rows(std::integer_sequence<int, b...>) {
  return {row_of<BinaryRow, Binary{b}, T>()...};
}

}  // namespace

const char* name_of(Unary function) {
  constexpr std::array names{"neg",   "exp",       "log",  "sqrt",  "square", "abs",  "tanh",       "sigmoid",   "relu",
                             "gelu",  "gelu_tanh", "sign", "cos",   "sin",    "erf",  "reciprocal", "rsqrt",     "log1p",
                             "expm1", "floor",     "ceil", "round", "silu",   "mish", "softsign",   "logsigmoid"};
  static_assert(names.size() == unary_functions);
  return names[static_cast<std::size_t>(function)];
}

const char* name_of(Binary function) {
  constexpr std::array names{"add",  "sub",        "mul", "div", "pow",  "maximum", "minimum", "softplus",
                             "elu",  "leaky_relu", "mul", "div", "tanh", "sigmoid", "relu",    "gelu",
                             "gelu", "silu",       "eq",  "ne",  "lt",   "le",      "gt",      "ge"};
  static_assert(names.size() == binary_functions);
  return names[static_cast<std::size_t>(function)];
}

UnaryRow plain_row(Unary function, DType type) {
  return dispatch(type, [function]<class T>() {
    static constexpr auto rows = unary_rows<T>(std::make_integer_sequence<int, int{unary_functions}>());
    return rows[static_cast<std::size_t>(function)];
  });
}

BinaryRow plain_row(Binary function, DType type) {
  return dispatch(type, [function]<class T>() {
    static constexpr auto rows = binary_rows<T>(std::make_integer_sequence<int, int{binary_functions}>());
    return rows[static_cast<std::size_t>(function)];
  });
}

namespace reference {

Tensor unary(Unary function, const Tensor& x) {
  const UnaryRow row = plain_row(function, x.dtype());
  check<DTypeError>(row != nullptr, name_of(function), "elements of {} are not supported", x);
  Tensor out = x.empty_like();
  const Walk<2> walk(x.shape(), {&out, &x});
  const auto width = static_cast<std::int64_t>(size_of(x.dtype()));
  std::byte* to = out.mutable_raw();
  walk.range(0, walk.count, [&](const auto& at, std::int64_t n) {
    row(to + at[0] * width, x.raw() + at[1] * width, n, walk.inner_steps()[1]);
  });
  return out;
}

Tensor binary(Binary function, const Tensor& a, const Tensor& b, const char* op) {
  check<DTypeError>(a.dtype() == b.dtype(), op, "dtypes differ: {} and {}", a, b);
  const BinaryRow row = plain_row(function, a.dtype());
  check<DTypeError>(row != nullptr, op, "elements of {} are not supported", a);
  Tensor out = Tensor::empty(broadcast(a.shape(), b.shape(), op), scalar::is_comparison(function) ? boolean : a.dtype());
  const Walk<3> walk(out.shape(), {&out, &a, &b});
  const auto width = static_cast<std::int64_t>(size_of(a.dtype())), width_out = static_cast<std::int64_t>(size_of(out.dtype()));
  std::byte* to = out.mutable_raw();
  walk.range(0, walk.count, [&](const auto& at, std::int64_t n) {
    row(to + at[0] * width_out, a.raw() + at[1] * width, b.raw() + at[2] * width, n, walk.inner_steps()[1],
        walk.inner_steps()[2]);
  });
  return out;
}

}  // namespace reference
}  // namespace weft::kernels
