#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// target [m, n] (+)= a [m, k] b [k, n] for a `b` that is used again and again, as a recurrent weight at every time step: in
/// f32 and for up to 256 rows a copy of b, laid out for the vectors, is kept with b's buffer until its values change. Every sum
/// runs over k in order, so the result has the same bits for any number of threads. Other products are matmul_into's.
void repeated_matmul_into(Tensor& target, const Tensor& a, const Tensor& b, bool accumulate);
/// The same into a new tensor.
Tensor repeated_matmul(const Tensor& a, const Tensor& b);
/// x [m, in] weight^T + bias for such a weight [out, in]; bias [out], dense, or undefined.
Tensor repeated_linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace weft::kernels
