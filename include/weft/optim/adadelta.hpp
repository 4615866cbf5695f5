#pragma once
#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;         ///< of the running means
  double eps = 1e-6;        ///< in both roots; how large the first updates are
  double weight_decay = 0;  ///< added to the gradient, times the value
};

/// Adadelta (Zeiler 2012) as PyTorch has it:
///   v = rho v + (1 - rho) g^2; delta = sqrt(u + eps) / sqrt(v + eps) g; u = rho u + (1 - rho) delta^2; value -= lr delta
/// State: square_avg (v), acc_delta (u).
class Adadelta final : public Optimizer {
 public:
  /// Throws ValueError for a rho outside [0, 1) or a negative eps.
  explicit Adadelta(std::span<Parameter* const> parameters, const AdadeltaOptions& options = {});
  explicit Adadelta(const std::vector<Group>& groups, const AdadeltaOptions& options = {});

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;

  AdadeltaOptions options_;
};

}  // namespace weft::optim
