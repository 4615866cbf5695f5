#pragma once
#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;      ///< the learning rate of update t is lr / (1 + (t - 1) lr_decay)
  double weight_decay = 0;  ///< added to the gradient, times the value
  double initial_accumulator_value = 0;
  double eps = 1e-10;
};

/// Adagrad (Duchi, Hazan and Singer 2011) as PyTorch has it: s = s + g^2; value -= lr g / (sqrt(s) + eps).
/// State: sum (s), which starts at initial_accumulator_value.
class Adagrad final : public Optimizer {
 public:
  /// Throws ValueError for a negative lr_decay, initial_accumulator_value or eps.
  explicit Adagrad(std::span<Parameter* const> parameters, const AdagradOptions& options = {});
  explicit Adagrad(const std::vector<Group>& groups, const AdagradOptions& options = {});

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;

  AdagradOptions options_;
};

}  // namespace weft::optim
