#pragma once
#include <cstdint>

namespace weft::data {

/// Whether number `index` (from 0) of a row of things is held out, of which a share in [0, 1) is, evenly spread: of the first n
/// so many as share * n, rounded down.
inline bool is_held_out(std::int64_t index, double share) {
  const auto of_first = [share](std::int64_t count) { return static_cast<std::int64_t>(static_cast<double>(count) * share); };
  return of_first(index + 1) > of_first(index);
}

}  // namespace weft::data
