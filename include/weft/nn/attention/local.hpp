#pragma once
#include "weft/nn/attention/general.hpp"

namespace weft::nn::attention {

struct LocalOptions {
  std::int64_t query_dim = 0;
  std::int64_t key_dim = 0;
  std::int64_t window = 10;  ///< D: places that are seen on each side of the position, 1 at least
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// General's score, softmax over the places within `window` of a position alone (Luong et al. 2015). The position is given, or
/// the number of the query (local-m, monotonic): query t looks at place t, those behind the last place of the mask look there.
/// Throws ValueError for a window below 1.
class LocalM : public General {
 public:
  explicit LocalM(const LocalOptions& options, const Scope& scope = {});

  /// Around given positions, i64 or i32 [rows, queries], each one of the places; the rest is as in forward.
  /// Throws ShapeError, DTypeError, ValueError for a position outside the places.
  AttentionOutput at(const Tensor& positions, const Var& queries, const AttentionMemory& memory);

 private:
  void check_state(const Var& query, const AttentionMemory& memory, const AttentionState& state) const override;
  AttentionOutput attend(const Var& queries, const AttentionMemory& memory, const AttentionState& state) override;
  AttentionOutput around(const Tensor& positions, const Var& queries, const AttentionMemory& memory);
  std::int64_t window_;
};

struct LocalPOptions {
  std::int64_t query_dim = 0;
  std::int64_t key_dim = 0;
  std::int64_t hidden = 0;   ///< of what predicts the position
  std::int64_t window = 10;  ///< D: places that are seen on each side of the position, 1 at least
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// local-p, predictive (Luong et al. 2015): the position is p = S sigmoid(v . tanh(W query)), S being the number of places up
/// to the last of the mask, and the weights within `window` of it are General's times exp(-(place - p)^2 / (2 (window / 2)^2)).
/// So they add up to less than 1, and p is learned. Throws ValueError for a window below 1.
class LocalP : public General {
 public:
  explicit LocalP(const LocalPOptions& options, const Scope& scope = {});

  Linear position, position_score;  ///< W [hidden, query_dim], v [1, hidden]

 private:
  AttentionOutput attend(const Var& queries, const AttentionMemory& memory, const AttentionState& state) override;
  std::int64_t window_;
};

}  // namespace weft::nn::attention
