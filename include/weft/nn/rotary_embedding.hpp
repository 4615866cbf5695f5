#pragma once
#include <cstdint>

#include "weft/nn/module.hpp"
#include "weft/nn/positional_encoding.hpp"

namespace weft::nn {

struct RotaryEmbeddingOptions {
  double base = 10000;  ///< above 1: of the wave lengths, which go from 2 pi to 2 pi base
};

/// Rotary position embedding (Su et al. 2021): turns the pair (x[2i], x[2i + 1]) of place p by p / base^(2i / size), so that
/// products of turned queries and keys depend on their places' distance alone. Without parameters, for any length. Threads may
/// call it at the same time.
class RotaryEmbedding : public Module<RotaryEmbedding> {
 public:
  /// Throws ValueError for a base that isn't finite or not above 1.
  explicit RotaryEmbedding(const RotaryEmbeddingOptions& options = {}, const Scope& scope = {});

  /// x [..., places, size], size even, from place `first` on -> the same shape. Throws ShapeError, ValueError for a negative
  /// `first`, DTypeError.
  Var forward(const Var& x, std::int64_t first = 0);

 private:
  SinusoidTable table_;
};

}  // namespace weft::nn
