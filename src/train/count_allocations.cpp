#include <atomic>

#include "kernels/onednn.hpp"
#include "weft/train/benchmark.hpp"

// The header replaces operator new, so it isn't included here: the library must not do that to every program.
namespace weft {
namespace {

constinit std::atomic<std::int64_t> calls{0};

}  // namespace

std::int64_t allocations() { return calls.load(std::memory_order_relaxed); }

namespace detail {

void count_allocation() noexcept {
  if (!kernels::onednn::inside()) calls.fetch_add(1, std::memory_order_relaxed);  // what oneDNN allocates isn't ours
}

}  // namespace detail
}  // namespace weft
