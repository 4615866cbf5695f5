#pragma once
#include "weft/nn/dropout.hpp"

namespace weft::nn {

/// Drops whole words: of embeddings [batch, steps, size] each vector is zeros with probability p and scaled by 1 / (1 - p)
/// otherwise. Given the ids, all places of a row that have one id are dropped or kept together (Gal & Ghahramani 2016), without
/// them each place for itself (Iyyer et al. 2015). In training mode under a tape; otherwise the embeddings as they are.
class WordDropout : public Module<WordDropout> {
 public:
  /// Throws ValueError for p outside 0 to 1.
  explicit WordDropout(const DropoutOptions& options = {}, const Scope& scope = {});

  /// ids (i32 or i64 [batch, steps]) are those that were embedded, or undefined. Throws ShapeError, DTypeError.
  Var forward(const Var& embedded, const Tensor& ids = {});

 private:
  double p_;
};

}  // namespace weft::nn
