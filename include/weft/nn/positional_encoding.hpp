#pragma once
#include <cstdint>
#include <mutex>

#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

/// Sines and cosines of place first, first + 1, ... (Vaswani et al. 2017): [places, width], width even; element 2i is
/// sin(place / base^(2i / width)), element 2i + 1 its cosine. Throws ValueError for a width that is odd or not positive,
/// places that can't be and a base that isn't positive, DTypeError for others than f32 and f64.
Tensor sinusoids(std::int64_t first, std::int64_t places, std::int64_t width, DType dtype = f32, double base = 10000);

/// Sinusoids from place 0 on that are kept and grow with what is asked for; those of a place far behind them are made each
/// time. Threads may ask at the same time.
class SinusoidTable {
 public:
  explicit SinusoidTable(double base = 10000) : base_(base) {}
  /// Places first to end - 1: [end - first, width].
  Tensor rows(std::int64_t first, std::int64_t end, std::int64_t width, DType dtype);

 private:
  double base_;
  std::mutex mutex_;
  Tensor table_;  // of the longest input so far that had this width and dtype
};

/// x [batch, places, width] + sinusoids, from place `first` on: for any length, without parameters. Threads may call it
/// at the same time.
class SinusoidalPositions : public Module<SinusoidalPositions> {
 public:
  explicit SinusoidalPositions(const Scope& scope = {}) : Module(scope) {}

  Var forward(const Var& x, std::int64_t first = 0);

 private:
  SinusoidTable table_;
};

struct LearnedPositionsOptions {
  std::int64_t max_length = 0;
  std::int64_t embedding_dim = 0;
  Init weight_init = init::normal(0, 0.02);
};

/// x [batch, places, embedding_dim] + a learned vector for each place, from place `first` on. Under "weight", as an embedding.
class LearnedPositions : public Module<LearnedPositions> {
 public:
  /// Throws ValueError for sizes that aren't positive.
  explicit LearnedPositions(const LearnedPositionsOptions& options, const Scope& scope = {});

  /// Throws ShapeError for places beyond max_length.
  Var forward(const Var& x, std::int64_t first = 0);

  Weight weight;  ///< [max_length, embedding_dim]
};

}  // namespace weft::nn
