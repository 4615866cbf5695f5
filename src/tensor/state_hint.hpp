#pragma once
#include <string>
#include <vector>

#include "weft/tensor/state_dict.hpp"

namespace weft {

/// For an error about a state none of whose names is needed while `missing` are: says so where it is empty, and where all stand
/// behind a prefix (a wrapped model's, or one of several parts of a file). "" where neither is so.
std::string state_hint(const StateDict& given, const std::vector<std::string>& missing);

}  // namespace weft
