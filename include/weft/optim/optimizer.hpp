#pragma once
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "weft/optim/parameter_handle.hpp"
#include "weft/tensor/state_dict.hpp"

namespace weft::optim {

/// Parameters with settings of their own.
struct Group {
  std::vector<Parameter*> parameters;
  double lr_factor = 1;                     ///< times the optimizer's learning rate
  std::optional<double> weight_decay = {};  ///< in place of the optimizer's
};

/// What all optimizers share. The parameters keep their dtype: convert a module before. One that is gone with its module is a
/// ValueError of every call but of those for the learning rate: after layers were replaced an optimizer is made anew.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter that has a gradient and uses the gradients up; a parameter without one stays as it is, its
  /// state too. Throws, before anything changes, TapeError where none has a gradient, ShapeError or DTypeError where a value
  /// or gradient doesn't fit the state, OutOfMemoryError where a gradient must be copied and there is no memory for it.
  void step();
  /// Uses the gradients up without a step.
  void clear_grad();

  /// What it updates, in the order of its groups.
  std::vector<Parameter*> parameters() const;

  double lr() const { return lr_; }
  /// Throws ValueError for a negative or non-finite rate.
  void set_lr(double lr);

  /// "lr" (f64), then for each parameter "NAME.step" (i64) and its buffers ("NAME.exp_avg"). The buffers are handles on
  /// the live state: clone what later steps must not change.
  StateDict state_dict() const;
  /// Takes over the values of a `state_dict` in any order. Throws ValueError naming what is missing or unexpected,
  /// ShapeError or DTypeError for what doesn't fit; nothing changes then.
  void load_state_dict(const StateDict& state);

 protected:
  /// A tensor of a parameter's state.
  struct Buffer {
    const char* name;
    Tensor tensor;
  };
  /// One parameter and its state, made for a value of that shape and dtype.
  struct Slot {
    ParameterHandle parameter;
    double lr_factor, weight_decay;
    Shape shape;
    DType dtype;
    Tensor step;  ///< i64, updates so far
    std::vector<Buffer> buffers;
  };
  using MakeBuffers = std::function<std::vector<Buffer>(const Parameter& parameter)>;

  /// `name` is that of errors, `buffers` makes those of a parameter's state.
  /// Throws ValueError for no parameters, a null pointer, a parameter or name that stands twice, a setting out of range.
  Optimizer(const char* name, const std::vector<Group>& groups, double lr, double weight_decay, const MakeBuffers& buffers);
  /// With buffers as large as the parameter, all zeros.
  Optimizer(const char* name, const std::vector<Group>& groups, double lr, double weight_decay,
            std::initializer_list<const char*> buffers);
  static std::vector<Group> one_group(std::span<Parameter* const> parameters);

 private:
  /// Update number `step` of one parameter, whose gradient is there and dense, at learning rate `lr`. Throws nothing but
  /// OutOfMemoryError, where the system hasn't the kilobytes that kernels work in.
  virtual void update(Slot& slot, double lr, std::int64_t step) = 0;
  /// Whether updates compute in the gradient: `step` first makes a copy of one that another handle sees.
  virtual bool works_in_gradient() const { return false; }
  void prepare(const Slot& slot) const;
  void check_parameters() const;

  const char* name_;
  double lr_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace weft::optim
