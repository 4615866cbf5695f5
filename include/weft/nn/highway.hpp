#pragma once
#include <cstdint>
#include <utility>

#include "weft/nn/linear.hpp"

namespace weft::nn {

struct HighwayOptions {
  std::int64_t features = 0;  ///< size of the last dimension
  double gate_bias = -1;      ///< the gate's first bias: below 0 the layer passes most of x on
};

/// t part + (1 - t) x with t = sigmoid(gate), for a part of x's shape. `type` is named in errors. Throws ShapeError, never
/// broadcasts.
Var mix_highway(const char* type, const Var& x, const Var& part, const Var& gate);

/// y = t h(x, ...) + (1 - t) x with t = sigmoid(W x + b) for each element (Srivastava, Greff & Schmidhuber 2015): any module h
/// whose output has its input's shape. Of one that returns a struct, as LSTM, the main member counts.
///   nn::Highway<nn::LSTM> layer({.features = 8}, nn::LSTMOptions{.input_size = 8, .hidden_size = 8}, {this, "layer"});
template <class T>
class Highway : public Module<Highway<T>> {
 public:
  /// Makes the module, under "module", from its own options. Throws ValueError for features that aren't positive.
  template <class Options>
  Highway(const HighwayOptions& options, const Options& module_options, const Scope& scope = {})
      : Module<Highway<T>>(scope),
        module(module_options, {this, "module"}),
        gate(
            {.in_features = options.features, .out_features = options.features, .bias_init = init::constant(options.gate_bias)},
            {this, "gate"}) {}

  /// Further arguments are the module's. Throws ShapeError where its output hasn't x's shape.
  template <class... Args>
  Var forward(const Var& x, Args&&... args) {
    const auto output = module(x, std::forward<Args>(args)...);
    Var part;
    ModuleCall::with_main(output, [&](const Var& main) { part = main; });
    return mix_highway("Highway", x, part, gate(x));
  }

  T module;
  Linear gate;
};

}  // namespace weft::nn
