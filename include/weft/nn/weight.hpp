#pragma once
#include <memory>
#include <string>

#include "weft/nn/init.hpp"
#include "weft/nn/module.hpp"

namespace weft::nn {

/// A module's handle on one of its parameters; stands where a Var does.
class Weight {
 public:
  Weight() = default;  ///< none (a module without bias): an undefined Var
  /// Makes the parameter `name` of `owner`, f32, with its first values.
  Weight(ModuleBase* owner, std::string name, const Shape& shape, const Init& init);
  /// Gives `owner` another module's parameter as its own `name`: it is learned once and stored under both names.
  Weight(ModuleBase* owner, std::string name, const Weight& tied);
  Weight(Weight&&) noexcept = default;
  Weight& operator=(Weight&&) noexcept = default;

  bool defined() const { return parameter_ != nullptr; }
  Parameter& operator*() const { return *parameter_; }
  Parameter* operator->() const { return parameter_.get(); }
  /// A constant, or a leaf of the tape that records.
  operator Var() const { return parameter_ != nullptr ? parameter_->var() : Var(); }  // NOLINT(google-explicit-constructor)
  Var var() const { return *this; }

 private:
  std::shared_ptr<Parameter> parameter_;
};

}  // namespace weft::nn
