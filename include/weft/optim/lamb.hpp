#pragma once
#include <array>

#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct LAMBOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< of the running means of the gradient and of its square
  double eps = 1e-6;
  double weight_decay = 0.01;  ///< added to the direction, times the value
};

/// LAMB (You et al. 2020), Adam whose step is as long as the parameter's norm says, for large batches:
///   u = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay value; value -= lr |value| / |u| u
/// with norms over the whole parameter, their quotient 1 where one of them is 0. State: exp_avg (m), exp_avg_sq (v).
class LAMB final : public Optimizer {
 public:
  /// Throws ValueError for betas outside [0, 1) or a negative eps.
  explicit LAMB(std::span<Parameter* const> parameters, const LAMBOptions& options = {});
  explicit LAMB(const std::vector<Group>& groups, const LAMBOptions& options = {});

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;
  bool works_in_gradient() const override { return true; }

  LAMBOptions options_;
};

}  // namespace weft::optim
