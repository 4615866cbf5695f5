#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

struct EmbeddingOptions {
  std::int64_t num_embeddings = 0;
  std::int64_t embedding_dim = 0;
  std::optional<std::int64_t> padding_idx = {};  ///< its row starts as zeros and looking it up gives it no gradient
  Init weight_init = init::normal();
};

/// A vector for each id: ids (i32 or i64) [...] -> [..., embedding_dim]. The rows start normal(0, 1), as PyTorch's, unless the
/// options say otherwise. Throws IndexError for an id outside 0..num_embeddings-1.
class Embedding : public Module<Embedding> {
 public:
  explicit Embedding(const EmbeddingOptions& options, const Scope& scope = {});
  /// With another module's weight [num_embeddings, embedding_dim] as its own.
  Embedding(const EmbeddingOptions& options, const Weight& tied, const Scope& scope = {});

  Var forward(const Tensor& ids);
  /// The embedding as a tied output layer: logits x W^T, [..., embedding_dim] -> [..., num_embeddings].
  Var project(const Var& x);

  Weight weight;  ///< [num_embeddings, embedding_dim]

 private:
  std::optional<std::int64_t> padding_idx_;
};

}  // namespace weft::nn
