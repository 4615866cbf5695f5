#pragma once
#include <algorithm>
#include <cstdint>

namespace weft::test {

/// So many elements of each parameter of a whole model for a gradient check. Under the sanitizers, by which a loss takes fifty
/// times as long, a tenth: they have to see every line, and the values are the other build's business.
constexpr std::int64_t elements(std::int64_t count) {
#ifdef __SANITIZE_ADDRESS__
  return std::max<std::int64_t>(count / 10, 1);
#else
  return count;
#endif
}

}  // namespace weft::test
