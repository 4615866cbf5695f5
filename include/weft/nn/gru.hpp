#pragma once
#include "weft/nn/module.hpp"
#include "weft/nn/recurrent.hpp"

namespace weft::nn {

using GRUOptions = RecurrentOptions;
using GRUCellOptions = RecurrentCellOptions;
using GRUOutput = RecurrentOutput;

/// Layers of GRU (Cho et al. 2014) over x [batch, steps, input_size], with PyTorch's parameter names, layouts, formula and
/// gate order r z n, and its first values, uniform within 1 / sqrt(hidden_size). The batch is always first.
class GRU : public Module<GRU> {
 public:
  explicit GRU(const GRUOptions& options, const Scope& scope = {});

  /// lengths: steps of each row (i64 or i32 [batch]), all where undefined; what stands behind them is never read.
  /// initial: h as in GRUOutput, zeros where undefined.
  GRUOutput forward(const Var& x, const Tensor& lengths = {}, const Var& initial = {});

 private:
  RecurrentLayers layers_;
};

/// One step of a GRU: x [batch, input_size] and a state [batch, hidden_size] (zeros where undefined) -> the next state.
class GRUCell : public Module<GRUCell> {
 public:
  explicit GRUCell(const GRUCellOptions& options, const Scope& scope = {});

  Var forward(const Var& x, const Var& h = {});

  Weight weight_ih, weight_hh, bias_ih, bias_hh;
};

}  // namespace weft::nn
