#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "weft/optim/parameter_handle.hpp"
#include "weft/tensor/state_dict.hpp"

namespace weft::optim {

struct WeightAverageOptions {
  double decay = 0.999;  ///< the share that stays at each update
};

/// An exponential moving average of parameters (Polyak and Juditsky 1992): average = decay average + (1 - decay) value, from
/// the values of the first update on. It is often better than the values themselves:
///   optimizer.step(); average.update();
///   average.swap(); validate(); average.swap();
/// The parameters keep shape and dtype. One that is gone with its module is a ValueError where its values are needed.
class WeightAverage {
 public:
  /// Throws ValueError for no parameters, a null pointer, a parameter or name that stands twice, the name "updates", a
  /// decay outside [0, 1).
  explicit WeightAverage(std::span<Parameter* const> parameters, const WeightAverageOptions& options = {});
  WeightAverage(const WeightAverage&) = delete;
  WeightAverage& operator=(const WeightAverage&) = delete;

  std::int64_t updates() const { return static_cast<std::int64_t>(updates_.item()); }
  /// Takes the values in. Throws, before anything changes, ShapeError or DTypeError where a parameter has changed since,
  /// ValueError while averages and values are exchanged.
  void update();
  /// Exchanges averages and values, element by element, so that whoever holds the parameters sees the averages; again to undo
  /// it. Throws ShapeError or DTypeError as `update`, ValueError before the first update.
  void swap();

  /// "updates" (i64), then for each parameter its average under its name. Handles on the live state. Throws
  /// ValueError while averages and values are exchanged.
  StateDict state_dict() const;
  /// Throws as Optimizer::load_state_dict does, and ValueError while averages and values are exchanged; nothing changes then.
  void load_state_dict(const StateDict& state);

 private:
  void check_parameters() const;
  void check_not_swapped() const;

  std::vector<ParameterHandle> parameters_;
  std::vector<Tensor> averages_;
  Tensor updates_;  // i64
  double decay_;
  bool swapped_ = false;  // the parameters hold the averages, and the other way round
};

}  // namespace weft::optim
