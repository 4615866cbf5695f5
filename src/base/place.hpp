#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "weft/base/shape.hpp"

namespace weft {

/// "[1, 4]": where element `k` in row-major order stands in a shape, for messages.
inline std::string place_of(const Shape& shape, std::int64_t k) {
  std::array<std::int64_t, max_rank> at{};
  for (int i = shape.rank() - 1; i >= 0; --i) {
    at[static_cast<std::size_t>(i)] = k % shape[i];
    k /= shape[i];
  }
  return Shape(std::span<const std::int64_t>(at.data(), static_cast<std::size_t>(shape.rank()))).str();
}

}  // namespace weft
