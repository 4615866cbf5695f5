#include "weft/base/threads.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>

#include "base/fail.hpp"

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

namespace weft {
namespace {

std::atomic<int> chosen_threads{0};
std::atomic<bool> deterministic_mode{false};

#ifdef __SSE2__
constexpr unsigned flush_bits = 0x8040;  // MXCSR: results (FTZ) and operands (DAZ)
bool flushes() { return (_mm_getcsr() & flush_bits) == flush_bits; }
void flush(bool on) { _mm_setcsr(on ? _mm_getcsr() | flush_bits : _mm_getcsr() & ~flush_bits); }
#else
bool flushes() { return false; }
void flush(bool /*on*/) {}
#endif

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

void set_flush_denormals(bool on) {
  // Before the workers: LLVM's OpenMP gives them the caller's mode at every fork, and puts the caller's back at the join.
  flush(on);
  const int threads = std::max(num_threads(), omp_get_max_threads());
#pragma omp parallel num_threads(threads)
  flush(on);
}

bool flush_denormals() { return flushes(); }

}  // namespace weft
