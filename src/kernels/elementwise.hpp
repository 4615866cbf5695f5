#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// What each computes stands in elementwise_functions.hpp.
enum class Unary {
  neg,
  exp,
  log,
  sqrt,
  square,
  abs,
  tanh,
  sigmoid,
  relu,
  gelu,
  gelu_tanh,
  sign,
  cos,
  sin,
  erf,
  reciprocal,
  rsqrt,
  log1p,
  expm1,
  floor,
  ceil,
  round,
  silu,
  mish,
  softsign,
  logsigmoid
};
enum class Binary {
  add,
  sub,
  mul,
  div,
  pow,
  maximum,
  minimum,
  softplus,    // of a; a itself above the threshold b
  elu,         // of a with alpha = b
  leaky_relu,  // of a with the slope b
  // For gradient rules, a the incoming gradient; 0 where it is exactly 0, whatever b is.
  guarded_mul,   // a b
  guarded_div,   // a / b
  tanh_grad,     // b = tanh(x)
  sigmoid_grad,  // b = sigmoid(x)
  relu_grad,     // b = relu(x)
  gelu_grad,     // b = x
  gelu_tanh_grad,
  silu_grad,
  eq,
  ne,
  lt,
  le,
  gt,
  ge
};

/// A dense tensor of x's shape. Floating dtypes (neg, abs, square, sign, relu: integers too).
Tensor unary(Unary function, const Tensor& x);
/// A dense tensor of the broadcast shape; the comparisons give bool. `op` is named in errors.
Tensor binary(Binary function, const Tensor& a, const Tensor& b, const char* op);
/// The same with a scalar operand on the right or on the left.
Tensor binary(Binary function, const Tensor& a, double b);
Tensor binary(Binary function, double a, const Tensor& b);
/// condition (bool) ? a : b, all three broadcast.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b, const char* op);

inline Tensor add(const Tensor& a, const Tensor& b) { return binary(Binary::add, a, b, "add"); }

/// target += source, which broadcasts to target's shape; any strides, one dtype.
void add_into(Tensor& target, const Tensor& source);
/// Copies source, which broadcasts, into the elements that `target` views. In parallel where it is large.
void copy_into(const Tensor& source, Tensor target);
/// x's elements in a dense tensor: x itself where it is dense.
Tensor dense(const Tensor& x);
/// target *= factor.
void scale_into(Tensor& target, double factor);
/// target += share (source - target): where both are equal nothing changes. source broadcasts; any strides, one floating dtype.
void lerp_into(Tensor& target, const Tensor& source, double share);

namespace reference {
Tensor unary(Unary function, const Tensor& x);
Tensor binary(Binary function, const Tensor& a, const Tensor& b, const char* op);
}  // namespace reference

}  // namespace weft::kernels
