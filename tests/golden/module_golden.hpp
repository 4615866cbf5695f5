#pragma once
#include <doctest/doctest.h>

#include <string>

#include "golden/golden.hpp"
#include "weft/nn/module.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::test {

inline double tolerance(DType dtype) { return dtype == f32 ? 1e-6 : 1e-12; }

/// Gives the module the golden file's parameters of the same names.
inline void fill(nn::ModuleBase& module, const Golden& golden, DType dtype) {
  module.to(dtype);
  StateDict state;
  for (const auto& [name, tensor] : module.state_dict()) state.push_back({name, golden[name].to(dtype)});
  module.load_state_dict(state);
}

inline void check_parameters(const nn::ModuleBase& module, const Golden& golden, double most) {
  for (const nn::NamedParameter& named : module.named_parameters()) {
    CAPTURE(named.name);
    CHECK(relative_error(named.parameter->grad(), golden["grad." + named.name]) <= most);
  }
}

inline void check_parameters(const nn::ModuleBase& module, const Golden& golden, DType dtype) {
  check_parameters(module, golden, tolerance(dtype));
}

/// An output under its cotangent, as a number.
inline Var weighted(const Golden& golden, const std::string& name, const Var& output) {
  return sum(output * golden["cotangent." + name].to(output.dtype()));
}

}  // namespace weft::test
