#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>

#include "base/fail.hpp"
#include "tensor/state_hint.hpp"
#include "weft/nn/module.hpp"

namespace weft::nn {
namespace {

constexpr std::size_t faults_shown = 20;

// The first of a kind of fault: many missing names don't hide the unexpected ones that say why.
std::string lines(std::string_view kind, const std::vector<std::string>& faults) {
  std::string text;
  for (std::size_t i = 0; i < std::min(faults.size(), faults_shown); ++i) text += fmt::format("\n  {}{}", kind, faults[i]);
  if (faults.size() > faults_shown) text += fmt::format("\n  {}and {} more", kind, faults.size() - faults_shown);
  return text;
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  const Tensor x = a.contiguous(), y = b.contiguous();
  return std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(x.numel()) * size_of(x.dtype())) == 0;
}

}  // namespace

StateDict ModuleBase::state_dict() const {
  StateDict state;
  visit_state("", [&](std::string name, Tensor& tensor) { state.push_back({std::move(name), tensor}); });
  return state;
}

LoadReport ModuleBase::load_state_dict(const StateDict& state, const LoadOptions& options) {
  LoadReport report;
  std::vector<std::string> faults;
  std::map<std::string_view, const Tensor*> given;
  for (const auto& [name, tensor] : state) {
    if (!given.emplace(name, &tensor).second) faults.push_back(fmt::format("given twice: {}", name));
    if (!tensor.defined()) faults.push_back(fmt::format("undefined: {}", name));
  }
  // A tied parameter stands here under its first name, to compare the others with.
  std::map<Tensor*, std::pair<std::string, const Tensor*>> sources;
  std::vector<Tensor*> order;
  visit_state("", [&](const std::string& name, Tensor& own) {
    const auto found = given.find(name);
    if (found == given.end()) {
      report.missing.push_back(name);
      return;
    }
    const Tensor& tensor = *found->second;
    given.erase(found);
    if (!tensor.defined()) return;
    if (tensor.shape() != own.shape() || tensor.dtype() != own.dtype()) {
      faults.push_back(fmt::format("different: {} is {} in the model and {} in the state", name, own, tensor));
      return;
    }
    const auto [source, first] = sources.try_emplace(&own, name, &tensor);
    if (first) {
      order.push_back(&own);
    } else if (!same_bytes(tensor, *source->second.second)) {
      faults.push_back(
          fmt::format("different: {} and {} are tied in the model and differ in the state", source->second.first, name));
    }
  });
  for (const auto& [name, tensor] : state)
    if (given.erase(name) != 0) report.unexpected.push_back(name);
  std::string wrong = lines("", faults);
  if (options.strict) wrong += lines("missing: ", report.missing) + lines("unexpected: ", report.unexpected);
  if (!wrong.empty()) {
    const std::string hint = options.strict && order.empty() ? state_hint(state, report.missing) : "";
    fail<ValueError>("load_state_dict", "the state doesn't fit the {}, which is left as it was:{}{}{}", type_name(), wrong,
                     hint.empty() ? "" : "\n  ", hint);
  }
  for (Tensor* own : order) own->copy_from(*sources.at(own).second);
  return report;
}

void save(const ModuleBase& model, const std::filesystem::path& path, Metadata metadata) {
  metadata.emplace("format", "pt");  // what Python's readers look for
  save_safetensors(path, model.state_dict(), metadata);
}

LoadReport load(ModuleBase& model, const std::filesystem::path& path, const LoadOptions& options) {
  const SafetensorsFile file = load_safetensors(path);
  try {
    return model.load_state_dict(file.tensors, options);
  } catch (const ValueError& error) {
    throw ValueError(fmt::format("'{}': {}", path.string(), error.what()));
  }
}

}  // namespace weft::nn
