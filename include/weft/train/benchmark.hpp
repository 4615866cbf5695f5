#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "weft/base/dtype.hpp"

namespace weft {

struct BenchmarkOptions {
  std::string name = "step";
  int warmup = 3;     ///< steps before the measured ones; memory and oneDNN's primitives are made in them
  int steps = 20;     ///< that are measured
  double tokens = 0;  ///< that one step handles
  double gflop = 0;   ///< 10^9 operations of a step's matrix products, a multiply-add being two; 0: the peak isn't measured
  DType dtype = f32;  ///< of these products, as the processor's peak depends on it
};

struct BenchmarkResult {
  std::string name;
  int threads = 0;         ///< num_threads()
  double ms_per_step = 0;  ///< the median
  /// A quarter of the steps took no more than the first, a quarter no less than the second.
  std::array<double, 2> ms_quartiles{};
  double tokens_per_s = 0;  ///< at the median; 0, and null in json(), where a step has none
  double gflops = 0;        ///< 10^9 operations a second
  /// What the processor does on these threads, measured after the steps: the better of multiply-adds in registers and a
  /// large matrix product.
  double peak_gflops = 0;
  double percent_of_peak = 0;  ///< above 100 where `gflop` counts work that is left out
  double peak_rss_mb = 0;      ///< the process's largest memory up to the last step, in MiB
  /// Calls of operator new and requests of the pool that went to the system, in a measured step; none unless the program
  /// includes weft/train/count_allocations.hpp.
  std::optional<double> allocations_per_step;
  std::vector<double> losses;  ///< of the first three steps, warm-up included: what shows that two programs do the same

  /// One line, without the end of the line; null for what wasn't measured.
  std::string json() const;
};

/// Measures a training step on the calling thread. `step` does one and returns its loss:
///   const BenchmarkResult result = benchmark_step([&] {
///     Tape tape;
///     const Var loss = cross_entropy(model(x), y);
///     tape.backward(loss);
///     optimizer.step();
///     return loss.item();
///   }, {.name = "mine", .tokens = 640});
///   std::cout << result.json() << '\n';
/// Throws ValueError for no steps or a negative number, and what the step throws.
BenchmarkResult benchmark_step(const std::function<double()>& step, const BenchmarkOptions& options = {});

/// Calls of operator new so far, by any thread, without oneDNN's; 0 unless the program includes
/// weft/train/count_allocations.hpp.
std::int64_t allocations();

}  // namespace weft
