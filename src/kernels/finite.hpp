#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// How many elements are NaN or infinite, and the row-major place of the first. Integers and bool have none.
struct NonFinite {
  std::int64_t count = 0, first = 0;
};
NonFinite non_finite(const Tensor& x);

}  // namespace weft::kernels
