#pragma once
#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  ///< of the running mean of the gradient's square
  double eps = 1e-8;
  double weight_decay = 0;  ///< added to the gradient, times the value
  double momentum = 0;
  bool centered = false;  ///< divides by the deviation of the gradient: its running mean is taken off (Graves 2013)
};

/// RMSprop (Tieleman and Hinton 2012) as PyTorch has it:
///   v = alpha v + (1 - alpha) g^2; b = momentum b + g / (sqrt(v) + eps); value -= lr b
/// and when centered with v - m^2, at least 0, in place of v, m = alpha m + (1 - alpha) g.
/// State: square_avg (v), where there is momentum momentum_buffer (b), when centered grad_avg (m).
class RMSprop final : public Optimizer {
 public:
  /// Throws ValueError for an alpha outside [0, 1), a negative momentum or eps.
  explicit RMSprop(std::span<Parameter* const> parameters, const RMSpropOptions& options = {});
  explicit RMSprop(const std::vector<Group>& groups, const RMSpropOptions& options = {});

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;

  RMSpropOptions options_;
};

}  // namespace weft::optim
