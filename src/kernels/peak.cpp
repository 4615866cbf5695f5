#include "kernels/peak.hpp"

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <numeric>
#include <thread>
#include <vector>

#include "weft/base/threads.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// More chains than a multiply-add's latency times what is issued at a time (4 cycles, 2 units), fewer than registers.
constexpr std::int64_t chains = 12;

// Operations done; what was computed goes to `sum`, so that the compiler can't leave it out.
template <class T>
std::int64_t run(std::int64_t rounds, double* sum) {
  const hn::ScalableTag<T> d;
  const auto factor = hn::Set(d, static_cast<T>(0.999)), term = hn::Set(d, static_cast<T>(0.001));
  // Of different beginnings, as equal chains would be computed once.
  auto a = hn::Set(d, static_cast<T>(1)), b = hn::Set(d, static_cast<T>(2)), c = hn::Set(d, static_cast<T>(3)),
       e = hn::Set(d, static_cast<T>(4)), f = hn::Set(d, static_cast<T>(5)), g = hn::Set(d, static_cast<T>(6)),
       h = hn::Set(d, static_cast<T>(7)), i = hn::Set(d, static_cast<T>(8)), j = hn::Set(d, static_cast<T>(9)),
       k = hn::Set(d, static_cast<T>(10)), l = hn::Set(d, static_cast<T>(11)), m = hn::Set(d, static_cast<T>(12));
  for (std::int64_t round = 0; round < rounds; ++round) {
    a = hn::MulAdd(a, factor, term);
    b = hn::MulAdd(b, factor, term);
    c = hn::MulAdd(c, factor, term);
    e = hn::MulAdd(e, factor, term);
    f = hn::MulAdd(f, factor, term);
    g = hn::MulAdd(g, factor, term);
    h = hn::MulAdd(h, factor, term);
    i = hn::MulAdd(i, factor, term);
    j = hn::MulAdd(j, factor, term);
    k = hn::MulAdd(k, factor, term);
    l = hn::MulAdd(l, factor, term);
    m = hn::MulAdd(m, factor, term);
  }
  const auto all = hn::Add(hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(hn::Add(f, g), hn::Add(h, i))),
                           hn::Add(hn::Add(j, k), hn::Add(l, m)));
  *sum = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, all)));
  return rounds * chains * static_cast<std::int64_t>(hn::Lanes(d)) * 2;
}

std::int64_t run_f32(std::int64_t rounds, double* sum) { return run<float>(rounds, sum); }
std::int64_t run_f64(std::int64_t rounds, double* sum) { return run<double>(rounds, sum); }

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(run_f32);
HWY_EXPORT(run_f64);

// That this thread has run: on a busy machine it waits for its turn, which says nothing of what the processor can do.
double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

double multiply_add_gflops(DType dtype) {
  constexpr std::int64_t rounds = 500'000;  // about a millisecond
  constexpr int runs = 50;
  const int threads = num_threads(), cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::vector<double> rates(static_cast<std::size_t>(threads));
  double best = 0;
  for (int r = 0; r < runs; ++r) {
#pragma omp parallel num_threads(threads)
    {
      const double begin = thread_seconds();
      double sum = 0;
      const std::int64_t operations =
          dtype == f64 ? HWY_DYNAMIC_DISPATCH(run_f64)(rounds, &sum) : HWY_DYNAMIC_DISPATCH(run_f32)(rounds, &sum);
      const double taken = thread_seconds() - begin;
      // The sum is never 0: each element tends to 1.
      rates[static_cast<std::size_t>(omp_get_thread_num())] = sum == 0 ? 0 : static_cast<double>(operations) / taken * 1e-9;
    }
    best = std::max(best, std::accumulate(rates.begin(), rates.end(), 0.0));
  }
  return best * std::min(threads, cores) / threads;
}

}  // namespace weft::kernels
#endif
