#pragma once
#include "base/fail.hpp"
#include "kernels/recurrent.hpp"
#include "ops/guarded.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/pool_vector.hpp"

// What the recurrent operations share: the checks of their operands, the gradients of their parameters, and the composite
// form of their backward pass.
namespace weft::recurrent {

/// An operation: its name, and how high its weights are, for errors: "4 hidden".
struct Kind {
  const char* op;
  std::int64_t gates;
  const char* height;
};

/// The operands' places among a node's inputs.
constexpr int input_x = 0, input_w_ih = 1, input_w_hh = 2, input_b_ih = 3, input_b_hh = 4, input_h = 5, input_c = 6;

/// x of `rank` 3 (a sequence) or 2 (a step).
void check_weights(const Kind& kind, int rank, const Var& x, const Var& w_ih, const Var& w_hh, const Var& b_ih,
                   const Var& b_hh);
/// `state` checked to be [batch, hidden]; zeros where it isn't given.
Var state_or_zeros(const Kind& kind, const Var& state, const Var& x, const Var& w_hh);
void check_active(const Kind& kind, const Tensor& active, const Var& x);

/// The biases' sum, dense; undefined where neither is given.
Tensor sum_of(const Var& a, const Var& b);
/// Undefined where nothing depended on the output.
Var grad_or_none(const Sink& s, int output);
/// Rows of `v` [rows, ...] that are active; zeros elsewhere, for a product with zero gradients to be zero whatever stood there.
Tensor active_rows(const Tensor& active, const Tensor& v);

/// Contributions to weights and biases from the gradients of x W_ih^T + b_ih and of h W_hh^T + b_hh, each [rows, gates hidden]
/// (for most the same tensor), with the rows of x and h.
void add_parameter_gradients(Sink& s, const Tensor& g_input, const Tensor& g_recurrent, const Tensor& x, const Tensor& h);

/// The parameters as an operation saves them.
struct SavedParameters {
  Saved w_ih, w_hh, b_ih, b_hh;
};
inline SavedParameters saved(const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh) {
  return {Saved(w_ih), Saved(w_hh), Saved(b_ih), Saved(b_hh)};
}

/// Hidden state, and the cell state of an LSTM.
struct State {
  Var h, c;
};

/// A layer's operands as they stand on the tape, time first.
struct Layer {
  Var x;          ///< [T, B, I]
  State initial;  ///< [B, H]
  Tensor active;  ///< bool [T, B]; undefined: all
  bool reverse = false;
};

/// Of a sequence, from its trace; of an LSTM with the cells' states.
Layer layer_of(const Sink& s, const kernels::RecurrentTrace& trace, const Tensor& cells = {});
/// Of a single step.
Layer layer_of(const Saved& x, const Saved& h, const Saved& c, const Saved& active);

/// What a cell's backward step gives: gradients of the two gate inputs (`recurrent` undefined: the same), and what goes past
/// them to the state before (undefined: nothing).
struct StepGradients {
  Var input, recurrent;
  State before;
};

/// Gradients of gate inputs and states of all steps, in the order of time.
struct SequenceGradients {
  PoolVector<Var> input, recurrent;  ///< [B, gates H] each; recurrent empty: the same
  PoolVector<Var> states;            ///< [B, H]: what each step started from; zeros in rows that rest
  State initial;
};

/// The end of `composite_backward`: adds to every input but x, whose gradient [T, B, I] it returns (undefined: not wanted).
Var add_composite_gradients(Sink& s, const Var& x, const SavedParameters& parameters, const SequenceGradients& gradients);

/// active ? a : b by rows; a where active is undefined.
Var choose(const Tensor& active, const Var& a, const Var& b);
Var choose(const Tensor& active, const Var& a);  ///< ... or zeros; undefined stays undefined

/// The backward pass over Var operations: runs the layer again, then back through time, all of it on the tape, so that the
/// gradients can be differentiated. d_output [B, T, H] or undefined; d_last are the gradients of the last states.
/// A Cell runs one step when it is made from x W_ih^T + b_ih, h W_hh^T + b_hh and the state before. It has the state `after`,
/// and back(State) gives StepGradients. Adds to every input but x, whose gradient [T, B, I] it returns.
template <class Cell, class... Options>
Var composite_backward(Sink& s, const Layer& layer, const SavedParameters& parameters, const Var& d_output, State d_last,
                       const Options&... options) {
  const std::int64_t steps = layer.x.size(0);
  const auto time = [&](std::int64_t step) { return layer.reverse ? steps - 1 - step : step; };
  const auto active_at = [&](std::int64_t t) {
    return layer.active.defined() ? layer.active.select(0, t).unsqueeze(1) : Tensor();
  };

  const Var x = choose(layer.active.defined() ? layer.active.unsqueeze(2) : Tensor(), layer.x);
  const Var projected = linear(x, parameters.w_ih.get(), parameters.b_ih.get());
  PoolVector<Cell> cells;  // in the order of the steps
  SequenceGradients gradients;
  gradients.states.resize(static_cast<std::size_t>(steps));
  State now = layer.initial;
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t t = time(step);
    const Tensor active = active_at(t);
    const State before{choose(active, now.h), choose(active, now.c)};
    cells.emplace_back(select(projected, 0, t), linear(before.h, parameters.w_hh.get(), parameters.b_hh.get()), before,
                       options...);
    now = {choose(active, cells.back().after.h, now.h), choose(active, cells.back().after.c, now.c)};
    gradients.states[static_cast<std::size_t>(t)] = before.h;
  }

  gradients.input.resize(static_cast<std::size_t>(steps));
  State d = std::move(d_last);
  for (std::int64_t step = steps - 1; step >= 0; --step) {
    const std::int64_t t = time(step);
    const Tensor active = active_at(t);
    const Var d_h = d_output.defined() ? d.h + select(d_output, 1, t) : d.h;
    StepGradients g = cells[static_cast<std::size_t>(step)].back({choose(active, d_h), choose(active, d.c)});
    Var before = matmul(g.recurrent.defined() ? g.recurrent : g.input, parameters.w_hh.get());
    if (g.before.h.defined()) before = before + g.before.h;
    d = {choose(active, before, d.h), choose(active, g.before.c, d.c)};
    gradients.input[static_cast<std::size_t>(t)] = std::move(g.input);
    if (!g.recurrent.defined()) continue;
    gradients.recurrent.resize(static_cast<std::size_t>(steps));
    gradients.recurrent[static_cast<std::size_t>(t)] = std::move(g.recurrent);
  }
  gradients.initial = std::move(d);
  return add_composite_gradients(s, x, parameters, gradients);
}

}  // namespace weft::recurrent
