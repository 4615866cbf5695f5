#include "kernels/elementwise.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "kernels/elementwise_functions.hpp"
#include "kernels/elementwise_walk.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {
namespace {

const char* name_of(Unary function) {
  constexpr std::array names{"neg",  "exp",       "log",  "sqrt", "square", "abs", "tanh",       "sigmoid", "relu",
                             "gelu", "gelu_tanh", "sign", "cos",  "sin",    "erf", "reciprocal", "rsqrt"};
  return names[static_cast<std::size_t>(function)];
}

const char* name_of(Binary function) {
  constexpr std::array names{
      "add",         "sub",         "mul",       "div",          "pow",       "maximum",   "minimum",
      "guarded_mul", "guarded_div", "tanh_grad", "sigmoid_grad", "relu_grad", "gelu_grad", "gelu_tanh_grad",
      "eq",          "ne",          "lt",        "le",           "gt",        "ge"};
  return names[static_cast<std::size_t>(function)];
}

// One row of work: n results next to each other from operands that step by so many elements.
using UnaryRow = void (*)(void* out, const void* x, std::int64_t n, std::int64_t step);
using BinaryRow = void (*)(void* out, const void* a, const void* b, std::int64_t n, std::int64_t step_a, std::int64_t step_b);

template <Unary function, class T>
void unary_row(void* out, const void* x, std::int64_t n, std::int64_t step) {
  auto* y = static_cast<T*>(out);
  const auto* from = static_cast<const T*>(x);
  for (std::int64_t i = 0; i < n; ++i) y[i] = scalar::apply<function>(from[i * step]);
}

template <Binary function, class T>
void binary_row(void* out, const void* left, const void* right, std::int64_t n, std::int64_t step_a, std::int64_t step_b) {
  auto* y = static_cast<decltype(scalar::apply<function>(T{}, T{}))*>(out);
  const auto* a = static_cast<const T*>(left);
  const auto* b = static_cast<const T*>(right);
  if (step_a == 1 && step_b == 1) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = scalar::apply<function>(a[i], b[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = scalar::apply<function>(a[i * step_a], b[i * step_b]);
  }
}

template <Unary function>
UnaryRow row_of(DType type) {
  return dispatch(type, []<class T>() -> UnaryRow {
    if constexpr (scalar::takes(function, dtype_of<T>::value)) return unary_row<function, T>;
    return nullptr;
  });
}

template <Binary function>
BinaryRow row_of(DType type) {
  return dispatch(type, []<class T>() -> BinaryRow {
    if constexpr (scalar::takes(function, dtype_of<T>::value)) return binary_row<function, T>;
    return nullptr;
  });
}

UnaryRow row_of(Unary function, DType type) {
  switch (function) {
    case Unary::neg: return row_of<Unary::neg>(type);
    case Unary::exp: return row_of<Unary::exp>(type);
    case Unary::log: return row_of<Unary::log>(type);
    case Unary::sqrt: return row_of<Unary::sqrt>(type);
    case Unary::square: return row_of<Unary::square>(type);
    case Unary::abs: return row_of<Unary::abs>(type);
    case Unary::tanh: return row_of<Unary::tanh>(type);
    case Unary::sigmoid: return row_of<Unary::sigmoid>(type);
    case Unary::relu: return row_of<Unary::relu>(type);
    case Unary::gelu: return row_of<Unary::gelu>(type);
    case Unary::gelu_tanh: return row_of<Unary::gelu_tanh>(type);
    case Unary::sign: return row_of<Unary::sign>(type);
    case Unary::cos: return row_of<Unary::cos>(type);
    case Unary::sin: return row_of<Unary::sin>(type);
    case Unary::erf: return row_of<Unary::erf>(type);
    case Unary::reciprocal: return row_of<Unary::reciprocal>(type);
    case Unary::rsqrt: return row_of<Unary::rsqrt>(type);
  }
  return nullptr;
}

BinaryRow row_of(Binary function, DType type) {
  switch (function) {
    case Binary::add: return row_of<Binary::add>(type);
    case Binary::sub: return row_of<Binary::sub>(type);
    case Binary::mul: return row_of<Binary::mul>(type);
    case Binary::div: return row_of<Binary::div>(type);
    case Binary::pow: return row_of<Binary::pow>(type);
    case Binary::maximum: return row_of<Binary::maximum>(type);
    case Binary::minimum: return row_of<Binary::minimum>(type);
    case Binary::guarded_mul: return row_of<Binary::guarded_mul>(type);
    case Binary::guarded_div: return row_of<Binary::guarded_div>(type);
    case Binary::tanh_grad: return row_of<Binary::tanh_grad>(type);
    case Binary::sigmoid_grad: return row_of<Binary::sigmoid_grad>(type);
    case Binary::relu_grad: return row_of<Binary::relu_grad>(type);
    case Binary::gelu_grad: return row_of<Binary::gelu_grad>(type);
    case Binary::gelu_tanh_grad: return row_of<Binary::gelu_tanh_grad>(type);
    case Binary::eq: return row_of<Binary::eq>(type);
    case Binary::ne: return row_of<Binary::ne>(type);
    case Binary::lt: return row_of<Binary::lt>(type);
    case Binary::le: return row_of<Binary::le>(type);
    case Binary::gt: return row_of<Binary::gt>(type);
    case Binary::ge: return row_of<Binary::ge>(type);
  }
  return nullptr;
}

std::int64_t width(DType type) { return static_cast<std::int64_t>(size_of(type)); }

// An operand that is null is the scalar.
Tensor binary_any(Binary function, const Tensor* a, const Tensor* b, double scalar, const Shape& shape, DType type,
                  const char* op) {
  check<DTypeError>(scalar::takes(function, type), op, "elements of {} are not supported", weft::name_of(type));
  Tensor out = Tensor::empty(shape, scalar::is_comparison(function) ? DType::boolean : type);
  if (out.numel() == 0) return out;
  alignas(8) std::byte value[8];
  if (a == nullptr || b == nullptr) {
    check<ValueError>(is_floating(type) || scalar == std::floor(scalar), op, "{} with elements of {}", scalar,
                      weft::name_of(type));
    store_double(type, value, scalar);
  }
  const std::byte* left = a != nullptr ? a->raw() : value;
  const std::byte* right = b != nullptr ? b->raw() : value;
  std::byte* to = out.mutable_raw();
  const Walk<3> walk(shape, {&out, a, b});
  const BinaryRow row = row_of(function, type);
  walk.all([=, size = width(type), size_out = width(out.dtype()), &steps = walk.inner_steps()](const auto& at, std::int64_t n) {
    row(to + at[0] * size_out, left + at[1] * size, right + at[2] * size, n, steps[1], steps[2]);
  });
  return out;
}

void check_same_dtype(const Tensor& a, const Tensor& b, const char* op) {
  check<DTypeError>(a.dtype() == b.dtype(), op, "dtypes differ: {} and {}", a, b);
}

// Functions of two operands that change the first.
struct Assign {
  template <class T>
  T operator()(T, T source) const {
    return source;
  }
};
struct Accumulate {
  template <class T>
  T operator()(T target, T source) const {
    if constexpr (std::is_same_v<T, bool>)
      return target || source;
    else
      return scalar::apply<Binary::add>(target, source);
  }
};

template <class T, class Function>
void update_row(T* to, const T* from, std::int64_t n, std::int64_t step_to, std::int64_t step_from, Function function) {
  if (step_to == 1 && step_from == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = function(to[i], from[i]);
  } else if (step_to == 1 && step_from == 0) {
    const T value = *from;
    for (std::int64_t i = 0; i < n; ++i) to[i] = function(to[i], value);
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i * step_to] = function(to[i * step_to], from[i * step_from]);
  }
}

template <class Function>
void update(Tensor& target, const Tensor& source, const char* op, Function function) {
  check_same_dtype(target, source, op);
  check<ShapeError>(broadcast(target.shape(), source.shape(), op) == target.shape(), op, "{} doesn't broadcast to {}", source,
                    target);
  if (target.numel() == 0) return;
  const Walk<2> walk(target.shape(), {&target, &source});
  dispatch(target.dtype(), [&]<class T>() {
    auto* to = target.mutable_data<T>();
    const auto* from = source.data<T>();
    walk.all([=, &steps = walk.inner_steps()](const auto& at, std::int64_t n) {
      update_row(to + at[0], from + at[1], n, steps[0], steps[1], function);
    });
  });
}

}  // namespace

