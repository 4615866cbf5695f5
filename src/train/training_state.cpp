#include "train/training_state.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

#include "base/fail.hpp"
#include "text/shortened.hpp"
#include "weft/train/trainer.hpp"

namespace weft {
namespace {

constexpr const char* where = "resume";
constexpr std::string_view model_prefix = "model.", optimizer_prefix = "optimizer.", plateau_prefix = "plateau.",
                           average_prefix = "average.", carried_prefix = "carried.";

// How many numbers each tensor of the state has; doubles keep every bit. What depends on the clock stands apart.
constexpr std::int64_t counts = 9, measures = 2, seconds = 2;
constexpr const char* best_loss = "state.best_loss";

const Tensor& find(const SafetensorsFile& file, const char* name, DType dtype, std::int64_t elements, const std::string& path) {
  for (const auto& [found, tensor] : file.tensors)
    if (found == name) {
      check<FormatError>(tensor.dtype() == dtype && tensor.numel() == elements, where, "{}: '{}' is {}", path, name, tensor);
      return tensor;
    }
  fail<FormatError>(where, "{} has no '{}': it isn't a checkpoint to resume from (best.safetensors holds weights alone)", path,
                    name);
}

// A vocabulary is too long to be shown.
std::string with_size(const std::string& text) {
  constexpr std::size_t most = 80;
  return text.size() <= most ? text : fmt::format("{} of {} bytes", text::shortened(text, most), text.size());
}

// A setting that is a JSON object of its own, as a model's description, counts by its fields. One that is lacking is as it was
// before there was a choice.
void add_differences(const std::string& name, const std::string& there, const std::string& now,
                     std::vector<SettingDifference>& to) {
  const auto old = nlohmann::json::parse(there, nullptr, false), fresh = nlohmann::json::parse(now, nullptr, false);
  if (!old.is_object() || !fresh.is_object()) {
    to.push_back({name, there, now});
    return;
  }
  // Of an object within it what isn't the same in the other.
  const auto text_of = [](const nlohmann::json& from, const nlohmann::json& other, const std::string& key) {
    if (!from.contains(key)) return std::string("the default");
    nlohmann::json value = from[key];
    if (value.is_object() && other.contains(key) && other[key].is_object())
      for (const auto& [field, same] : other[key].items())
        if (value.contains(field) && value[field] == same) value.erase(field);
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  std::set<std::string> keys;
  for (const auto* each : {&old, &fresh})
    for (const auto& [key, value] : each->items()) keys.insert(key);
  for (const std::string& key : keys)
    if (const auto there_text = text_of(old, fresh, key), now_text = text_of(fresh, old, key); there_text != now_text)
      to.push_back({name + "." + key, with_size(there_text), with_size(now_text)});
}

void check_settings(const Metadata& expected, const Metadata& found, const std::filesystem::path& path) {
  std::vector<SettingDifference> differences;
  for (const auto& [key, value] : expected) {
    const auto there = found.find(key);
    if (there == found.end())
      differences.push_back({key, "none", value});
    else if (there->second != value)
      add_differences(key, there->second, value, differences);
  }
  // What is only set where it isn't the default.
  for (const auto& [key, value] : found)
    if (!expected.contains(key)) differences.push_back({key, value, "none"});
  if (!differences.empty()) throw SettingsError(path, std::move(differences));
}

std::string text_of(const std::filesystem::path& path, const std::vector<SettingDifference>& differences) {
  std::string text = fmt::format("[{}] {} was made with other settings:", where, path.string());
  for (const auto& [name, there, now] : differences) text += fmt::format(" '{}' ({} there, {} now);", name, there, now);
  return text + " go on with the same settings, or start anew or in another folder";
}

TrainingState read_state(const SafetensorsFile& file, const std::string& path) {
  const auto* c = find(file, "state.counts", i64, counts, path).data<std::int64_t>();
  const auto* m = find(file, "state.measures", f64, measures, path).data<double>();
  const auto* s = find(file, "state.seconds", f64, seconds, path).data<double>();
  const auto* l = find(file, "state.log_bytes", i64, 1, path).data<std::int64_t>();
  const auto* g = find(file, "state.generator", i64, 2, path).data<std::int64_t>();
  const bool sound = std::all_of(c, c + counts, [](std::int64_t n) { return n >= 0; }) && *l >= 0 && s[0] >= 0 && s[1] >= 0;
  check<FormatError>(sound, where, "{}: a count or time of its state is negative", path);
  TrainingState state = {.generator = Generator(static_cast<std::uint64_t>(g[0]), static_cast<std::uint64_t>(g[1])),
                         .update = c[0],
                         .epoch = c[1],
                         .position = c[2],
                         .validated = c[3],
                         .bad_validations = c[4],
                         .skipped = c[5],
                         .log_bytes = *l,
                         .window = {.loss = m[1], .seconds = s[1], .tokens = c[7], .words = c[8]},
                         .best = m[0],
                         .seconds = s[0],
                         .has_best = c[6] != 0};
  // Older checkpoints have none: a tie doesn't replace their best.
  if (std::any_of(file.tensors.begin(), file.tensors.end(), [](const NamedTensor& t) { return t.name == best_loss; }))
    state.best_loss = find(file, best_loss, f64, 1, path).item();
  return state;
}

}  // namespace

SettingsError::SettingsError(const std::filesystem::path& path, std::vector<SettingDifference> differences)
    : ValueError(text_of(path, differences)), path_(path.string()), differences_(std::move(differences)) {}

void save_training(const std::filesystem::path& path, const nn::ModuleBase& model, const optim::Optimizer& optimizer,
                   const optim::WeightAverage* average, const TrainingState& state, const Metadata& settings) {
  StateDict tensors;
  add_part(tensors, model_prefix, model.state_dict());
  add_part(tensors, optimizer_prefix, optimizer.state_dict());
  if (state.plateau) add_part(tensors, plateau_prefix, state.plateau->state_dict());
  if (average != nullptr) add_part(tensors, average_prefix, average->state_dict());
  add_part(tensors, carried_prefix, state.carried);
  tensors.push_back({"state.counts", Tensor::from<std::int64_t>(
                                         {state.update, state.epoch, state.position, state.validated, state.bad_validations,
                                          state.skipped, state.has_best ? 1 : 0, state.window.tokens, state.window.words},
                                         {counts})});
  tensors.push_back({"state.measures", Tensor::from<double>({state.best, state.window.loss}, {measures})});
  tensors.push_back({best_loss, Tensor::from<double>({state.best_loss}, {1})});
  tensors.push_back({"state.seconds", Tensor::from<double>({state.seconds, state.window.seconds}, {seconds})});
  tensors.push_back({"state.log_bytes", Tensor::from<std::int64_t>({state.log_bytes}, {1})});
  tensors.push_back({"state.generator", Tensor::from<std::int64_t>({static_cast<std::int64_t>(state.generator.seed()),
                                                                    static_cast<std::int64_t>(state.generator.position())},
                                                                   {2})});
  save_safetensors(path, tensors, settings);
}

void load_training(const std::filesystem::path& path, nn::ModuleBase& model, optim::Optimizer& optimizer,
                   optim::WeightAverage* average, TrainingState& state, const Metadata& settings) {
  const SafetensorsFile file = load_safetensors(path);
  check_settings(settings, file.metadata, path);
  TrainingState read = read_state(file, path.string());
  read.plateau = state.plateau;
  read.carried = part_of(file.tensors, carried_prefix);
  // Each checks everything before it changes anything; the model's values are kept in case the optimizer's state doesn't fit.
  const StateDict before = copy_of(model.state_dict());
  const StateDict average_before = average != nullptr ? copy_of(average->state_dict()) : StateDict();
  try {
    if (read.plateau) read.plateau->load_state_dict(part_of(file.tensors, plateau_prefix));
    if (average != nullptr) average->load_state_dict(part_of(file.tensors, average_prefix));
    model.load_state_dict(part_of(file.tensors, model_prefix));
    optimizer.load_state_dict(part_of(file.tensors, optimizer_prefix));
  } catch (const Error& error) {
    model.load_state_dict(before);
    if (average != nullptr) average->load_state_dict(average_before);
    fail<ValueError>(where, "{}: {}", path.string(), error.what());
  }
  state = read;
}

}  // namespace weft
