#pragma once
#include <cstdint>

#include "weft/tensor/state_dict.hpp"

namespace weft::optim {

/// Which way a metric gets better.
enum class Better { lower, higher };

struct PlateauOptions {
  Better better = Better::lower;
  double factor = 0.1;             ///< the learning rate is multiplied with it, below 1
  std::int64_t patience = 10;      ///< bad epochs in a row that are let pass
  double threshold = 1e-4;         ///< what counts as better
  bool relative_threshold = true;  ///< of the best value; otherwise a difference
  std::int64_t cooldown = 0;       ///< epochs after a reduction in which bad ones don't count
  double min_factor = 0;           ///< the product of all reductions doesn't go below
  double eps = 1e-8;               ///< smaller reductions are left out
};

/// PyTorch's ReduceLROnPlateau on the factor: reduces it when a metric has stopped getting better.
class Plateau {
 public:
  /// Throws ValueError for a factor outside [0, 1), a negative patience, cooldown, threshold, min_factor or eps.
  explicit Plateau(const PlateauOptions& options = {});

  /// Takes an epoch's metric (NaN is never better) and returns the factor from now on.
  double observe(double metric);
  double factor() const { return factor_; }
  /// A schedule: the factor, whatever the step.
  double operator()(std::int64_t) const { return factor_; }

  double best() const { return best_; }
  std::int64_t bad_epochs() const { return bad_epochs_; }

  /// "factor", "best" (f64), "bad_epochs", "cooldown" (i64).
  StateDict state_dict() const;
  /// Throws as Optimizer::load_state_dict does.
  void load_state_dict(const StateDict& state);

 private:
  bool is_better(double metric) const;

  PlateauOptions options_;
  double factor_ = 1;
  double best_;
  std::int64_t bad_epochs_ = 0;
  std::int64_t cooldown_ = 0;  // epochs left
};

}  // namespace weft::optim
