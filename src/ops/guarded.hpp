#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

// Products and quotients for gradient rules: 0 where the gradient is exactly 0, even times infinity or NaN. So a derivative
// that is singular where a mask took the value away leaves no NaN behind. Their own derivatives are guarded as well.

/// gradient * factor
Var guarded_mul(const Var& gradient, const Var& factor);
/// gradient / divisor
Var guarded_div(const Var& gradient, const Var& divisor);

}  // namespace weft
