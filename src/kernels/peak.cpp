#include "kernels/peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

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

}  // namespace

double multiply_add_gflops(DType dtype) {
  // Each under a millisecond, so that on a busy machine some aren't interrupted.
  constexpr std::int64_t rounds = 300'000;
  constexpr int runs = 150;
  const auto kernel = [dtype](double* sum) {
    return dtype == f64 ? HWY_DYNAMIC_DISPATCH(run_f64)(rounds, sum) : HWY_DYNAMIC_DISPATCH(run_f32)(rounds, sum);
  };
  const int threads = num_threads();
  double best = 0;
  for (int r = 0; r < runs; ++r) {
    const auto begin = std::chrono::steady_clock::now();
    std::int64_t operations = 0;
#pragma omp parallel num_threads(threads) reduction(+ : operations)
    {
      double sum = 0;
      operations += kernel(&sum);
      if (sum == 0) operations = 0;  // never: each element tends to 1
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(operations) / taken.count() * 1e-9);
  }
  return best;
}

}  // namespace weft::kernels
#endif
