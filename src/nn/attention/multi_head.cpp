#include "weft/nn/attention/multi_head.hpp"

#include "base/fail.hpp"
#include "nn/attention/parts.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {
namespace {

constexpr const char* type = "attention::MultiHead";

MultiHeadOptions checked(MultiHeadOptions o) {
  check<ValueError>(positive(type, "query_dim", o.query_dim) % positive(type, "heads", o.heads) == 0, type,
                    "query_dim is {} and heads {}; the heads must divide it evenly", o.query_dim, o.heads);
  if (o.key_dim == 0) o.key_dim = o.query_dim;
  if (o.value_dim == 0) o.value_dim = o.key_dim;
  positive(type, "key_dim", o.key_dim);
  positive(type, "value_dim", o.value_dim);
  return o;
}

MultiheadAttentionOptions attention_options(const MultiHeadOptions& given) {
  const MultiHeadOptions o = checked(given);
  return {.embed_dim = o.query_dim,
          .num_heads = o.heads,
          .dropout = o.dropout,
          .bias = false,
          .kdim = o.key_dim,
          .vdim = o.value_dim,
          .normaliser = o.normaliser};
}

}  // namespace

MultiHead::MultiHead(const MultiHeadOptions& options, const Scope& scope)
    : Attention(type, {checked(options).query_dim, checked(options).key_dim, checked(options).value_dim},
                {options.normaliser, options.dropout}, scope),
      attention(attention_options(options), {this, "attention"}),
      heads_(options.heads),
      head_dim_(options.query_dim / options.heads) {}

// Both projected, [batch, heads, places, size of a head], each head's places next to each other: copied once, not at each step.
AttentionMemory MultiHead::kept(const Var& keys, const Var& values, const Tensor& mask) {
  const AttentionCache cache = attention.remember(keys, values);
  const auto head_by_head = [](const Var& x) { return reshape(flatten(x, 0, 1), x.shape()); };
  return {head_by_head(cache.keys), head_by_head(cache.values), mask};
}

// Both [batch, heads, places, size of a head].
void MultiHead::check_kept(const AttentionMemory& memory) const {
  const Shape &keys = memory.keys.shape(), &values = memory.values.shape();
  check<ShapeError>(keys == values && keys.rank() == 4 && keys[1] == heads_ && keys[3] == head_dim_, type,
                    "keys {} and values {} are no memory of this module, both [batch, {}, places, {}]; `remember` makes one",
                    memory.keys.value(), memory.values.value(), heads_, head_dim_);
}

AttentionOutput MultiHead::attend(const Var& query, const AttentionMemory& memory, const AttentionState& /*state*/) {
  const Tensor allowed = memory.mask.defined() ? memory.mask.unsqueeze(1).unsqueeze(1) : Tensor();
  MixingOutput seen = attention(query, AttentionCache{memory.keys, memory.values}, AttentionMask{.allowed = allowed},
                                AttentionWeights::averaged, Padding::finite);
  return {std::move(seen.output), std::move(seen.weights), {}};
}

}  // namespace weft::nn::attention
