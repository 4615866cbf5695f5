#include "weft/base/threads.hpp"

#include <omp.h>

#include <atomic>

#include "base/fail.hpp"

namespace weft {
namespace {

std::atomic<int> chosen_threads{0};
std::atomic<bool> deterministic_mode{false};

}  // namespace

void set_num_threads(int n) {
  check<ValueError>(n >= 1, "set_num_threads", "{} threads; at least 1 is needed", n);
  chosen_threads = n;
}

int num_threads() {
  const int chosen = chosen_threads.load(std::memory_order_relaxed);
  return chosen > 0 ? chosen : omp_get_max_threads();
}

void deterministic(bool on) { deterministic_mode = on; }
bool deterministic() { return deterministic_mode.load(std::memory_order_relaxed); }

}  // namespace weft
