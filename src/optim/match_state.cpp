#include "optim/match_state.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/fail.hpp"
#include "tensor/state_hint.hpp"

namespace weft::optim {
namespace {

// "2 missing: 'a', 'b'; "
std::string listed(const char* what, const std::vector<std::string>& names) {
  constexpr std::size_t shown = 8;
  if (names.empty()) return {};
  std::string text = fmt::format("{} {}: ", names.size(), what);
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) text += fmt::format("{}'{}'", i == 0 ? "" : ", ", names[i]);
  return text + (names.size() > shown ? ", ...; " : "; ");
}

}  // namespace

std::vector<Tensor> match_state(const char* op, const StateDict& expected, const StateDict& given) {
  std::map<std::string_view, const Tensor*> by_name;
  std::vector<std::string> missing, unexpected, repeated;
  for (const auto& [name, tensor] : given)
    if (!by_name.emplace(name, &tensor).second) repeated.push_back(name);
  std::vector<Tensor> matched;
  for (const auto& [name, tensor] : expected) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      missing.push_back(name);
      continue;
    }
    matched.push_back(*found->second);
    by_name.erase(found);
  }
  for (const auto& [name, tensor] : given)
    if (const auto left = by_name.find(name); left != by_name.end()) {
      unexpected.push_back(name);
      by_name.erase(left);
    }
  if (!missing.empty() || !unexpected.empty() || !repeated.empty()) {
    std::string problems = listed("missing", missing) + listed("unexpected", unexpected) + listed("there twice", repeated);
    problems.resize(problems.size() - 2);
    const std::string hint = matched.empty() ? state_hint(given, missing) : "";
    fail<ValueError>(op, "the state belongs to other parameters or another kind: {}{}{}", problems, hint.empty() ? "" : "\n  ",
                     hint);
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, tensor] = expected[i];
    check<ValueError>(matched[i].defined(), op, "'{}' is undefined", name);
    check<ShapeError>(matched[i].shape() == tensor.shape(), op, "'{}' is {} where {} is needed", name, matched[i], tensor);
    check<DTypeError>(matched[i].dtype() == tensor.dtype(), op, "'{}' is {} where {} is needed", name, matched[i], tensor);
  }
  return matched;
}

}  // namespace weft::optim
