#include "weft/train/benchmark.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"
#include "kernels/matmul.hpp"
#include "kernels/peak.hpp"
#include "weft/base/threads.hpp"
#include "weft/tensor/memory.hpp"

namespace weft {
namespace {

using SteadyClock = std::chrono::steady_clock;

double milliseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

double process_peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// The best of several products of a size that all processors do well; f64 goes through a plain loop, so a smaller one.
double matrix_product_gflops(DType dtype) {
  const std::int64_t size = dtype == f64 ? 192 : 960;
  const Tensor a = Tensor::ones({size, size}, dtype), b = Tensor::ones({size, size}, dtype);
  Tensor c = Tensor::empty({size, size}, dtype);
  double best = 0;
  for (int i = 0; i < 8; ++i) {
    const auto begin = SteadyClock::now();
    kernels::matmul_into(c, a, b, false);
    best = std::max(best, 2e-6 * static_cast<double>(size * size * size) / milliseconds_since(begin));
  }
  return best;
}

// Five digits that count.
double rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 4);
  return unit < 1 ? std::round(value / unit) / std::round(1 / unit) : std::round(value);
}

}  // namespace

BenchmarkResult benchmark_step(const std::function<double()>& step, const BenchmarkOptions& options) {
  const char* where = "benchmark_step";
  check<ValueError>(step != nullptr && options.steps > 0 && options.warmup >= 0, where,
                    "{} steps after {} to warm up: a step, and one of it to measure at least, is needed", options.steps,
                    options.warmup);
  check<ValueError>(options.tokens >= 0 && options.gflop >= 0 && is_floating(options.dtype), where,
                    "{} tokens and {} GFLOP of {} in a step; they must not be negative, and f32 or f64", options.tokens,
                    options.gflop, name_of(options.dtype));
  BenchmarkResult result;
  result.name = options.name;
  result.threads = num_threads();
  result.losses.reserve(3);
  const std::int64_t before_this = allocations();
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(options.steps));
  const bool counts = allocations() != before_this;  // a program that counts has counted that
  const auto run = [&] {
    const double loss = step();
    if (result.losses.size() < 3) result.losses.push_back(loss);
  };
  for (int i = 0; i < options.warmup; ++i) run();
  const std::int64_t misses = memory_statistics().pool_misses, calls = allocations();
  for (int i = 0; i < options.steps; ++i) {
    const auto begin = SteadyClock::now();
    run();
    times.push_back(milliseconds_since(begin));
  }
  const std::int64_t made = allocations() - calls + memory_statistics().pool_misses - misses;
  if (counts) result.allocations_per_step = static_cast<double>(made) / options.steps;
  result.peak_rss_mb = process_peak_mb();

  std::sort(times.begin(), times.end());
  const std::size_t last = times.size() - 1;
  result.ms_per_step = (times[last / 2] + times[last - last / 2]) / 2;
  result.ms_quartiles = {times[last / 4], times[last - last / 4]};
  result.tokens_per_s = options.tokens / result.ms_per_step * 1e3;
  if (options.gflop > 0) {
    result.gflops = options.gflop / result.ms_per_step * 1e3;
    result.peak_gflops = std::max(kernels::multiply_add_gflops(options.dtype), matrix_product_gflops(options.dtype));
    result.percent_of_peak = 100 * result.gflops / result.peak_gflops;
  }
  return result;
}

std::string BenchmarkResult::json() const {
  nlohmann::ordered_json line = {{"name", name},
                                 {"threads", threads},
                                 {"ms_per_step", rounded(ms_per_step)},
                                 {"ms_quartiles", {rounded(ms_quartiles[0]), rounded(ms_quartiles[1])}},
                                 {"tokens_per_s", rounded(tokens_per_s)},
                                 {"gflops", rounded(gflops)},
                                 {"percent_of_peak", rounded(percent_of_peak)},
                                 {"peak_gflops", rounded(peak_gflops)},
                                 {"peak_rss_mb", rounded(peak_rss_mb)},
                                 {"allocations_per_step", nullptr},
                                 {"losses", losses}};
  if (allocations_per_step) line["allocations_per_step"] = rounded(*allocations_per_step);
  if (tokens_per_s == 0) line["tokens_per_s"] = nullptr;  // there are none
  if (peak_gflops == 0)                                   // wasn't measured
    for (const char* rate : {"gflops", "percent_of_peak", "peak_gflops"}) line[rate] = nullptr;
  return line.dump();
}

}  // namespace weft
