#pragma once
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

#include "weft/base/threads.hpp"

namespace weft::kernels {

/// Runs body(begin, end) over fixed chunks of [0, count), on weft's threads where there is more than one chunk.
/// The chunks depend on `count` and `chunk` alone. An exception crosses back to the caller: that of the
/// lowest chunk that throws, whichever was first in time.
template <class Body>
void parallel_chunks(std::int64_t count, std::int64_t chunk, const Body& body) {
  const std::int64_t chunks = (count + chunk - 1) / chunk;
  const auto threads = static_cast<int>(std::min<std::int64_t>(num_threads(), chunks));
  if (threads <= 1 || omp_in_parallel()) {
    for (std::int64_t c = 0; c < chunks; ++c) body(c * chunk, std::min(count, (c + 1) * chunk));
    return;
  }
  std::exception_ptr error;
  std::int64_t failed = chunks;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t c = 0; c < chunks; ++c) {
    try {
      body(c * chunk, std::min(count, (c + 1) * chunk));
    } catch (...) {
#pragma omp critical(weft_parallel_chunks)
      if (c < failed) {
        failed = c;
        error = std::current_exception();
      }
    }
  }
  if (error) std::rethrow_exception(error);
}

/// Elements for one chunk of element-wise work.
inline constexpr std::int64_t elements_per_chunk = 16384;

/// Rows for one chunk where a row has `columns` elements.
inline std::int64_t rows_per_chunk(std::int64_t columns) {
  return std::max<std::int64_t>(1, elements_per_chunk / std::max<std::int64_t>(columns, 1));
}

}  // namespace weft::kernels
