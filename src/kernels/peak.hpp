#pragma once
#include "weft/base/dtype.hpp"

namespace weft::kernels {

/// 10^9 floating-point operations a second that weft's threads do with multiply-adds in registers, with the best vectors that
/// isa() allows: the best of several short runs, f32 or f64. Counted by the time that the threads run, at most one a core.
double multiply_add_gflops(DType dtype);

}  // namespace weft::kernels
