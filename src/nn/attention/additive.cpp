#include "weft/nn/attention/additive.hpp"

#include "nn/attention/parts.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {
namespace {

constexpr const char* type = "attention::Additive";

}  // namespace

Additive::Additive(const AdditiveOptions& options, const Scope& scope)
    : Attention(type, {positive(type, "query_dim", options.query_dim), positive(type, "key_dim", options.key_dim)},
                {options.normaliser, options.dropout}, scope),
      query(unbiased(options.query_dim, positive(type, "hidden", options.hidden)), {this, "query"}),
      key(unbiased(options.key_dim, options.hidden), {this, "key"}),
      score(unbiased(options.hidden, 1), {this, "score"}) {}

Var Additive::prepare(const Var& keys) { return key(keys); }

Var Additive::scores(const Var& queries, const Var& keys) {
  return squeeze(score(tanh(each_with_each(query(queries), keys))), 3);
}

}  // namespace weft::nn::attention
