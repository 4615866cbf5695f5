#pragma once
#include <span>

#include "weft/autograd/parameter.hpp"

namespace weft::optim {

/// What to do about gradients whose norm is infinite or NaN.
enum class NonFinite {
  error,  ///< NumericError naming the first such parameter; the gradients stay
  skip    ///< use the gradients up: `if (!clip_grad_norm(...).skipped) optimizer.step()`
};

struct ClipOptions {
  NonFinite on_non_finite = NonFinite::error;
};

struct ClipResult {
  double norm;   ///< before clipping
  bool skipped;  ///< no gradients are left, so there is no step to take
};

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), norm being that of all of them together, accumulated in
/// double; with 0 they all become 0 (TrainerOptions::clip 0 lets them be of any norm). The same bits for any thread count.
/// Throws ValueError where max_norm isn't at least 0, OutOfMemoryError where a gradient that another handle sees must be copied
/// and there is no memory for it; no gradient has changed then.
ClipResult clip_grad_norm(std::span<Parameter* const> parameters, double max_norm, const ClipOptions& options = {});

}  // namespace weft::optim
