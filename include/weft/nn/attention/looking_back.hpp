#pragma once
#include "weft/nn/attention/attention.hpp"
#include "weft/nn/linear.hpp"

namespace weft::nn::attention {

/// What Location and Coverage have in common: score = v . tanh(W query + U key + b + features of what queries before attended
/// to), so queries go one by one. Before the first one that is zeros.
class LookingBack : public Attention {
 public:
  Linear query, key, score;  ///< W [hidden, query_dim], U [hidden, key_dim] and b [hidden], v [1, hidden]

 protected:
  struct Sizes {
    std::int64_t query_dim, key_dim, hidden;
  };
  LookingBack(const char* kind, const Sizes& sizes, const Weighting& weighting, const Scope& scope);

 private:
  /// [batch, n, places, hidden] of history [batch, n, places].
  virtual Var features(const Var& history) = 0;
  /// The history after a query with these weights, both [rows, places].
  virtual Var next(const Var& history, const Var& weights) = 0;

  Var prepare(const Var& keys) override;  // U keys + b [batch, places, hidden]
  PreparedKeys prepared() const override { return {.size = key.weight->value().size(0)}; }
  Var scores(const Var& queries, const Var& keys) override;
  void check_state(const Var& query, const AttentionMemory& memory, const AttentionState& state) const override;
  AttentionOutput attend(const Var& queries, const AttentionMemory& memory, const AttentionState& state) override;
};

}  // namespace weft::nn::attention
