#include "report/thin.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::report {

Block thinned(Block block, const std::array<std::int64_t, 4>& by) {
  if (by == std::array<std::int64_t, 4>{1, 1, 1, 1}) return block;
  Block result;
  for (std::size_t d = 0; d < 4; ++d) result.sizes[d] = (block.sizes[d] + by[d] - 1) / by[d];
  const auto& to = result.sizes;
  const auto count = static_cast<std::size_t>(to[0] * to[1] * to[2] * to[3]);
  std::vector<double> sums(count);
  std::vector<std::int64_t> finite(count);
  std::size_t from = 0;
  for (std::int64_t a = 0; a < block.sizes[0]; ++a)
    for (std::int64_t b = 0; b < block.sizes[1]; ++b)
      for (std::int64_t c = 0; c < block.sizes[2]; ++c)
        for (std::int64_t d = 0; d < block.sizes[3]; ++d) {
          const double value = block.values[from++];
          if (!std::isfinite(value)) continue;
          const auto at = static_cast<std::size_t>(((a / by[0] * to[1] + b / by[1]) * to[2] + c / by[2]) * to[3] + d / by[3]);
          sums[at] += value;
          ++finite[at];
        }
  for (std::size_t i = 0; i < count; ++i) {
    sums[i] = finite[i] > 0 ? sums[i] / static_cast<double>(finite[i]) : std::numeric_limits<double>::quiet_NaN();
  }
  result.values = std::move(sums);
  return result;
}

Series thinned(const Series& series, std::size_t most) {
  const std::size_t count = series.x.size();
  if (count <= most) return series;
  Series result{.name = series.name, .x = {}, .y = {}};
  // Up to three points of each run: the gap, the lowest and the highest.
  const std::size_t runs = std::max<std::size_t>(most / 3, 1);
  for (std::size_t run = 0; run < runs; ++run) {
    const std::size_t begin = run * count / runs, end = (run + 1) * count / runs;
    std::size_t low = end, high = end, gap = end;
    for (std::size_t i = begin; i < end; ++i) {
      if (!std::isfinite(series.x[i]) || !std::isfinite(series.y[i])) {
        gap = i;
        continue;
      }
      if (low == end || series.y[i] < series.y[low]) low = i;
      if (high == end || series.y[i] > series.y[high]) high = i;
    }
    std::array<std::size_t, 3> kept = {low, high, gap};
    std::sort(kept.begin(), kept.end());
    for (std::size_t k = 0; k < kept.size(); ++k) {
      if (kept[k] == end || (k > 0 && kept[k] == kept[k - 1])) continue;
      result.x.push_back(series.x[kept[k]]);
      result.y.push_back(series.y[kept[k]]);
    }
  }
  return result;
}

}  // namespace weft::report
