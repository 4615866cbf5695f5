#include "support/allocations.hpp"

#include "weft/tensor/memory.hpp"
#include "weft/train/benchmark.hpp"
#include "weft/train/count_allocations.hpp"

namespace weft::test {

std::int64_t operator_new_calls() { return allocations(); }

SteadyState steady_state(const std::function<void()>& step) {
  for (int i = 0; i < 3; ++i) step();
  const std::int64_t misses = memory_statistics().pool_misses, calls = operator_new_calls();
  for (int i = 0; i < 5; ++i) step();
  return {memory_statistics().pool_misses - misses, operator_new_calls() - calls};
}

}  // namespace weft::test
