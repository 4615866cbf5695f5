#pragma once
#include <cstdint>

namespace weft::detail {

/// Multiply-adds of the matrix products in operations called on this thread so far; a report takes differences of it.
inline constinit thread_local std::int64_t multiply_adds = 0;

}  // namespace weft::detail
