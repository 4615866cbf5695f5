#pragma once
#include "weft/nn/attention/attention.hpp"
#include "weft/nn/linear.hpp"

namespace weft::nn::attention {

struct GeneralOptions {
  std::int64_t query_dim = 0;
  std::int64_t key_dim = 0;
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// score = key . W query (Luong 2015)
class General : public Attention {
 public:
  explicit General(const GeneralOptions& options, const Scope& scope = {});

  Linear query;  ///< W [key_dim, query_dim]

 protected:
  /// For kinds that have this score within a reach.
  General(const char* kind, const GeneralOptions& options, const Scope& scope);

  Var prepare(const Var& keys) override;  // [batch, key_dim, places]
  PreparedKeys prepared() const override { return {.size = query.weight->value().size(0), .turned = true}; }
  Var scores(const Var& queries, const Var& keys) override;
};

}  // namespace weft::nn::attention
