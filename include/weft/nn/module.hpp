#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/autograd/parameter.hpp"
#include "weft/nn/observer.hpp"
#include "weft/tensor/safetensors.hpp"

namespace weft::nn {

/// Where a module stands: a root (the default), or the child `name` of `owner`, written {this, "name"}.
struct Scope {
  ModuleBase* owner = nullptr;
  std::string name = {};
  /// Of a root: every initial value below it is a function of this, the parameter's path and the element's place alone.
  std::uint64_t seed = 0;
};

struct NamedParameter {
  std::string name;
  Parameter* parameter;
};

struct LoadOptions {
  bool strict = true;  ///< missing and unexpected names are errors, not a report
};

struct LoadReport {
  std::vector<std::string> missing;     ///< in the model, not in what was loaded: left as they were
  std::vector<std::string> unexpected;  ///< in what was loaded, not in the model
};

/// Sees what a module returns (of a struct, its main member: output, context or h); returns what to go on with, or an
/// undefined Var to leave it.
using OutputHook = std::function<Var(const ModuleBase& module, const Var& output)>;

/// What all modules are: a place in a tree, parameters, buffers, children, a mode. Derive from Module instead.
/// Children, parameters and buffers register by being constructed with their owner; they are members of it and go with it.
class ModuleBase {
 public:
  ModuleBase(const ModuleBase&) = delete;
  ModuleBase& operator=(const ModuleBase&) = delete;
  virtual ~ModuleBase();

  /// "encoder.layers.1"; "" for a root.
  const char* path() const { return path_; }
  /// The class's name without namespaces: "LSTM", "List<Linear>".
  std::string type_name() const;

  /// Parameters of this module and all below, each once, in the order of construction. Valid until one is added.
  const std::vector<Parameter*>& parameters();
  /// The same with names relative to this module; a tied one under its first.
  std::vector<NamedParameter> named_parameters() const;
  /// Parameters of this module alone, tied ones included.
  std::vector<Parameter*> own_parameters() const;
  /// Elements of all parameters, tied ones counted once.
  std::int64_t num_parameters() const;
  /// This module and all below, each before its children.
  std::vector<ModuleBase*> modules();
  const std::vector<ModuleBase*>& children() const { return children_; }

  /// Training mode (the initial one) or evaluation, for this module and all below. Only dropout and
  /// batch normalisation look at it.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }

  /// Has `hook` called after every call of this module (forward, a decoder's step), inside the module's path and before
  /// observers are told. Hooks are called in the order of their making, each with what the one before left. Calls for something
  /// else (a loss, a memory, the search's of a seq2seq::Model), or that return neither a Var nor such a struct, call none.
  void on_output(OutputHook hook);
  void clear_output_hooks() { output_hooks_.clear(); }

  /// Converts every parameter and floating buffer; gradients go. Throws DTypeError unless f32 or f64.
  void to(DType dtype);
  /// Drops every gradient.
  void zero_grad();

  /// Every parameter under every name that it has, relative to this module, and every buffer (running statistics), in PyTorch's
  /// order. The tensors are the module's own: clone them to keep their values.
  StateDict state_dict() const;
  /// Copies values into the parameters and buffers of the same names. Throws ValueError that lists what is missing, unexpected
  /// or of another shape or dtype (20 of each), and then nothing has changed.
  LoadReport load_state_dict(const StateDict& state, const LoadOptions& options = {});

 protected:
  /// Throws ValueError for a name that is empty, has a dot, or is taken.
  /// `callable`: its forward is what uses the modules below; otherwise they are called one by one, as a List's are.
  explicit ModuleBase(const Scope& scope, bool callable = false);

  /// A call of this module, by forward or another name: `method()` inside of its path, for hooks and observers too.
  template <class Method>
  decltype(auto) run(const Method& method) const {
    const ModuleCall call(*this);
    decltype(auto) output = method();
    if constexpr (!std::is_reference_v<decltype(output)> && !std::is_const_v<decltype(output)>) {
      if (!output_hooks_.empty()) [[unlikely]]
        ModuleCall::with_main(output, [this](auto& main) {
          if constexpr (requires { main = Var(); }) main = hooked(std::move(main));
        });
    }
    call.finish(output);
    return output;
  }

 private:
  friend class Buffer;
  friend class ModuleScope;
  friend class Weight;
  struct Own {
    std::string name;
    std::shared_ptr<Parameter> parameter;
  };
  struct OwnBuffer {
    std::string name;
    std::shared_ptr<Tensor> tensor;
  };

  /// Throws ValueError where the running `caller` has lost this module: constructed without an owner, in training mode, with
  /// parameters that a tape would record and that aren't in the caller's tree.
  void check_belongs(const ModuleBase& caller) const;
  /// What the hooks make of the output.
  Var hooked(Var output) const;
  const ModuleBase& root() const;
  std::string path_of(std::string_view name) const;
  void check_name(std::string_view name) const;
  void add(std::string name, std::shared_ptr<Parameter> parameter);
  void add(std::string name, std::shared_ptr<Tensor> buffer);
  void forget_cache();
  /// Calls visit(name, parameter) for every name of every parameter: own ones first, then each child's.
  void visit(const std::string& prefix, const std::function<void(std::string, Parameter&)>& visit) const;
  /// The same for the tensors of a state: own parameters, own buffers, then each child's.
  void visit_state(const std::string& prefix, const std::function<void(std::string, Tensor&)>& visit) const;

  ModuleBase* owner_;
  const char* path_;
  std::string name_;
  std::uint64_t seed_;
  bool training_ = true;
  std::vector<Own> own_;
  std::vector<OwnBuffer> buffers_;
  std::vector<ModuleBase*> children_;
  std::vector<Parameter*> parameters_;
  std::vector<OutputHook> output_hooks_;
  bool callable_;
  bool cached_ = false;
};

/// Base of a module `Derived`, which has a `forward` that returns a value. Calling the module runs it inside the module's
/// path, so that errors, observers and reports name it:
///   class Scale : public nn::Module<Scale> {
///    public:
///     explicit Scale(std::int64_t size, nn::Scope scope = {})
///         : Module(scope), gain(this, "gain", Shape{size}, nn::init::ones()) {}
///     Var forward(const Var& x) { return x * gain; }
///    private:
///     nn::Weight gain;
///   };
/// A member without {this, "name"} would be neither trained nor saved: calling it inside of another module's forward under a
/// recording tape throws ValueError. A module that is meant to stand apart (a frozen teacher) is in eval mode, runs under
/// NoGrad, or has its forward called.
template <class Derived>
class Module : public ModuleBase {
 public:
  template <class... Args>
  decltype(auto) operator()(Args&&... args) {
    return run([&]() -> decltype(auto) { return static_cast<Derived&>(*this).forward(std::forward<Args>(args)...); });
  }

 protected:
  explicit Module(const Scope& scope = {}) : ModuleBase(scope, true) {}
};

/// Writes the state to one safetensors file, which PyTorch reads too. Throws IoError.
void save(const ModuleBase& model, const std::filesystem::path& path, Metadata metadata = {});
/// Reads it back. Throws what load_safetensors and load_state_dict throw; after an error the model is as it was.
LoadReport load(ModuleBase& model, const std::filesystem::path& path, const LoadOptions& options = {});

}  // namespace weft::nn
