#include "weft/tensor/state_dict.hpp"

namespace weft {

void add_part(StateDict& to, std::string_view prefix, const StateDict& state) {
  for (const auto& [name, tensor] : state) to.push_back({std::string(prefix) + name, tensor});
}

StateDict copy_of(const StateDict& state) {
  StateDict copy;
  for (const auto& [name, tensor] : state) copy.push_back({name, tensor.clone()});
  return copy;
}

StateDict part_of(const StateDict& from, std::string_view prefix) {
  StateDict part;
  for (const auto& [name, tensor] : from)
    if (name.starts_with(prefix)) part.push_back({name.substr(prefix.size()), tensor});
  return part;
}

}  // namespace weft
