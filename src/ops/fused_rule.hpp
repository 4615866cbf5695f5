#pragma once
#include "kernels/elementwise.hpp"
#include "ops/guarded.hpp"
#include "weft/autograd/record.hpp"

namespace weft {

/// The rule of a function of one argument that has its own backward kernel, from what that needs (its argument or its
/// result); where the rule is recorded, `factor(saved)` is the derivative in composite form.
template <class Factor>
void fused_rule(Sink& s, kernels::Binary kernel, const Var& saved, const Factor& factor) {
  if (s.recording())
    s.add(0, guarded_mul(s.grad(), factor(saved)));
  else
    s.add(0, kernels::binary(kernel, s.grad().value(), saved.value(), "backward"));
}

}  // namespace weft
