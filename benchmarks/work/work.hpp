#pragma once
// What a measured program does, without weft or libtorch in it: both are measured by the same main program (train_step.cpp).
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace bench {

/// A setting that may be given, and that a work may have.
template <class T>
class Given {
 public:
  void set(T value) { value_ = value; }
  T value_or(T own) const {
    asked_for_ = true;
    return value_.value_or(own);
  }
  /// Given to a work that hasn't it.
  bool is_idle() const { return value_ && !asked_for_; }

 private:
  std::optional<T> value_;
  mutable bool asked_for_ = false;
};

/// The command line. Sizes that aren't given are the work's own.
struct Settings {
  int threads = 1;
  bool f64 = false;
  Given<bool> padded;
  Given<double> dropout;
  Given<std::int64_t> batch, length, layers, width, heads, feed_forward, vocabulary;
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
