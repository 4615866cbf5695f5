#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "golden/golden.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/optim/optimizer.hpp"

namespace weft::test {

/// The loss of the golden file "trajectories": two parameters, small data, from one start.
struct TrajectoryTask {
  explicit TrajectoryTask(DType dtype) : TrajectoryTask(Golden::load("trajectories"), dtype) {}
  TrajectoryTask(const Golden& golden, DType dtype)
      : weight("weight", golden["weight"].to(dtype).clone()),
        bias("bias", golden["bias"].to(dtype).clone()),
        x(golden["x"].to(dtype)),
        y(golden["y"].to(dtype)) {}

  double backward() {
    Tape tape;
    const Var loss = mean(square(tanh(linear(x, weight, bias)) - y));
    tape.backward(loss);
    return loss.item();
  }

  Parameter weight, bias;
  Tensor x, y;
  std::vector<Parameter*> all = {&weight, &bias};
};

/// How far rounding may lead away in a hundred steps.
inline double trajectory_tolerance(DType dtype) { return dtype == f64 ? 1e-10 : 1e-3; }

/// A hundred steps against PyTorch's `name`, in both dtypes. `make(parameters)` makes the optimizer.
template <class Make>
void check_trajectory(const std::string& name, const Make& make) {
  const Golden golden = Golden::load("trajectories");
  for (const DType dtype : {f64, f32}) {
    TrajectoryTask task(golden, dtype);
    const auto optimizer = make(task.all);
    for (int step = 1; step <= 100; ++step) {
      task.backward();
      optimizer->step();
      for (const Parameter* parameter : task.all) {
        const std::string key = name + "." + std::to_string(step) + "." + parameter->name();
        if (!golden.contains(key)) continue;
        INFO(key, " in ", name_of(dtype));
        CHECK(relative_error(parameter->value(), golden[key]) <= trajectory_tolerance(dtype));
      }
    }
  }
}

/// One parameter's update number `step` from the paper's formulas: changes `value`, keeps its state between calls.
using PlainUpdate = std::function<void(std::vector<double>& value, const std::vector<double>& grad, int step)>;

/// A hundred steps against plain updates, one function a parameter, in f32 each from the plain values: on its own, f32 goes
/// another way where the optimizer is near a minimum and takes steps of one size, however exact each of them is.
/// `make(parameters)` makes the optimizer.
template <class Make>
void check_trajectory(std::vector<PlainUpdate> weight_and_bias, const Make& make) {
  TrajectoryTask plain(f64), task(f64), single(f32);
  const auto optimizer = make(task.all), in_f32 = make(single.all);
  for (int step = 1; step <= 100; ++step) {
    INFO("step ", step);
    for (std::size_t i = 0; i < plain.all.size(); ++i) single.all[i]->mutable_value().copy_from(plain.all[i]->value().to(f32));
    for (TrajectoryTask* each : {&plain, &task, &single}) each->backward();
    optimizer->step();
    in_f32->step();
    for (std::size_t i = 0; i < plain.all.size(); ++i) {
      Parameter& parameter = *plain.all[i];
      const auto count = parameter.numel();
      double* at = parameter.mutable_value().mutable_data<double>();
      const double* grad = parameter.grad().data<double>();
      std::vector<double> value(at, at + count);
      weight_and_bias[i](value, {grad, grad + count}, step);
      std::copy(value.begin(), value.end(), at);
      parameter.clear_grad();
      CHECK(relative_error(task.all[i]->value(), parameter.value()) <= trajectory_tolerance(f64));
      CHECK(relative_error(single.all[i]->value(), parameter.value()) <= 1e-6);
    }
  }
}

}  // namespace weft::test
