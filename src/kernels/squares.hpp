#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace weft::kernels {

// The sum of squares in double, in eight running sums whatever the vector width.
template <class T>
double squares(const T* x, std::int64_t n) {
  std::array<double, 8> sums{};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t k = 0; k < 8; ++k) {
      const auto element = static_cast<double>(x[i + static_cast<std::int64_t>(k)]);
      sums[k] += element * element;
    }
  for (; i < n; ++i) sums[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

}  // namespace weft::kernels
