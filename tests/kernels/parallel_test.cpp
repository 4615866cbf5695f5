#include "kernels/parallel.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cross_entropy.hpp"
#include "kernels/dropout.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/layer_norm.hpp"
#include "kernels/lstm.hpp"
#include "kernels/matmul.hpp"
#include "kernels/softmax.hpp"
#include "support/random.hpp"
#include "weft/base/error.hpp"

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

using namespace weft;
using namespace weft::test;

namespace {

constexpr int threads_here = 4;

// How the floating-point unit is set: rounding, masks, denormals; without the flags of what has happened.
unsigned mode() {
#ifdef __SSE2__
  return _mm_getcsr() & ~0x3Fu;
#else
  return 0;
#endif
}

// mode() and half the smallest normal float, on each thread.
struct Seen {
  std::array<unsigned, threads_here> modes;
  std::array<float, threads_here> halves;
};

Seen on_each_thread() {
  Seen seen;
  const volatile float smallest = std::numeric_limits<float>::min();
  kernels::parallel_chunks(threads_here, 1, [&](std::int64_t i, std::int64_t) {
    seen.modes[static_cast<std::size_t>(i)] = mode();
    seen.halves[static_cast<std::size_t>(i)] = smallest * 0.5f;
  });
  return seen;
}

struct Threads {
  explicit Threads(int n) : before(num_threads()) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  int before;
};

void use_everything() {
  const Tensor a = uniform({100, 100}, -1, 1, 1, f32), b = uniform({100, 100}, -1, 1, 2, f32);
  for (const bool fixed : {false, true}) {
    deterministic(fixed);
    kernels::matmul(a, b, "matmul");
    kernels::matmul(uniform({5, 30, 30}, -1, 1, 1, f32), uniform({5, 30, 30}, -1, 1, 1, f32), "matmul");
    kernels::linear(a, b, b.select(0, 0));
  }
  deterministic(false);
  const Tensor y = kernels::softmax(a);
  kernels::softmax_backward(y, b, {});
  kernels::log_softmax(a);
  kernels::layer_norm(a, {}, {}, 1e-5);
  kernels::unary(kernels::Unary::exp, kernels::binary(kernels::Binary::mul, a, 1e4));
  kernels::dropout(a, {1, 2, 0.5});
  Tensor losses = Tensor::empty({100}), normalisers = Tensor::empty({100, 2});
  kernels::cross_entropy(a, {integers({100}, 100, 1), -100, 0.1}, losses, normalisers);
  const Tensor state = Tensor::zeros({10, 25});
  kernels::lstm(uniform({10, 10, 20}, -1, 1, 1, f32), uniform({100, 20}, -1, 1, 1, f32), uniform({100, 25}, -1, 1, 1, f32), {},
                state, state, {}, false);
}

}  // namespace

TEST_CASE("chunks cover everything once, and are cut by their size alone") {
  for (const int n : {1, 2, 5}) {
    const Threads threads(n);
    for (const std::int64_t count : {0, 1, 7, 8, 9, 100}) {
      std::vector<int> seen(static_cast<std::size_t>(count), 0);
      kernels::parallel_chunks(count, 4, [&](std::int64_t begin, std::int64_t end) {
        if (begin % 4 != 0 || end - begin > 4) return;
        for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      CHECK(std::all_of(seen.begin(), seen.end(), [](int times) { return times == 1; }));
    }
  }
}

TEST_CASE("an exception leaves a parallel loop as itself") {
  const Threads threads(3);
  CHECK_THROWS_WITH_AS(kernels::parallel_chunks(100, 1,
                                                [](std::int64_t i, std::int64_t) {
                                                  if (i == 70) throw NumericError("seventy");
                                                }),
                       "seventy", NumericError);
  // Of several the lowest chunk's, though a later thread comes to its own at once.
  CHECK_THROWS_WITH_AS(kernels::parallel_chunks(100, 1,
                                                [](std::int64_t i, std::int64_t) {
                                                  if (i == 30) throw NumericError("thirty");
                                                  if (i == 67) throw NumericError("sixty-seven");
                                                }),
                       "thirty", NumericError);
}

TEST_CASE("using the library leaves the floating-point environment of all threads as it was") {
  const Threads threads(threads_here);
  const unsigned before = mode();
  CHECK_FALSE(flush_denormals());
  use_everything();
  CHECK(mode() == before);
  CHECK_FALSE(flush_denormals());
  const Seen seen = on_each_thread();
  for (std::size_t i = 0; i < threads_here; ++i) {
    CHECK(seen.modes[i] == before);
    CHECK(seen.halves[i] > 0);
  }
}

#ifdef __SSE2__
TEST_CASE("denormals are flushed on the calling thread and its workers when asked for, and no longer when asked not to") {
  for (const int first : {threads_here, 2}) {
    const unsigned before = mode();
    {
      const Threads threads(first);  // workers may come later than the setting
      set_flush_denormals(true);
    }
    const Threads threads(threads_here);
    CHECK(flush_denormals());
    Seen seen = on_each_thread();
    for (std::size_t i = 0; i < threads_here; ++i) {
      CHECK(seen.modes[i] == mode());
      CHECK(seen.halves[i] == 0);
    }
    use_everything();
    CHECK(flush_denormals());
    set_flush_denormals(false);
    CHECK_FALSE(flush_denormals());
    CHECK(mode() == before);
    seen = on_each_thread();
    for (std::size_t i = 0; i < threads_here; ++i) {
      CHECK(seen.modes[i] == before);
      CHECK(seen.halves[i] > 0);
    }
  }
}
#endif
