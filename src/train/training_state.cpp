#include "train/training_state.hpp"

#include <string_view>
#include <vector>

#include "base/fail.hpp"

namespace weft {
namespace {

constexpr const char* where = "resume";
constexpr std::string_view model_prefix = "model.", optimizer_prefix = "optimizer.", plateau_prefix = "plateau.";

// The numbers of the state in the order of the file; doubles keep every bit.
constexpr std::int64_t counts = 6, measures = 2;

std::vector<NamedTensor> with_prefix(std::span<const NamedTensor> tensors, std::string_view prefix) {
  std::vector<NamedTensor> result;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) result.push_back({name.substr(prefix.size()), tensor});
  return result;
}

optim::StateDict state_dict_of(std::span<const NamedTensor> tensors, std::string_view prefix) {
  optim::StateDict result;
  for (auto& [name, tensor] : with_prefix(tensors, prefix)) result.emplace_back(std::move(name), tensor);
  return result;
}

void append(std::vector<NamedTensor>& tensors, std::string_view prefix, const optim::StateDict& state) {
  for (const auto& [name, tensor] : state) tensors.push_back({std::string(prefix) + name, tensor});
}

const Tensor& find(const SafetensorsFile& file, const char* name, DType dtype, std::int64_t elements, const std::string& path) {
  for (const auto& [found, tensor] : file.tensors)
    if (found == name) {
      check<FormatError>(tensor.dtype() == dtype && tensor.numel() == elements, where, "{}: '{}' is {}", path, name, tensor);
      return tensor;
    }
  fail<FormatError>(where, "{} has no '{}': it isn't a checkpoint to resume from (best.safetensors holds weights alone)", path,
                    name);
}

void check_metadata(const Metadata& expected, const Metadata& found, const std::string& path) {
  for (const auto& [key, value] : expected) {
    const auto there = found.find(key);
    check<ValueError>(there != found.end() && there->second == value, where,
                      "{} was made with another '{}': {} there, {} now; use the same settings or another folder", path, key,
                      there == found.end() ? "none" : there->second, value);
  }
}

TrainingState read_state(const SafetensorsFile& file, const std::string& path) {
  const Tensor& count = find(file, "state.counts", i64, counts, path);
  const Tensor& measure = find(file, "state.measures", f64, measures, path);
  const Tensor& random = find(file, "state.generator", i64, 2, path);
  const auto* c = count.data<std::int64_t>();
  const auto* m = measure.data<double>();
  const auto* g = random.data<std::int64_t>();
  return {.generator = Generator(static_cast<std::uint64_t>(g[0]), static_cast<std::uint64_t>(g[1])),
          .update = c[0],
          .epoch = c[1],
          .position = c[2],
          .bad_validations = c[3],
          .skipped = c[4],
          .best = m[0],
          .seconds = m[1],
          .has_best = c[5] != 0};
}

}  // namespace

void save_training(const std::filesystem::path& path, const nn::ModuleBase& model, const optim::Optimizer& optimizer,
                   const TrainingState& state, const Metadata& metadata) {
  std::vector<NamedTensor> tensors;
  for (const auto& [name, tensor] : model.state_dict()) tensors.push_back({std::string(model_prefix) + name, tensor});
  append(tensors, optimizer_prefix, optimizer.state_dict());
  if (state.plateau) append(tensors, plateau_prefix, state.plateau->state_dict());
  tensors.push_back({"state.counts", Tensor::from<std::int64_t>({state.update, state.epoch, state.position,
                                                                 state.bad_validations, state.skipped, state.has_best ? 1 : 0},
                                                                {counts})});
  tensors.push_back({"state.measures", Tensor::from<double>({state.best, state.seconds}, {measures})});
  tensors.push_back({"state.generator", Tensor::from<std::int64_t>({static_cast<std::int64_t>(state.generator.seed()),
                                                                    static_cast<std::int64_t>(state.generator.position())},
                                                                   {2})});
  save_safetensors(path, tensors, metadata);
}

void load_training(const std::filesystem::path& path, nn::ModuleBase& model, optim::Optimizer& optimizer, TrainingState& state,
                   const Metadata& metadata) {
  const SafetensorsFile file = load_safetensors(path);
  check_metadata(metadata, file.metadata, path.string());
  TrainingState read = read_state(file, path.string());
  read.plateau = state.plateau;
  if (read.plateau) read.plateau->load_state_dict(state_dict_of(file.tensors, plateau_prefix));
  // Both check everything before they change anything, the model first on trial against its own values.
  const auto before = [&] {
    std::vector<NamedTensor> values;
    for (const auto& [name, tensor] : model.state_dict()) values.push_back({name, tensor.clone()});
    return values;
  }();
  model.load_state_dict(with_prefix(file.tensors, model_prefix));
  try {
    optimizer.load_state_dict(state_dict_of(file.tensors, optimizer_prefix));
  } catch (...) {
    model.load_state_dict(before);
    throw;
  }
  state = read;
}

}  // namespace weft
