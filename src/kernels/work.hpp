#pragma once
#include <cstdint>

namespace weft::kernels {

/// Multiply-adds of the matrix products and convolutions that this thread has asked for so far; a report takes differences.
inline constinit thread_local std::int64_t multiply_adds = 0;

}  // namespace weft::kernels
