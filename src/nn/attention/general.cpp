#include "weft/nn/attention/general.hpp"

#include "nn/attention/parts.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {

General::General(const GeneralOptions& options, const Scope& scope) : General("attention::General", options, scope) {}

General::General(const char* kind, const GeneralOptions& options, const Scope& scope)
    : Attention(kind, {positive(kind, "query_dim", options.query_dim), positive(kind, "key_dim", options.key_dim)},
                {options.normaliser, options.dropout}, scope),
      query(unbiased(options.query_dim, options.key_dim), {this, "query"}) {}

Var General::prepare(const Var& keys) { return transpose(keys, 1, 2); }

Var General::scores(const Var& queries, const Var& keys) { return matmul(query(queries), keys); }

}  // namespace weft::nn::attention
