#pragma once
#include "weft/nn/attention/attention.hpp"
#include "weft/nn/linear.hpp"

namespace weft::nn::attention {

struct ConcatOptions {
  std::int64_t query_dim = 0;
  std::int64_t key_dim = 0;
  std::int64_t hidden = 0;
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// score = v . tanh(W [query; key]) (Luong 2015): Additive's function with one matrix, of which the query's and the key's
/// columns are multiplied apart, so that nothing is joined.
class Concat : public Attention {
 public:
  explicit Concat(const ConcatOptions& options, const Scope& scope = {});

  Linear projection, score;  ///< W [hidden, query_dim + key_dim], v [1, hidden]

 private:
  Var prepare(const Var& keys) override;  // [batch, places, hidden]
  PreparedKeys prepared() const override { return {.size = projection.weight->value().size(0)}; }
  Var scores(const Var& queries, const Var& keys) override;
  std::int64_t query_dim_, key_dim_;
};

}  // namespace weft::nn::attention
