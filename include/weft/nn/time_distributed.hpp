#pragma once
#include <functional>

#include "weft/nn/module.hpp"

namespace weft::nn {

/// f of every step of x [batch, steps, ...] at once, as [n, ...] -> [n, ...]: the n steps within the rows' lengths (i64 or i32
/// [batch]; undefined: all of them), row by row. Gives [batch, steps, ...] with zeros behind the lengths; what x has there is
/// never read. `op` is named in errors. Throws ShapeError for x without steps, lengths that don't fit and an output of f that
/// has other than n rows, ValueError for lengths out of range, DTypeError.
Var every_step(const char* op, const std::function<Var(const Var&)>& f, const Var& x, const Tensor& lengths = {});

/// A module for single inputs [n, ...] applied to every step of sequences [batch, steps, ...]: a convolution over each image
/// of a film, batch normalisation over all steps of all rows.
///   nn::TimeDistributed<nn::Conv2d> frames({.in_channels = 1, .out_channels = 8, .kernel_size = 3}, {this, "frames"});
template <class T>
class TimeDistributed : public Module<TimeDistributed<T>> {
 public:
  /// Makes the module, under "module", from its options.
  template <class Options>
  explicit TimeDistributed(const Options& options, const Scope& scope = {})
      : Module<TimeDistributed<T>>(scope), module(options, {this, "module"}) {}

  /// As every_step: lengths leave out padding, which comes out as zeros.
  Var forward(const Var& x, const Tensor& lengths = {}) {
    return every_step(
        "TimeDistributed", [this](const Var& steps) { return module(steps); }, x, lengths);
  }

  T module;
};

}  // namespace weft::nn
