#pragma once
#include "weft/nn/attention/attention.hpp"
#include "weft/nn/linear.hpp"

namespace weft::nn::attention {

struct AdditiveOptions {
  std::int64_t query_dim = 0;
  std::int64_t key_dim = 0;
  std::int64_t hidden = 0;
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// score = v . tanh(W query + U key) (Bahdanau 2014)
class Additive : public Attention {
 public:
  explicit Additive(const AdditiveOptions& options, const Scope& scope = {});

  Linear query, key, score;  ///< W [hidden, query_dim], U [hidden, key_dim], v [1, hidden]

 private:
  Var prepare(const Var& keys) override;  // U keys [batch, places, hidden]
  PreparedKeys prepared() const override { return {.size = key.weight->value().size(0)}; }
  Var scores(const Var& queries, const Var& keys) override;
};

}  // namespace weft::nn::attention
