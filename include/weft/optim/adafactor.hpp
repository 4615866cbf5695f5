#pragma once
#include <array>

#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct AdafactorOptions {
  double lr = 1e-2;                           ///< the largest relative step
  double beta2_decay = -0.8;                  ///< the share of the means that stays is 1 - t^beta2_decay
  std::array<double, 2> eps = {1e-30, 1e-3};  ///< added to squared gradients; the least that steps are relative to
  double d = 1;                               ///< the largest root mean square of an update
  double weight_decay = 0;                    ///< times lr, the part of the value that goes at each step
};

/// Adafactor (Shazeer and Stern 2018), whose state of a matrix [n, m] is n + m numbers: running means of the rows' and of
/// the columns' squared gradients, whose product over their mean stands for the mean of each. With v so,
///   u = g / sqrt(v); value -= max(eps2, rms(value)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / d)
/// More dimensions are as many matrices of the last two, fewer are kept whole.
/// State: exp_avg_sq_row [..., n] and exp_avg_sq_col [..., m], or exp_avg_sq.
class Adafactor final : public Optimizer {
 public:
  /// Throws ValueError for a beta2_decay above 0, a negative eps, a d that isn't above 0.
  explicit Adafactor(std::span<Parameter* const> parameters, const AdafactorOptions& options = {});
  explicit Adafactor(const std::vector<Group>& groups, const AdafactorOptions& options = {});

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;
  bool works_in_gradient() const override { return true; }

  AdafactorOptions options_;
  Tensor room_;  // a number for each column of the widest parameter, to work in: a step asks for no memory
};

}  // namespace weft::optim
