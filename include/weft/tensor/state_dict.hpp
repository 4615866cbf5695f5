#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// What a module, an optimizer or a schedule is restored from, in a fixed order; what a safetensors file holds.
using StateDict = std::vector<NamedTensor>;

/// Adds `state`, another one, with `prefix` before its names, so that several fit into one file.
void add_part(StateDict& to, std::string_view prefix, const StateDict& state);
/// The same names, and tensors of their own.
StateDict copy_of(const StateDict& state);
/// What was added with `prefix`, under its own names.
StateDict part_of(const StateDict& from, std::string_view prefix);

}  // namespace weft
