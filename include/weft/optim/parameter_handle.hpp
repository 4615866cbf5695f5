#pragma once
#include <memory>
#include <string>

#include "weft/autograd/parameter.hpp"

namespace weft::optim {

/// A parameter of a module, and what tells whether it is still there.
class ParameterHandle {
 public:
  explicit ParameterHandle(Parameter& parameter)
      : parameter_(&parameter), lifetime_(parameter.lifetime()), name_(parameter.name()) {}

  const std::string& name() const { return name_; }
  bool is_there() const { return !lifetime_.expired(); }
  /// Throws ValueError where it is gone with its module; `user` is what the message calls what has the handle.
  void check_there(const char* user) const;
  Parameter& operator*() const { return *parameter_; }
  Parameter* operator->() const { return parameter_; }

 private:
  Parameter* parameter_;
  std::weak_ptr<const void> lifetime_;
  std::string name_;
};

}  // namespace weft::optim
