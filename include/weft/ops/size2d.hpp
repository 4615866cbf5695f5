#pragma once
#include <array>
#include <cstdint>

namespace weft {

/// Height and width; one number stands for both: `.stride = 2`, `.stride = {2, 1}`.
struct Size2d {
  constexpr Size2d(std::int64_t both) : Size2d(both, both) {}  // NOLINT(google-explicit-constructor): 2 for {2, 2}
  constexpr Size2d(std::int64_t height_, std::int64_t width_) : height(height_), width(width_) {}
  constexpr std::array<std::int64_t, 2> pair() const { return {height, width}; }

  std::int64_t height, width;
};

}  // namespace weft
