#pragma once
#include <array>

#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct LionOptions {
  double lr = 1e-4;                           ///< three to ten times smaller than Adam's
  std::array<double, 2> betas = {0.9, 0.99};  ///< of the direction and of the running mean
  double weight_decay = 0;                    ///< times lr, the part of the value that goes at each step
};

/// Lion (Chen et al. 2023), which goes by the sign alone:
///   c = beta1 m + (1 - beta1) g; value = (1 - lr weight_decay) value - lr sign(c); m = beta2 m + (1 - beta2) g
/// State: exp_avg (m).
class Lion final : public Optimizer {
 public:
  /// Throws ValueError for betas outside [0, 1).
  explicit Lion(std::span<Parameter* const> parameters, const LionOptions& options = {});
  explicit Lion(const std::vector<Group>& groups, const LionOptions& options = {});

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;

  LionOptions options_;
};

}  // namespace weft::optim
