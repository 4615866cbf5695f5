#pragma once
#include <algorithm>
#include <vector>

namespace bench {

/// Of an even number the mean of the two in the middle.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t last = values.size() - 1;
  return (values[last / 2] + values[last - last / 2]) / 2;
}

}  // namespace bench
