#pragma once
#include "weft/nn/module.hpp"

namespace weft::nn {

struct DropoutOptions {
  double p = 0.5;
};

/// In training mode zeroes each element with probability p and scales the others by 1 / (1 - p) (Srivastava 2014); in
/// evaluation mode passes x on. Draws from the generator of the tape that records.
class Dropout : public Module<Dropout> {
 public:
  /// Throws ValueError for p outside 0 to 1.
  explicit Dropout(const DropoutOptions& options = {}, const Scope& scope = {});

  Var forward(const Var& x);

 private:
  double p_;
};

}  // namespace weft::nn
