#pragma once
#include <cstdint>

#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"

namespace weft::nn {

struct CoAttentionOptions {
  std::int64_t first_dim = 0, second_dim = 0;  ///< sizes of the elements of the two sequences
  std::int64_t hidden = 0;                     ///< k
};

/// What attention to two sequences gives: of each a weighted mean, and its weights.
struct CoAttentionOutput {
  Var first, second;                  ///< [batch, first_dim], [batch, second_dim]; zeros for a row without places
  Var first_weights, second_weights;  ///< [batch, places], rows add up to 1; zeros behind the lengths
};

/// Parallel co-attention (Lu et al. 2016): two sequences of different kinds, the regions of a picture V and the words of a
/// question Q, attend to each other at once:
///   C = tanh(Q W_b V^T),  H_v = tanh(W_v V + C^T W_q Q),  H_q = tanh(W_q Q + C W_v V)
///   a_v = softmax(w_hv . H_v), a_q = softmax(w_hq . H_q),  v = sum a_v V, q = sum a_q Q
/// without biases. What stands behind the lengths, NaN included, reaches nothing.
class CoAttention : public Module<CoAttention> {
 public:
  /// Throws ValueError for sizes that aren't positive.
  explicit CoAttention(const CoAttentionOptions& options, const Scope& scope = {});

  /// V [batch, n, first_dim] and Q [batch, m, second_dim], lengths i64 or i32 [batch] or undefined. Throws ShapeError,
  /// DTypeError, ValueError for lengths that can't be.
  CoAttentionOutput forward(const Var& first, const Var& second, const Tensor& first_lengths = {},
                            const Tensor& second_lengths = {});

  Linear affinity;                   ///< W_b: first_dim -> second_dim
  Linear first, second;              ///< W_v, W_q: -> hidden
  Linear first_score, second_score;  ///< w_hv, w_hq: hidden -> 1

 private:
  CoAttentionOptions options_;
};

}  // namespace weft::nn
