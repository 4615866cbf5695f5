#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

// All over the last dimension; x, y and g are made dense where they aren't; f32 or f64.

/// exp(x - max) / sum. A NaN, a +inf or a row of -inf makes the whole row NaN.
Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);
/// The same over the places where mask (bool, broadcast to x) is true; the others get 0 and are not read.
/// A row without places gets zeros.
Tensor masked_softmax(const Tensor& x, const Tensor& mask);

// Backward: a row into which only zeros come gives zeros, whatever y is.

/// y (g - sum(y g)), at places where mask is true (undefined: all); 0 elsewhere.
Tensor softmax_backward(const Tensor& y, const Tensor& g, const Tensor& mask);
/// g - exp(y) sum(g)
Tensor log_softmax_backward(const Tensor& y, const Tensor& g);

namespace reference {
Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);
Tensor masked_softmax(const Tensor& x, const Tensor& mask);
Tensor softmax_backward(const Tensor& y, const Tensor& g, const Tensor& mask);
Tensor log_softmax_backward(const Tensor& y, const Tensor& g);
}  // namespace reference

}  // namespace weft::kernels
