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

/// The loss of the golden file "trajectories": two parameters, small data, from one start; `decay` times the parameters'
/// squares on top.
struct TrajectoryTask {
  explicit TrajectoryTask(DType dtype, double rate = 0) : TrajectoryTask(Golden::load("trajectories"), dtype, rate) {}
  TrajectoryTask(const Golden& golden, DType dtype, double rate = 0)
      : weight("weight", golden["weight"].to(dtype).clone()),
        bias("bias", golden["bias"].to(dtype).clone()),
        x(golden["x"].to(dtype)),
        y(golden["y"].to(dtype)),
        decay(rate) {}

  double backward() {
    Tape tape;
    Var loss = mean(square(tanh(linear(x, weight, bias)) - y));
    if (decay != 0) loss = loss + decay * (sum(square(weight.var())) + sum(square(bias.var())));
    tape.backward(loss);
    return loss.item();
  }

  Parameter weight, bias;
  Tensor x, y;
  double decay;
  std::vector<Parameter*> all = {&weight, &bias};
};

/// How far rounding may lead away: in a hundred steps of f64, and in one step of f32.
constexpr double trajectory_tolerance = 1e-10, step_tolerance = 1e-6;

/// f32 goes its own way where an optimizer is near a minimum and takes steps of one size, however exact each of them is; so
/// each of its steps starts at f64's values.
inline void start_step_at(const TrajectoryTask& from, TrajectoryTask& to) {
  for (std::size_t i = 0; i < from.all.size(); ++i) to.all[i]->mutable_value().copy_from(from.all[i]->value().to(f32));
}

/// A hundred steps against PyTorch's `name` in f64, and each of them in f32. `make(parameters)` makes the optimizer.
template <class Make>
void check_trajectory(const std::string& name, const Make& make) {
  const Golden golden = Golden::load("trajectories");
  TrajectoryTask task(golden, f64), single(golden, f32);
  const auto optimizer = make(task.all), in_f32 = make(single.all);
  int compared = 0;
  for (int step = 1; step <= 100; ++step) {
    start_step_at(task, single);
    for (TrajectoryTask* each : {&task, &single}) each->backward();
    optimizer->step();
    in_f32->step();
    for (std::size_t i = 0; i < task.all.size(); ++i) {
      const std::string key = name + "." + std::to_string(step) + "." + task.all[i]->name();
      INFO(key);
      CHECK(relative_error(single.all[i]->value(), task.all[i]->value()) <= step_tolerance);
      if (!golden.contains(key)) continue;
      CHECK(relative_error(task.all[i]->value(), golden[key]) <= trajectory_tolerance);
      ++compared;
    }
  }
  CHECK(compared == 6);  // both parameters after 10, 50 and 100 steps
}

/// One parameter's update number `step` from the paper's formulas: changes `value`, keeps its state between calls.
using PlainUpdate = std::function<void(std::vector<double>& value, const std::vector<double>& grad, int step)>;

/// A hundred steps against plain updates, one function a parameter, in f32 each from the plain values.
/// `make(parameters)` makes the optimizer.
template <class Make>
void check_trajectory(std::vector<PlainUpdate> weight_and_bias, const Make& make) {
  TrajectoryTask plain(f64), task(f64), single(f32);
  const auto optimizer = make(task.all), in_f32 = make(single.all);
  for (int step = 1; step <= 100; ++step) {
    INFO("step ", step);
    start_step_at(plain, single);
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
      CHECK(relative_error(task.all[i]->value(), parameter.value()) <= trajectory_tolerance);
      CHECK(relative_error(single.all[i]->value(), parameter.value()) <= step_tolerance);
    }
  }
}

}  // namespace weft::test
