#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// a [..., m, k] times b [..., k, n], batch dimensions broadcast. f32 through oneDNN; f64 and tiny sizes in plain C++.
/// Throws ShapeError naming `op` and both shapes, DTypeError.
Tensor matmul(const Tensor& a, const Tensor& b, const char* op);
/// target [m, n] (+)= a [m, k] b [k, n]. Any strides: what the product can't take is copied first.
void matmul_into(Tensor& target, const Tensor& a, const Tensor& b, bool accumulate);
/// x [rows, in] weight^T [in, out] + bias [out] (undefined: none) -> [rows, out].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

namespace reference {
void matmul_into(Tensor& target, const Tensor& a, const Tensor& b, bool accumulate);
}

}  // namespace weft::kernels
