#include "weft/nn/attention/concat.hpp"

#include "nn/attention/parts.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {
namespace {

constexpr const char* type = "attention::Concat";

}  // namespace

Concat::Concat(const ConcatOptions& options, const Scope& scope)
    : Attention(type, {positive(type, "query_dim", options.query_dim), positive(type, "key_dim", options.key_dim)},
                {options.normaliser, options.dropout}, scope),
      projection(unbiased(options.query_dim + options.key_dim, positive(type, "hidden", options.hidden)), {this, "projection"}),
      score(unbiased(options.hidden, 1), {this, "score"}),
      query_dim_(options.query_dim),
      key_dim_(options.key_dim) {}

Var Concat::prepare(const Var& keys) { return linear(keys, slice(projection.weight, 1, query_dim_, query_dim_ + key_dim_)); }

Var Concat::scores(const Var& queries, const Var& keys) {
  const Var query = linear(queries, slice(projection.weight, 1, 0, query_dim_));
  return squeeze(score(tanh(each_with_each(query, keys))), 3);
}

}  // namespace weft::nn::attention
