#include "weft/nn/locked_dropout.hpp"

#include "base/fail.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::nn {

LockedDropout::LockedDropout(const DropoutOptions& options, const Scope& scope) : Module(scope), p_(options.p) {
  check<ValueError>(p_ >= 0 && p_ <= 1, "LockedDropout", "p is {}; a probability from 0 to 1 is needed", p_);
}

Var LockedDropout::forward(const Var& x) {
  check<ValueError>(x.defined(), "LockedDropout", "the input isn't given");
  check<ShapeError>(x.rank() >= 3, "LockedDropout", "input {} is not [batch, steps, ...]", x.value());
  if (!training() || p_ == 0 || Tape::recording() == nullptr) return x;
  return x * dropout(Tensor::ones(x.shape().with(1, 1), x.dtype()), p_);
}

}  // namespace weft::nn
