#pragma once
#include <algorithm>
#include <array>
#include <string>

#include "base/fail.hpp"

namespace weft {

/// The value of an enum whose names, in its order, are `names`. Throws ValueError that lists them for another name; `what` says
/// what they are names of.
template <class Kind, std::size_t count>
Kind named(const std::array<const char*, count>& names, const char* where, const char* what, const std::string& name) {
  const auto* const found = std::find(names.begin(), names.end(), name);
  check<ValueError>(found != names.end(), where, "'{}' is no {}; {} are", name, what, fmt::join(names, ", "));
  return static_cast<Kind>(found - names.begin());
}

}  // namespace weft
