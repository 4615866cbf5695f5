#pragma once
#include <cmath>

#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/layer_norm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::test {

struct SmallTransformerOptions {
  std::int64_t vocabulary = 9, width = 8, heads = 2, feed_forward = 12, longest = 8;
  double dropout = 0;
};

/// Scaled dot-product attention in several heads (Vaswani 2017).
class Heads : public nn::Module<Heads> {
 public:
  Heads(const SmallTransformerOptions& o, const nn::Scope& scope)
      : Module(scope),
        query({.in_features = o.width, .out_features = o.width}, {this, "query"}),
        key({.in_features = o.width, .out_features = o.width}, {this, "key"}),
        value({.in_features = o.width, .out_features = o.width}, {this, "value"}),
        out({.in_features = o.width, .out_features = o.width}, {this, "out"}),
        heads_(o.heads) {}

  /// x [batch, queries, width], memory [batch, places, width], mask broadcast to [batch, heads, queries, places].
  Var forward(const Var& x, const Var& memory, const Tensor& mask) {
    const Var q = split_heads(query(x)), k = split_heads(key(memory)), v = split_heads(value(memory));
    const double scale = 1 / std::sqrt(static_cast<double>(q.size(-1)));
    const Var weights = masked_softmax(matmul(q, transpose(k, -1, -2)) * scale, mask);
    return out(reshape(transpose(matmul(weights, v), 1, 2), x.shape()));
  }

 private:
  Var split_heads(const Var& x) { return transpose(reshape(x, {x.size(0), x.size(1), heads_, x.size(2) / heads_}), 1, 2); }

  nn::Linear query, key, value, out;
  std::int64_t heads_;
};

/// Pre-norm: attention to itself, attention to a memory where there is one, feed-forward.
class Block : public nn::Module<Block> {
 public:
  Block(const SmallTransformerOptions& o, const nn::Scope& scope)
      : Module(scope),
        self(o, {this, "self"}),
        cross(o, {this, "cross"}),
        first({.in_features = o.width, .out_features = o.feed_forward}, {this, "first"}),
        second({.in_features = o.feed_forward, .out_features = o.width}, {this, "second"}),
        norm1({.normalized_shape = o.width}, {this, "norm1"}),
        norm2({.normalized_shape = o.width}, {this, "norm2"}),
        norm3({.normalized_shape = o.width}, {this, "norm3"}),
        dropout({.p = o.dropout}, {this, "dropout"}) {}

  Var forward(const Var& x, const Tensor& mask, const Var& memory, const Tensor& memory_mask) {
    const Var normal = norm1(x);
    Var y = x + dropout(self(normal, normal, mask));
    if (memory.defined()) y = y + dropout(cross(norm2(y), memory, memory_mask));
    return y + dropout(second(gelu(first(norm3(y)))));
  }

 private:
  Heads self, cross;
  nn::Linear first, second;
  nn::LayerNorm norm1, norm2, norm3;
  nn::Dropout dropout;
};

/// Encoder and decoder of one block each, with learned positions and one embedding for everything.
class SmallTransformer : public nn::Module<SmallTransformer> {
 public:
  explicit SmallTransformer(const SmallTransformerOptions& o = {}, const nn::Scope& scope = {})
      : Module(scope),
        embed({.num_embeddings = o.vocabulary, .embedding_dim = o.width}, {this, "embed"}),
        positions({.num_embeddings = o.longest, .embedding_dim = o.width}, {this, "positions"}),
        encoder(o, {this, "encoder"}),
        decoder(o, {this, "decoder"}),
        norm({.normalized_shape = o.width}, {this, "norm"}) {}

  /// Ids [batch, n] and [batch, m]; 0 is padding. Logits [batch, m, vocabulary].
  Var forward(const Tensor& source, const Tensor& target) {
    const Tensor places = mask_of(source, false), earlier = mask_of(target, true);
    const Var memory = encoder(embedded(source), places, Var(), Tensor());
    return embed.project(norm(decoder(embedded(target), earlier, memory, places)));
  }

 private:
  Var embedded(const Tensor& ids) {
    Tensor places = Tensor::empty({ids.size(1)}, i64);
    for (std::int64_t i = 0; i < ids.size(1); ++i) places.mutable_data<std::int64_t>()[i] = i;
    return embed(ids) + positions(places);
  }

  // [batch, 1, 1 or n, n]: true at words, for the causal one not later than the query.
  static Tensor mask_of(const Tensor& ids, bool causal) {
    const std::int64_t batch = ids.size(0), n = ids.size(1), queries = causal ? n : 1;
    Tensor mask = Tensor::empty({batch, 1, queries, n}, boolean);
    bool* m = mask.mutable_data<bool>();
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t q = 0; q < queries; ++q)
        for (std::int64_t p = 0; p < n; ++p) *m++ = ids.data<std::int64_t>()[b * n + p] != 0 && (!causal || p <= q);
    return mask;
  }

  nn::Embedding embed, positions;
  Block encoder, decoder;
  nn::LayerNorm norm;
};

}  // namespace weft::test
