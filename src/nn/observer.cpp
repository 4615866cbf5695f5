#include "weft/nn/observer.hpp"

#include "autograd/profiler.hpp"
#include "weft/nn/module.hpp"

namespace weft::nn {
namespace {

thread_local Observer* innermost = nullptr;
thread_local const ModuleBase* running = nullptr;

// What went before is counted outside of the module.
const char* entered(const ModuleBase& module) {
  detail::profile_between();
  return module.path();
}

}  // namespace

Observer::Observer() : outer_(std::exchange(innermost, this)) {}
Observer::~Observer() { innermost = outer_; }

ModuleScope::ModuleScope(const ModuleBase& module) : caller_(running), scope_(entered(module)) {
  if (caller_ != nullptr) module.check_belongs(*caller_);
  running = &module;
}

ModuleScope::~ModuleScope() { running = caller_; }

ModuleCall::ModuleCall(const ModuleBase& module) : module_(module), scope_(module) {
  for (Observer* observer = innermost; observer != nullptr; observer = observer->outer_) observer->entered(module);
}

OutsideModules::OutsideModules() : running_(std::exchange(running, nullptr)) {}
OutsideModules::~OutsideModules() { running = running_; }

void ModuleCall::finish(const Var& output) const {
  detail::profile_between();
  for (Observer* observer = innermost; observer != nullptr; observer = observer->outer_) observer->left(module_, output);
}

}  // namespace weft::nn
