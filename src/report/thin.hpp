#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "weft/report/curve.hpp"

namespace weft::report {

/// Numbers in row-major order.
struct Block {
  std::vector<double> values;
  std::array<std::int64_t, 4> sizes = {1, 1, 1, 1};
};

/// Means over neighbours, `by` of them along each dimension (fewer at an end); of finite numbers alone, NaN where there is
/// none. Where nothing is put together it is the block itself.
Block thinned(Block block, const std::array<std::int64_t, 4>& by);

/// The least number of neighbours that brings `size` down to `most`.
inline std::int64_t share_of(std::int64_t size, std::int64_t most) { return size <= most ? 1 : (size + most - 1) / most; }

/// At most `most` points: of each run of neighbours the lowest and the highest, and a gap where one was.
Series thinned(const Series& series, std::size_t most);

}  // namespace weft::report
