#pragma once
#include <utility>

#include "weft/nn/module.hpp"

namespace weft::nn {

/// x + part, for a part of x's shape. `type` is named in errors. Throws ShapeError, never broadcasts.
Var add_residual(const char* type, const Var& x, const Var& part);

/// x + module(x, ...) (He et al. 2016): any module whose output has its input's shape. Of one that returns a struct, as LSTM,
/// the main member counts.
///   nn::Residual<nn::LSTM> layer(nn::LSTMOptions{.input_size = 8, .hidden_size = 8}, {this, "layer"});
///   y = layer(x, lengths);
template <class T>
class Residual : public Module<Residual<T>> {
 public:
  /// Makes the module, under "module", from its options.
  template <class Options>
  explicit Residual(const Options& options, const Scope& scope = {})
      : Module<Residual<T>>(scope), module(options, {this, "module"}) {}

  /// Further arguments are the module's. Throws ShapeError where its output hasn't x's shape.
  template <class... Args>
  Var forward(const Var& x, Args&&... args) {
    const auto output = module(x, std::forward<Args>(args)...);
    Var part;
    ModuleCall::with_main(output, [&](const Var& main) { part = main; });
    return add_residual("Residual", x, part);
  }

  T module;
};

}  // namespace weft::nn
