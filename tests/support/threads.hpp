#pragma once
#include "weft/base/threads.hpp"

namespace weft::test {

/// Puts the number of threads back, and deterministic mode off.
struct ThreadsGuard {
  int before = num_threads();
  ~ThreadsGuard() {
    set_num_threads(before);
    deterministic(false);
  }
};

}  // namespace weft::test
