#include "weft/nn/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "kernels/work.hpp"
#include "weft/autograd/tape.hpp"

namespace weft::nn {
namespace {

class Recorder : public Observer {
 public:
  explicit Recorder(Summary& summary) : summary_(summary) {}
  void know(const ModuleBase& module) { places_.emplace(&module, places_.size()); }

  void entered(const ModuleBase& module) override {
    charge();
    running_.push_back(&module);
  }
  void left(const ModuleBase& module, const Var& output) override {
    charge();
    running_.pop_back();
    SummaryRow* row = row_of(module);
    if (row == nullptr) return;
    ++row->calls;
    if (output.defined()) row->output = output.shape();
  }
  /// Gives the work since the last change to the module that was running.
  void charge() {
    const std::int64_t work = kernels::multiply_adds - std::exchange(charged_, kernels::multiply_adds);
    summary_.multiply_adds += work;
    if (running_.empty()) return;
    if (SummaryRow* row = row_of(*running_.back())) row->multiply_adds += work;
  }

 private:
  SummaryRow* row_of(const ModuleBase& module) {
    const auto found = places_.find(&module);
    return found == places_.end() ? nullptr : &summary_.rows[found->second];
  }

  Summary& summary_;
  std::map<const ModuleBase*, std::size_t> places_;
  std::vector<const ModuleBase*> running_;
  std::int64_t charged_ = kernels::multiply_adds;
};

// Puts every module into evaluation mode and back.
class EvaluationMode {
 public:
  explicit EvaluationMode(ModuleBase& model) : modules_(model.modules()) {
    for (const ModuleBase* module : modules_) modes_.push_back(module->training());
    model.eval();
  }
  ~EvaluationMode() {
    // A module's train() reaches its children, so that children follow their parents here.
    for (std::size_t i = 0; i < modules_.size(); ++i) modules_[i]->train(modes_[i]);
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  std::vector<ModuleBase*> modules_;
  std::vector<bool> modes_;
};

std::string grouped(std::int64_t number) {
  const std::string digits = fmt::format("{}", number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

Summary summary(ModuleBase& model, const std::function<void()>& run) {
  Summary result;
  std::set<const Parameter*> seen;
  const auto add = [&](const auto& self, ModuleBase& module, int depth) -> void {
    SummaryRow row{.path = module.path(), .type = module.type_name(), .depth = depth};
    for (Parameter* parameter : module.own_parameters()) {
      if (seen.insert(parameter).second) {
        row.parameters += parameter->numel();
        result.parameter_bytes += parameter->numel() * static_cast<std::int64_t>(size_of(parameter->dtype()));
      } else {
        row.tied = true;
      }
    }
    result.parameters += row.parameters;
    result.rows.push_back(std::move(row));
    for (ModuleBase* child : module.children()) self(self, *child, depth + 1);
  };
  add(add, model, 0);

  const NoGrad no_grad;
  const EvaluationMode evaluation(model);
  Recorder recorder(result);
  for (const ModuleBase* module : model.modules()) recorder.know(*module);
  run();
  recorder.charge();
  return result;
}

std::string Summary::str() const {
  std::vector<std::array<std::string, 5>> lines{{"module", "type", "output", "parameters", "multiply-adds"}};
  for (const SummaryRow& row : rows) {
    const std::string name = row.path.empty() ? "(model)" : row.path.substr(row.path.rfind('.') + 1);
    std::string output = row.output ? row.output->str() : "-";
    if (row.calls > 1) output += fmt::format(" x {}", row.calls);
    lines.push_back({std::string(2 * static_cast<std::size_t>(row.depth), ' ') + name, row.type, output,
                     fmt::format("{}{}", row.tied ? "(tied) " : "", grouped(row.parameters)), grouped(row.multiply_adds)});
  }
  lines.push_back({"total", "", "", grouped(parameters), grouped(multiply_adds)});
  std::array<std::size_t, 5> widths{};
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const auto& line : lines) {
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>{}}  {:>{}}\n", line[0], widths[0], line[1], widths[1], line[2], widths[2],
                        line[3], widths[3], line[4], widths[4]);
  }
  return text + fmt::format("{} bytes of parameters\n", grouped(parameter_bytes));
}

}  // namespace weft::nn
