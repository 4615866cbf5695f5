#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// Sums of the elements up to and with each one along `axis`, in order, held in f64. Integers and bool give i64.
Tensor cumsum(const Tensor& x, int axis);

}  // namespace weft::kernels
