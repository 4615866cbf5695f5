#include "tensor/state_hint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace weft {

std::string state_hint(const StateDict& given, const std::vector<std::string>& missing) {
  if (missing.empty()) return "";
  if (given.empty()) return "the state is empty: part_of gives that where no name has its prefix";
  std::set<std::string_view> there;
  for (const auto& [name, tensor] : given) there.insert(name);
  const std::string& first = missing.front();
  for (const std::string_view name : there) {
    if (!name.ends_with("." + first)) continue;
    const std::string prefix(name.substr(0, name.size() - first.size()));
    if (prefix == "." &&
        std::all_of(missing.begin(), missing.end(), [&](const std::string& each) { return there.contains("." + each); }))
      return "all of them are there behind a dot, which belongs to the prefix that was taken off: part_of(state, \"model.\")";
    if (std::all_of(missing.begin(), missing.end(), [&](const std::string& each) { return there.contains(prefix + each); }))
      return fmt::format("all of them are there behind '{0}': load part_of(state, \"{0}\")", prefix);
  }
  return "";
}

}  // namespace weft