Tensor unary(Unary function, const Tensor& x) {
  check<DTypeError>(scalar::takes(function, x.dtype()), name_of(function), "elements of {} are not supported",
                    weft::name_of(x.dtype()));
  Tensor out = x.empty_like();
  if (out.numel() == 0) return out;
  const Walk<2> walk(x.shape(), {&out, &x});
  const UnaryRow row = row_of(function, x.dtype());
  walk.all([=, &walk, size = width(x.dtype()), to = out.mutable_raw(), from = x.raw()](const auto& at, std::int64_t n) {
    row(to + at[0] * size, from + at[1] * size, n, walk.inner_steps()[1]);
  });
  return out;
}

Tensor binary(Binary function, const Tensor& a, const Tensor& b, const char* op) {
  check_same_dtype(a, b, op);
  return binary_any(function, &a, &b, 0, broadcast(a.shape(), b.shape(), op), a.dtype(), op);
}

Tensor binary(Binary function, const Tensor& a, double b) {
  return binary_any(function, &a, nullptr, b, a.shape(), a.dtype(), name_of(function));
}

Tensor binary(Binary function, double a, const Tensor& b) {
  return binary_any(function, nullptr, &b, a, b.shape(), b.dtype(), name_of(function));
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b, const char* op) {
  check<DTypeError>(condition.dtype() == DType::boolean, op, "the condition is {}, not bool", condition);
  check_same_dtype(a, b, op);
  const Shape shape = broadcast(broadcast(condition.shape(), a.shape(), op), b.shape(), op);
  Tensor out = Tensor::empty(shape, a.dtype());
  if (out.numel() == 0) return out;
  const Walk<4> walk(shape, {&out, &condition, &a, &b});
  dispatch(a.dtype(), [&]<class T>() {
    auto* to = out.mutable_data<T>();
    const auto* choice = condition.data<bool>();
    const auto* yes = a.data<T>();
    const auto* no = b.data<T>();
    walk.all([=, &steps = walk.inner_steps()](const auto& at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i)
        to[at[0] + i] = choice[at[1] + i * steps[1]] ? yes[at[2] + i * steps[2]] : no[at[3] + i * steps[3]];
    });
  });
  return out;
}

void add_into(Tensor& target, const Tensor& source) { update(target, source, "add_into", Accumulate{}); }

void copy_into(const Tensor& source, Tensor target) { update(target, source, "copy_into", Assign{}); }

Tensor dense(const Tensor& x) {
  if (x.is_contiguous()) return x;
  Tensor out = x.empty_like();
  copy_into(x, out);
  return out;
}

void scale_into(Tensor& target, double factor) {
  check<DTypeError>(is_floating(target.dtype()), "scale_into", "elements of {} are not supported",
                    weft::name_of(target.dtype()));
  if (target.numel() == 0) return;
  const Walk<1> walk(target.shape(), {&target});
  const auto scale = [&]<class T>(T* to) {
    walk.all([=, step = walk.inner_steps()[0], by = static_cast<T>(factor)](const auto& at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) to[at[0] + i * step] *= by;
    });
  };
  if (target.dtype() == f32)
    scale(target.mutable_data<float>());
  else
    scale(target.mutable_data<double>());
}

}  // namespace weft::kernels
