#include "weft/nn/observer.hpp"

#include "weft/nn/module.hpp"

namespace weft::nn {
namespace {

thread_local Observer* innermost = nullptr;

}  // namespace

Observer::Observer() : outer_(std::exchange(innermost, this)) {}
Observer::~Observer() { innermost = outer_; }

ModuleCall::ModuleCall(const ModuleBase& module) : module_(module), scope_(module.path()) {
  for (Observer* observer = innermost; observer != nullptr; observer = observer->outer_) observer->entered(module);
}

void ModuleCall::finish(const Var& output) const {
  for (Observer* observer = innermost; observer != nullptr; observer = observer->outer_) observer->left(module_, output);
}

}  // namespace weft::nn
