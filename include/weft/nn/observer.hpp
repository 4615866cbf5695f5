#pragma once
#include "weft/autograd/var.hpp"
#include "weft/base/scope.hpp"

namespace weft::nn {

class ModuleBase;

/// Sees every module that is called on this thread while it lives, the modules inside of it included.
/// Observers end in the reverse order of their making.
class Observer {
 public:
  Observer();
  virtual ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  virtual void entered(const ModuleBase& module) = 0;
  /// `output` is what forward returned or, of a struct, its main member (output, context or h); undefined for other types.
  /// Not called when forward throws.
  virtual void left(const ModuleBase& module, const Var& output) = 0;

 private:
  friend class ModuleCall;
  Observer* outer_;
};

/// One call of a module: its scope, and word to the observers.
class ModuleCall {
 public:
  explicit ModuleCall(const ModuleBase& module);
  /// Tells the observers what forward returned.
  template <class Output>
  void finish(const Output& output) const {
    if constexpr (requires { Var(output); }) {
      finish(Var(output));
    } else if constexpr (requires { Var(output.output); }) {
      finish(Var(output.output));
    } else if constexpr (requires { Var(output.context); }) {
      finish(Var(output.context));
    } else if constexpr (requires { Var(output.h); }) {
      finish(Var(output.h));
    } else {
      finish(Var());
    }
  }
  void finish(const Var& output) const;

 private:
  const ModuleBase& module_;
  ScopeGuard scope_;
};

}  // namespace weft::nn
