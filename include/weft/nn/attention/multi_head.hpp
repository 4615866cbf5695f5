#pragma once
#include "weft/nn/attention/attention.hpp"
#include "weft/nn/multihead_attention.hpp"

namespace weft::nn::attention {

struct MultiHeadOptions {
  std::int64_t query_dim = 0;  ///< also of the context
  std::int64_t key_dim = 0;    ///< 0: query_dim
  std::int64_t value_dim = 0;  ///< 0: key_dim
  std::int64_t heads = 8;      ///< divides query_dim
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// MultiheadAttention without biases as a kind among the others (Vaswani et al. 2017): the context, [rows, queries, query_dim],
/// is projected from the heads', the weights are the heads' mean.
class MultiHead : public Attention {
 public:
  /// Throws ValueError for sizes that aren't positive and heads that don't divide query_dim.
  explicit MultiHead(const MultiHeadOptions& options, const Scope& scope = {});

  MultiheadAttention attention;

 private:
  AttentionMemory kept(const Var& keys, const Var& values, const Tensor& mask) override;
  void check_kept(const AttentionMemory& memory) const override;
  AttentionOutput attend(const Var& query, const AttentionMemory& memory, const AttentionState& state) override;

  std::int64_t heads_, head_dim_;
};

}  // namespace weft::nn::attention
