#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// a [..., m, k] times b [..., k, n], batch dimensions broadcast. f32 through oneDNN, f64 and tiny sizes in plain C++.
Tensor matmul(const Tensor& a, const Tensor& b, const char* op);
/// target [m, n] (+)= a [m, k] b [k, n]; target's rows may have any pitch, a and b either order.
void matmul_into(Tensor& target, const Tensor& a, const Tensor& b, bool accumulate);

namespace reference {
void matmul_into(Tensor& target, const Tensor& a, const Tensor& b, bool accumulate);
}

}  // namespace weft::kernels
