#include "weft/nn/embedding.hpp"

#include "base/fail.hpp"
#include "weft/ops/embedding.hpp"
#include "weft/ops/matmul.hpp"

namespace weft::nn {
namespace {

Shape weight_shape(const EmbeddingOptions& o) {
  check<ValueError>(o.num_embeddings > 0 && o.embedding_dim > 0, "Embedding",
                    "num_embeddings is {} and embedding_dim {}; both must be positive", o.num_embeddings, o.embedding_dim);
  check<ValueError>(!o.padding_idx || (*o.padding_idx >= 0 && *o.padding_idx < o.num_embeddings), "Embedding",
                    "padding_idx {} is outside 0..{}", o.padding_idx.value_or(0), o.num_embeddings - 1);
  return {o.num_embeddings, o.embedding_dim};
}

}  // namespace

Embedding::Embedding(const EmbeddingOptions& options, const Scope& scope)
    : Module(scope), weight(this, "weight", weight_shape(options), options.weight_init), padding_idx_(options.padding_idx) {
  if (padding_idx_) weight->mutable_value().select(0, *padding_idx_).fill(0);
}

Embedding::Embedding(const EmbeddingOptions& options, const Weight& tied, const Scope& scope)
    : Module(scope), weight(this, "weight", tied), padding_idx_(options.padding_idx) {
  check<ShapeError>(weight->shape() == weight_shape(options), "Embedding", "the tied weight {} doesn't fit; {} is needed",
                    weight->value(), weight_shape(options));
}

Var Embedding::forward(const Tensor& ids) { return embedding(weight, ids, padding_idx_); }

Var Embedding::project(const Var& x) {
  const ModuleScope scope(*this);
  return linear(x, weight);
}

}  // namespace weft::nn
