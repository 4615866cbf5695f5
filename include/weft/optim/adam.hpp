#pragma once
#include <array>

#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< of the running means of the gradient and of its square
  double eps = 1e-8;
  double weight_decay = 0;  ///< added to the gradient, times the value
  bool amsgrad = false;     ///< v of the divisor is the largest one so far (Reddi et al. 2018)
};

/// Adam (Kingma and Ba 2015) as PyTorch has it:
///   value -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)
/// and without an update where that divisor is 0 (eps 0, no gradient so far).
/// State: exp_avg (m), exp_avg_sq (v), with amsgrad max_exp_avg_sq.
class Adam : public Optimizer {
 public:
  explicit Adam(std::span<Parameter* const> parameters, const AdamOptions& options = {});
  explicit Adam(const std::vector<Group>& groups, const AdamOptions& options = {});

 protected:
  Adam(const char* name, const std::vector<Group>& groups, const AdamOptions& options, bool decoupled);

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;

  AdamOptions options_;
  bool decoupled_;
};

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;  ///< times lr, the part of the value that goes at each step
  bool amsgrad = false;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): value *= 1 - lr * weight_decay first.
class AdamW final : public Adam {
 public:
  explicit AdamW(std::span<Parameter* const> parameters, const AdamWOptions& options = {});
  explicit AdamW(const std::vector<Group>& groups, const AdamWOptions& options = {});
};

}  // namespace weft::optim
