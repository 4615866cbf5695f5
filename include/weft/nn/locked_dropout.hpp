#pragma once
#include "weft/nn/dropout.hpp"

namespace weft::nn {

/// Variational dropout (Gal & Ghahramani 2016): x [batch, steps, ...] loses the same elements at every step of a row, each with
/// probability p, and has the others scaled by 1 / (1 - p). In training mode under a tape; otherwise x.
class LockedDropout : public Module<LockedDropout> {
 public:
  /// Throws ValueError for p outside 0 to 1.
  explicit LockedDropout(const DropoutOptions& options = {}, const Scope& scope = {});

  /// Throws ShapeError for x of less than three dimensions.
  Var forward(const Var& x);

 private:
  double p_;
};

}  // namespace weft::nn
