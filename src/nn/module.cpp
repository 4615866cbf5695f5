#include "weft/nn/module.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <typeinfo>

#include "base/fail.hpp"
#include "weft/autograd/tape.hpp"

namespace weft::nn {

ModuleBase::ModuleBase(const Scope& scope, bool callable)
    : owner_(scope.owner),
      path_(""),
      name_(scope.name),
      seed_(owner_ != nullptr ? owner_->seed_ : scope.seed),
      callable_(callable) {
  if (owner_ == nullptr) {
    check<ValueError>(name_.empty(), "Module", "'{}' has a name but no owner; a root has none", name_);
    return;
  }
  check<ValueError>(scope.seed == 0, "Module", "'{}' can't have a seed of its own; it is the root's", name_);
  owner_->check_name(name_);
  path_ = intern(owner_->path_of(name_));
  training_ = owner_->training_;
  owner_->children_.push_back(this);
  owner_->forget_cache();
}

ModuleBase::~ModuleBase() {
  for (ModuleBase* child : children_) child->owner_ = nullptr;
  if (owner_ == nullptr) return;
  // Members go in reverse order: it is the last, or near it.
  auto& siblings = owner_->children_;
  siblings.erase(std::find(siblings.rbegin(), siblings.rend(), this).base() - 1);
  owner_->forget_cache();
}

const ModuleBase& ModuleBase::root() const {
  const ModuleBase* top = this;
  while (top->owner_ != nullptr) top = top->owner_;
  return *top;
}

void ModuleBase::check_belongs(const ModuleBase& caller) const {
  const ModuleBase* top = this;
  while (top->owner_ != nullptr && !top->owner_->callable_) top = top->owner_;  // a List that was lost, not its element
  if (top->owner_ != nullptr || !training_ || Tape::recording() == nullptr || top == &caller.root()) return;
  bool lost = false;
  visit("", [&](const std::string&, const Parameter& mine) {
    bool known = false;
    caller.root().visit("", [&](const std::string&, const Parameter& theirs) { known = known || &mine == &theirs; });
    lost = lost || !known;
  });
  const std::string place = *caller.path() == '\0' ? "" : fmt::format(" '{}'", caller.path());
  check<ValueError>(
      !lost, "Module",
      "{} is called by {}{} and isn't part of it: its parameters would be neither trained nor saved. Construct it "
      "with {{this, \"name\"}}; where it is meant to stand apart, put it into eval mode or call its forward",
      top->type_name(), caller.type_name(), place);
}

std::string ModuleBase::path_of(std::string_view name) const {
  return *path_ == '\0' ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void ModuleBase::check_name(std::string_view name) const {
  check<ValueError>(!name.empty() && name.find('.') == std::string_view::npos, "Module",
                    "'{}' can't be a child's or parameter's name: it is empty or has a dot", name);
  const bool taken = std::any_of(children_.begin(), children_.end(), [&](const ModuleBase* c) { return c->name_ == name; }) ||
                     std::any_of(own_.begin(), own_.end(), [&](const Own& own) { return own.name == name; }) ||
                     std::any_of(buffers_.begin(), buffers_.end(), [&](const OwnBuffer& own) { return own.name == name; });
  check<ValueError>(!taken, "Module", "'{}' is taken: the owner has a child, parameter or buffer of that name", path_of(name));
}

void ModuleBase::add(std::string name, std::shared_ptr<Parameter> parameter) {
  check_name(name);
  own_.push_back({std::move(name), std::move(parameter)});
  forget_cache();
}

void ModuleBase::add(std::string name, std::shared_ptr<Tensor> buffer) {
  check_name(name);
  buffers_.push_back({std::move(name), std::move(buffer)});
}

void ModuleBase::forget_cache() {
  for (ModuleBase* module = this; module != nullptr; module = module->owner_) module->cached_ = false;
}

std::string ModuleBase::type_name() const {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> full(abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status),
                                                         std::free);
  if (full == nullptr) return typeid(*this).name();
  // Every "a::b::" goes, inside of template arguments too; "(anonymous namespace)::" and "f(int)::" likewise.
  std::string name;
  std::size_t start = 0;
  int parentheses = 0;
  for (const char* at = full.get(); *at != '\0'; ++at) {
    parentheses += (*at == '(') - (*at == ')');
    if (at[0] == ':' && at[1] == ':') {
      name.resize(start);
      ++at;
      continue;
    }
    name += *at;
    if (parentheses == 0 && (*at == '<' || *at == ',' || *at == ' ')) start = name.size();
  }
  return name;
}

void ModuleBase::visit(const std::string& prefix, const std::function<void(std::string, Parameter&)>& visit) const {
  for (const Own& own : own_) visit(prefix + own.name, *own.parameter);
  for (const ModuleBase* child : children_) child->visit(prefix + child->name_ + '.', visit);
}

void ModuleBase::visit_state(const std::string& prefix, const std::function<void(std::string, Tensor&)>& visit) const {
  for (const Own& own : own_) visit(prefix + own.name, own.parameter->mutable_value());
  for (const OwnBuffer& own : buffers_) visit(prefix + own.name, *own.tensor);
  for (const ModuleBase* child : children_) child->visit_state(prefix + child->name_ + '.', visit);
}

std::vector<NamedParameter> ModuleBase::named_parameters() const {
  std::vector<NamedParameter> result;
  std::set<const Parameter*> seen;
  visit("", [&](std::string name, Parameter& parameter) {
    if (seen.insert(&parameter).second) result.push_back({std::move(name), &parameter});
  });
  return result;
}

const std::vector<Parameter*>& ModuleBase::parameters() {
  if (!cached_) {
    parameters_.clear();
    for (const auto& named : named_parameters()) parameters_.push_back(named.parameter);
    cached_ = true;
  }
  return parameters_;
}

std::vector<Parameter*> ModuleBase::own_parameters() const {
  std::vector<Parameter*> result;
  for (const Own& own : own_) result.push_back(own.parameter.get());
  return result;
}

std::int64_t ModuleBase::num_parameters() const {
  std::int64_t count = 0;
  for (const auto& named : named_parameters()) count += named.parameter->numel();
  return count;
}

std::vector<ModuleBase*> ModuleBase::modules() {
  std::vector<ModuleBase*> result{this};
  for (ModuleBase* child : children_) {
    const auto below = child->modules();
    result.insert(result.end(), below.begin(), below.end());
  }
  return result;
}

void ModuleBase::train(bool on) {
  for (ModuleBase* module : modules()) module->training_ = on;
}

void ModuleBase::on_output(OutputHook hook) {
  check<ValueError>(static_cast<bool>(hook), "Module::on_output", "the hook is empty");
  output_hooks_.push_back(std::move(hook));
}

Var ModuleBase::hooked(Var output) const {
  const OutsideModules hooks_are_no_part_of_the_module;
  for (const OutputHook& hook : output_hooks_)
    if (Var next = hook(*this, output); next.defined()) output = std::move(next);
  return output;
}

void ModuleBase::to(DType dtype) {
  for (Parameter* parameter : parameters()) parameter->to(dtype);
  for (ModuleBase* module : modules())
    for (const OwnBuffer& own : module->buffers_) {
      if (!is_floating(own.tensor->dtype()) || own.tensor->dtype() == dtype) continue;
      check<DTypeError>(is_floating(dtype), "Module::to", "the buffer '{}' can't become {}; f32 or f64 is needed",
                        module->path_of(own.name), name_of(dtype));
      const MemoryCategoryGuard category(MemoryCategory::parameters);
      *own.tensor = own.tensor->to(dtype);
    }
}

void ModuleBase::zero_grad() {
  for (Parameter* parameter : parameters()) parameter->clear_grad();
}

}  // namespace weft::nn
