#pragma once
// What a measured program does, without weft or libtorch in it: both are measured by the same main program (train_step.cpp).
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace bench {

/// The command line. Sizes that aren't given are the work's own.
struct Settings {
  int threads = 1;
  bool f64 = false;
  bool padded = false;
  std::optional<double> dropout;
  std::optional<std::int64_t> batch, length, layers, width, heads, feed_forward, vocabulary;
};

/// A training step, ready to run.
struct Work {
  std::function<double()> step;  ///< does one; its loss
  double tokens = 0;             ///< that a step handles
  double gflop = 0;              ///< 10^9 operations of its matrix products, by the formulas of sizes.hpp
  int steps = 20;                ///< that are measured unless the command line says otherwise
};

struct Entry {
  const char* name;
  Work (*make)(const Settings& settings);
};

// Each program has its own of these.
std::span<const Entry> works();
/// Threads and what else the framework is told before anything runs.
void prepare(const Settings& settings);

}  // namespace bench
