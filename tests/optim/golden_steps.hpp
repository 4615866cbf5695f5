#pragma once
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "golden/golden.hpp"
#include "weft/optim/optimizer.hpp"

namespace weft::test {

/// The two parameters of a golden file before the first step.
struct GoldenParameters {
  GoldenParameters(const Golden& golden, DType dtype)
      : weight("weight", golden["0.weight"].to(dtype).clone()), bias("bias", golden["0.bias"].to(dtype).clone()) {}

  /// The bias in a group of its own, as in the files of adaptive_optimizers.
  std::vector<optim::Group> with_bias_group() {
    return {{.parameters = {&weight}}, {.parameters = {&bias}, .lr_factor = 2, .weight_decay = 0.05}};
  }

  Parameter weight, bias;
  std::vector<Parameter*> all = {&weight, &bias};
};

inline double tolerance_of(DType dtype) { return dtype == f64 ? 1e-12 : 1e-6; }

/// Takes steps `first` to `last` of a golden file and compares the parameters after each.
inline void take_golden_steps(const Golden& golden, GoldenParameters& parameters, optim::Optimizer& optimizer, int first,
                              int last) {
  const DType dtype = parameters.weight.dtype();
  for (int step = first; step <= last; ++step) {
    const std::string prefix = std::to_string(step) + ".";
    INFO("step ", step);
    for (Parameter* parameter : parameters.all) {
      const std::string name = prefix + "grad." + parameter->name();
      if (golden.contains(name)) parameter->add_grad(golden[name].to(dtype).clone());
    }
    optimizer.set_lr(golden["lr"].at({step - 1}));
    optimizer.step();
    for (Parameter* parameter : parameters.all) {
      CHECK(relative_error(parameter->value(), golden[prefix + parameter->name()]) <= tolerance_of(dtype));
      CHECK_FALSE(parameter->grad().defined());
    }
  }
}

/// All five steps, the state at the end, and the same by way of a checkpoint after three. `make(parameters)` makes the
/// optimizer.
template <class Make>
void check_golden_steps(const std::string& file, const Make& make) {
  const Golden golden = Golden::load(file);
  for (const DType dtype : {f64, f32}) {
    INFO(file, " in ", name_of(dtype));
    GoldenParameters parameters(golden, dtype);
    auto optimizer = make(parameters);
    take_golden_steps(golden, parameters, *optimizer, 1, 3);
    auto resumed = make(parameters);
    resumed->load_state_dict(optimizer->state_dict());
    take_golden_steps(golden, parameters, *resumed, 4, 5);
    for (const auto& [name, tensor] : resumed->state_dict()) {
      if (name == "weight.step") CHECK(tensor.item() == 5);
      if (name == "bias.step") CHECK(tensor.item() == 4);
      if (golden.contains("state." + name)) CHECK(relative_error(tensor, golden["state." + name]) <= tolerance_of(dtype));
    }
  }
}

/// Six steps in a row and the same with a checkpoint after three, bit for bit, where the file's gradients come twice and the
/// bias has none in the third and sixth. `make(parameters)` makes the optimizer.
template <class Make>
void check_resumed_steps(const Make& make) {
  const Golden golden = Golden::load("nadam");
  for (const DType dtype : {f64, f32}) {
    GoldenParameters straight(golden, dtype), resumed(golden, dtype);
    const auto whole = make(straight.all);
    auto part = make(resumed.all);
    for (int step = 0; step < 6; ++step) {
      for (GoldenParameters* parameters : {&straight, &resumed})
        for (Parameter* parameter : parameters->all) {
          const std::string name = std::to_string(step % 3 + 1) + ".grad." + parameter->name();
          if (golden.contains(name)) parameter->add_grad(golden[name].to(dtype).clone());
        }
      if (step == 3) {
        auto fresh = make(resumed.all);
        fresh->load_state_dict(part->state_dict());
        part = std::move(fresh);
      }
      const Tensor bias = straight.bias.value().clone();
      whole->step();
      part->step();
      CHECK((relative_error(straight.bias.value(), bias) == 0) == (step % 3 == 2));
      for (std::size_t i = 0; i < 2; ++i) CHECK(relative_error(resumed.all[i]->value(), straight.all[i]->value()) == 0);
    }
    for (const auto& [name, tensor] : part->state_dict()) {
      if (name == "weight.step") CHECK(tensor.item() == 6);
      if (name == "bias.step") CHECK(tensor.item() == 4);
    }
  }
}

}  // namespace weft::test
