#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/attention.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start) { return spread(shape, -1.5, 1.5, start); }

// Every third place is closed, and all of the second query's.
Tensor some_allowed(const Shape& shape) {
  Tensor allowed = Tensor::empty(shape, boolean);
  bool* open = allowed.mutable_data<bool>();
  const std::int64_t queries = shape[shape.rank() - 2], keys = shape.back();
  for (std::int64_t i = 0; i < allowed.numel(); ++i) open[i] = i % 3 != 2 && (queries == 1 || i / keys % queries != 1);
  return allowed;
}

struct Sizes {
  std::int64_t batch = 2, heads = 2, queries = 3, keys = 4, size = 3, value_size = 2;
};

std::vector<Tensor> operands(const Sizes& n) {
  return {values({n.batch, n.heads, n.queries, n.size}, 0.5), values({n.batch, n.heads, n.keys, n.size}, 0.2),
          values({n.batch, n.heads, n.keys, n.value_size}, 0.9)};
}

}  // namespace

void add_attention_cases(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, AttentionMask mask = {},
                       AttentionOptions options = {}) {
    to.push_back({"scaled_dot_product_attention", variant,
                  [mask = std::move(mask), options](const Inputs& in) {
                    return scaled_dot_product_attention(in[0], in[1], in[2], mask, options).output;
                  },
                  std::move(inputs)});
  };
  const auto lengths = [](std::initializer_list<std::int64_t> n) {
    return Tensor::from<std::int64_t>(n, {static_cast<std::int64_t>(n.size())});
  };
  row("plain", operands({}));
  row("causal", operands({.queries = 4}), {.causal = true});
  row("lengths, a scale", operands({}), {.lengths = lengths({3, 1})}, {.scale = 0.3});
  row("causal, fewer queries than keys", operands({.queries = 2}), {.causal = true});
  row("causal, more queries than keys", operands({.queries = 6}), {.causal = true});
  row("a mask for all heads", operands({}), {.allowed = some_allowed({1, 1, 3, 4})});
  row("a mask for each head, lengths, causal", operands({.queries = 4}),
      {.allowed = some_allowed({2, 2, 4, 4}), .lengths = lengths({2, 4}), .causal = true});
  row("a mask of keys", operands({}), {.allowed = some_allowed({2, 1, 1, 4})});
  row("a row without keys", operands({}), {.lengths = lengths({0, 4})});
  row("size 0: no queries", operands({.queries = 0}));
  row("size 0: no keys", operands({.keys = 0}));
  row("size 0: no rows", operands({.batch = 0}));
  row("size 1", operands({.batch = 1, .heads = 1, .queries = 1, .keys = 1, .size = 1, .value_size = 1}));
  row("dropout", operands({}), {.causal = true}, {.dropout = 0.3});
  row("wide", operands({.batch = 1, .heads = 1, .queries = 5, .keys = 37, .size = 9, .value_size = 17}));
  row("weights asked for", operands({}), {.lengths = lengths({3, 1})}, {.dropout = 0.3, .need_weights = true});
  // As heads stand in memory: [batch, length, heads, size].
  row("transposed",
      {values({2, 3, 2, 4}, 0.5).transpose(1, 2), values({2, 5, 2, 4}, 0.2).transpose(1, 2),
       values({2, 5, 2, 4}, 0.9).transpose(1, 2)},
      {.lengths = lengths({3, 5})});
  row("strided", {values({2, 1, 3, 3, 2}, 0.5).select(4, 1), values({2, 1, 3, 4}, 0.2).transpose(2, 3),
                  values({2, 1, 4, 2}, 0.9).flip(2)});
  to.push_back(
      {"scaled_dot_product_attention",
       "repeated operand",
       [](const Inputs& in) { return scaled_dot_product_attention(in[0], in[0], in[0], {.causal = true}).output * in[0]; },
       {values({2, 2, 4, 3}, 0.5)}});
}

}  // namespace weft::test
