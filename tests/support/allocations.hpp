#pragma once
#include <cstdint>
#include <functional>

namespace weft::test {

/// Calls of operator new so far, by any thread, outside oneDNN: the test programs replace it with one that counts.
std::int64_t operator_new_calls();

/// How often five steps, after three that aren't counted, asked the pool for what it didn't have, and called operator new.
struct SteadyState {
  std::int64_t pool_misses, operator_new_calls;
};
SteadyState steady_state(const std::function<void()>& step);

}  // namespace weft::test
