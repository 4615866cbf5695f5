#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/lstm.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -1, 1, start); }

Tensor lengths_of(std::initializer_list<std::int64_t> lengths) {
  return Tensor::from(lengths, {static_cast<std::int64_t>(lengths.size())});
}

// x, w_ih, w_hh, b_ih, b_hh, h, c for one layer.
std::vector<Tensor> layer(const Shape& x, std::int64_t hidden) {
  const std::int64_t rows = x[0], in = x.back();
  return {values(x),
          values({4 * hidden, in}, 0.1),
          values({4 * hidden, hidden}, 0.2),
          values({4 * hidden}, 0.3),
          values({4 * hidden}, 0.4),
          values({rows, hidden}, 0.6),
          values({rows, hidden}, 0.7)};
}

// Everything that a layer gives, side by side, so that one cotangent reaches all of it.
Var joined(const Var& output, const Var& h, const Var& c) {
  return concat({reshape(output, {-1}), reshape(h, {-1}), reshape(c, {-1})}, 0);
}

Var run(const Inputs& in, const LSTMOptions& options) {
  const LSTMResult r = lstm(in[0], in[1], in[2], in[3], in[4], options, {in[5], in[6]});
  return joined(r.output, r.h, r.c);
}

}  // namespace

void add_lstm_cases(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, LSTMOptions options = {}) {
    to.push_back({"lstm", variant, [options](const Inputs& in) { return run(in, options); }, std::move(inputs)});
  };
  row("a sequence", layer({2, 4, 3}, 3));
  row("reverse", layer({2, 4, 3}, 3), {.reverse = true});
  row("lengths", layer({3, 4, 2}, 3), {.lengths = lengths_of({4, 1, 2})});
  row("lengths, reverse", layer({3, 4, 2}, 3), {.lengths = lengths_of({2, 4, 1}), .reverse = true});
  row("a length of 0", layer({2, 3, 2}, 2), {.lengths = lengths_of({0, 3})});
  row("a length of 0, reverse", layer({2, 3, 2}, 2), {.lengths = lengths_of({3, 0}), .reverse = true});
  row("one step", layer({2, 1, 3}, 2));
  row("size 1", layer({1, 1, 1}, 1));
  row("no rows", layer({0, 3, 2}, 2));
  row("no steps", layer({2, 0, 2}, 2));
  row("wider than a vector", layer({2, 2, 5}, 19));
  to.push_back({"lstm",
                "no bias, no state, the output alone",
                [](const Inputs& in) { return lstm(in[0], in[1], in[2]).output; },
                {values({2, 3, 2}), values({8, 2}, 0.1), values({8, 2}, 0.2)}});
  to.push_back({"lstm",
                "the last state alone",
                [](const Inputs& in) { return lstm(in[0], in[1], in[2]).h; },
                {values({2, 3, 2}), values({8, 2}, 0.1), values({8, 2}, 0.2)}});
  to.push_back({"lstm", "views",
                [](const Inputs& in) {
                  return run(in, {.lengths = lengths_of({3, 2})});
                },
                [] {
                  auto inputs = layer({2, 3, 2}, 2);
                  inputs[0] = values({3, 2, 2}).transpose(0, 1);
                  inputs[1] = values({2, 8}, 0.1).transpose(0, 1);
                  return inputs;
                }()});
  to.push_back(
      {"lstm",
       "repeated operand: the same weights in two layers",
       [](const Inputs& in) { return lstm(lstm(in[0], in[1], in[2]).output, in[1], in[2], {}, {}, {.reverse = true}).output; },
       {values({2, 3, 2}), values({8, 2}, 0.1), values({8, 2}, 0.2)}});

  const auto step = [&](const char* variant, std::vector<Tensor> inputs, Tensor active = {}) {
    to.push_back({"lstm_step", variant,
                  [active = std::move(active)](const Inputs& in) {
                    const LSTMState next = lstm_step(in[0], {in[5], in[6]}, in[1], in[2], in[3], in[4], active);
                    return concat({next.h, next.c}, 1);
                  },
                  std::move(inputs)});
  };
  step("a step", layer({3, 4}, 2));
  step("some rows rest", layer({3, 4}, 2), Tensor::from<bool>({true, false, true}, {3}));
  step("all rows rest", layer({2, 3}, 2), Tensor::from<bool>({false, false}, {2}));
  step("size 1", layer({1, 1}, 1));
  step("no rows", layer({0, 3}, 2));
  step("wider than a vector", layer({2, 5}, 19));
  step("one input", layer({4, 1}, 3));
  step("one unit, five rows, some rest", layer({5, 2}, 1), Tensor::from<bool>({true, true, false, true, false}, {5}));
  step("views", [] {
    auto inputs = layer({2, 3}, 2);
    inputs[0] = values({3, 2}).transpose(0, 1);
    inputs[2] = values({2, 8}, 0.2).transpose(0, 1);
    inputs[5] = values({2, 2}, 0.6).flip(0);
    return inputs;
  }());
  to.push_back({"lstm_step",
                "the cell alone, one bias",
                [](const Inputs& in) { return lstm_step(in[0], {}, in[1], in[2], in[3]).c; },
                {values({2, 3}), values({8, 3}, 0.1), values({8, 2}, 0.2), values({8}, 0.3)}});
  to.push_back({"lstm_step",
                "without bias and state",
                [](const Inputs& in) { return lstm_step(in[0], {}, in[1], in[2]).h; },
                {values({2, 3}), values({8, 3}, 0.1), values({8, 2}, 0.2)}});
  to.push_back({"lstm_step",
                "repeated operand: three steps with one weight",
                [](const Inputs& in) {
                  LSTMState state;
                  for (int t = 0; t < 3; ++t) state = lstm_step(in[0], state, in[1], in[2]);
                  return state.c;
                },
                {transposed({2, 3}, -1, 1), values({8, 3}, 0.1), values({8, 2}, 0.2)}});
  for (Case& each : to)
    if (each.op == "lstm" || each.op == "lstm_step") each.second_order = false;
}

}  // namespace weft::test
