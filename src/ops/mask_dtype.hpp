#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft {

/// Throws DTypeError unless a mask is bool, and says how what people hold in its place becomes one. `name` is what the message
/// calls it.
void check_mask_dtype(const char* op, const char* name, const Tensor& mask);

}  // namespace weft
