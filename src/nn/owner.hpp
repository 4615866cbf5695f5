#pragma once
#include <string>

#include "base/fail.hpp"

namespace weft::nn {

class ModuleBase;

/// Throws ValueError where a module's member `name` of this type is to belong to nobody.
inline void check_owner(const char* type, const ModuleBase* owner, const std::string& name) {
  check<ValueError>(owner != nullptr, type, "'{}' has no owner; construct it with {{this, \"{}\", ...}}", name, name);
}

}  // namespace weft::nn
