#pragma once
#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;  ///< added to the gradient, times the value
  bool nesterov = false;    ///< needs momentum, and no dampening
};

/// PyTorch's SGD: b = momentum b + (1 - dampening) g, at first b = g; value -= lr b, or with Nesterov lr (g + momentum b).
/// State: momentum_buffer where there is momentum.
class SGD final : public Optimizer {
 public:
  explicit SGD(std::span<Parameter* const> parameters, const SGDOptions& options = {});
  explicit SGD(const std::vector<Group>& groups, const SGDOptions& options = {});

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;

  SGDOptions options_;
};

}  // namespace weft::optim
