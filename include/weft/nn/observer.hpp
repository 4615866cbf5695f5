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
  /// `output` is what the call returned or, of a struct, its main member (output, context or h); undefined for other types.
  /// Not called when it throws.
  virtual void left(const ModuleBase& module, const Var& output) = 0;

 private:
  friend class ModuleCall;
  Observer* outer_;
};

/// A method of a module that runs: errors and profiles name it. Of that alone observers hear nothing: see ModuleBase::run.
class ModuleScope {
 public:
  /// Throws ValueError where a call under a recording tape would train nothing: see Module.
  explicit ModuleScope(const ModuleBase& module);
  ~ModuleScope();
  ModuleScope(const ModuleScope&) = delete;
  ModuleScope& operator=(const ModuleScope&) = delete;

 private:
  const ModuleBase* caller_;
  ScopeGuard scope_;
};

/// One call of a module: its scope, and word to the observers.
class ModuleCall {
 public:
  /// Throws as ModuleScope.
  explicit ModuleCall(const ModuleBase& module);
  ModuleCall(const ModuleCall&) = delete;
  ModuleCall& operator=(const ModuleCall&) = delete;
  /// Tells the observers what the call returned.
  template <class Output>
  void finish(const Output& output) const {
    if (!with_main(output, [this](const auto& main) { finish(Var(main)); })) finish(Var());
  }
  void finish(const Var& output) const;
  /// Calls f with what an output is or, of a struct, with its main member; false where there is none.
  template <class Output, class Function>
  static bool with_main(Output& output, const Function& f) {
    if constexpr (requires { Var(output); }) {
      f(output);
    } else if constexpr (requires { Var(output.output); }) {
      f(output.output);
    } else if constexpr (requires { Var(output.context); }) {
      f(output.context);
    } else if constexpr (requires { Var(output.h); }) {
      f(output.h);
    } else {
      return false;
    }
    return true;
  }

 private:
  const ModuleBase& module_;
  ModuleScope scope_;
};

/// While it lives no module counts as running: what is called then belongs to nobody's tree. For hooks.
class OutsideModules {
 public:
  OutsideModules();
  ~OutsideModules();
  OutsideModules(const OutsideModules&) = delete;
  OutsideModules& operator=(const OutsideModules&) = delete;

 private:
  const ModuleBase* running_;
};

}  // namespace weft::nn
