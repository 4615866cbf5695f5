#pragma once
#include <array>

#include "weft/optim/optimizer.hpp"

namespace weft::optim {

struct SparseAdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};  ///< of the running means of the gradient and of its square
  double eps = 1e-8;
};

/// Adam for tables of which a step uses a few rows, as PyTorch's SparseAdam: a row [i, ...] that wasn't used keeps its value
/// and its running means, where Adam would move it on by what it remembers. t counts all steps, those of other rows too:
///   value -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)
/// Gradients of embeddings are dense here, so a row was used where its gradient isn't all zeros. That is what an index in
/// PyTorch's sparse gradient says, but for a row that was looked up and whose gradient is zero, which stays.
/// State: exp_avg (m), exp_avg_sq (v).
class SparseAdam final : public Optimizer {
 public:
  /// Throws ValueError for betas outside [0, 1), a negative eps, or a group with weight decay, which unused rows would miss.
  explicit SparseAdam(std::span<Parameter* const> parameters, const SparseAdamOptions& options = {});
  explicit SparseAdam(const std::vector<Group>& groups, const SparseAdamOptions& options = {});

 private:
  void update(Slot& slot, double lr, std::int64_t step) override;

  SparseAdamOptions options_;
};

}  // namespace weft::optim
