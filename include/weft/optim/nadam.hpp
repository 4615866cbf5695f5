#pragma once
#include <array>

#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct NAdamOptions {
  double lr = 2e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< of the running means of the gradient and of its square
  double eps = 1e-8;
  double weight_decay = 0;       ///< added to the gradient, times the value
  double momentum_decay = 4e-3;  ///< how fast mu gets from beta1 / 2 to beta1
};

/// NAdam, Adam with Nesterov's momentum (Dozat 2016), as PyTorch has it: with mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)
/// and M_t the product of mu_1 to mu_t,
///   value -= lr (mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) g / (1 - M_t)) / (sqrt(v / (1 - beta2^t)) + eps)
/// State: exp_avg (m), exp_avg_sq (v), mu_product (M, one f64).
class NAdam final : public Optimizer {
 public:
  /// Throws ValueError for betas outside [0, 1), a negative eps or momentum_decay.
  explicit NAdam(std::span<Parameter* const> parameters, const NAdamOptions& options = {});
  explicit NAdam(const std::vector<Group>& groups, const NAdamOptions& options = {});

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;

  NAdamOptions options_;
};

}  // namespace weft::optim
