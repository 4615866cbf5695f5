#include "weft/nn/conv_lstm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/lengths.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using doctest::Contains;
using test::largest_difference;
using test::lengths_of;
using test::uniform;

namespace {

// Peepholes that do something.
void spread(nn::ModuleBase& module) {
  module.to(f64);
  std::uint64_t seed = 100;
  for (Parameter* parameter : module.parameters())
    parameter->mutable_value().copy_from(uniform(parameter->shape(), -0.6, 0.6, seed++));
}

// Element (channel, row, column) of a padded convolution of one image, by its definition.
double convolved(const Tensor& image, const Tensor& kernel, std::int64_t out, std::int64_t row, std::int64_t column) {
  double sum = 0;
  for (std::int64_t in = 0; in < kernel.size(1); ++in)
    for (std::int64_t i = 0; i < kernel.size(2); ++i)
      for (std::int64_t j = 0; j < kernel.size(3); ++j) {
        const std::int64_t y = row + i - kernel.size(2) / 2, x = column + j - kernel.size(3) / 2;
        if (y >= 0 && y < image.size(1) && x >= 0 && x < image.size(2))
          sum += kernel.at({out, in, i, j}) * image.at({in, y, x});
      }
  return sum;
}

struct Images {
  Tensor h, c;
};

// One step over images [channels, height, width] as Shi et al. write it (equation 3).
Images reference(const nn::ConvLSTMCell& cell, const Tensor& x, const Images& old) {
  Images next{Tensor::empty(old.h.shape(), f64), Tensor::empty(old.c.shape(), f64)};
  double *h = next.h.mutable_data<double>(), *c = next.c.mutable_data<double>();
  const std::int64_t hidden = old.h.size(0);
  const auto sigma = [](double a) { return 1 / (1 + std::exp(-a)); };
  for (std::int64_t k = 0; k < hidden; ++k)
    for (std::int64_t row = 0; row < x.size(1); ++row)
      for (std::int64_t column = 0; column < x.size(2); ++column) {
        const auto gate = [&](std::int64_t number, const nn::Weight* peephole, double seen) {
          const std::int64_t out = number * hidden + k;
          double sum = convolved(x, cell.weight_ih->value(), out, row, column) +
                       convolved(old.h, cell.weight_hh->value(), out, row, column);
          if (cell.bias.defined()) sum += cell.bias->value().at({out});
          if (peephole != nullptr && peephole->defined()) sum += (*peephole)->value().at({k, row, column}) * seen;
          return sum;
        };
        const double before = old.c.at({k, row, column});
        *c = sigma(gate(1, &cell.weight_cf, before)) * before +
             sigma(gate(0, &cell.weight_ci, before)) * std::tanh(gate(2, nullptr, 0));
        *h++ = sigma(gate(3, &cell.weight_co, *c)) * std::tanh(*c);
        ++c;
      }
  return next;
}

nn::ConvLSTMOptions layers_of(std::int64_t layers, bool peephole) {
  nn::ConvLSTMOptions options{.input_channels = 2, .hidden_channels = 3, .kernel_size = {3, 1}, .num_layers = layers};
  if (peephole) options.peephole = Size2d(4, 3);
  return options;
}

}  // namespace

TEST_CASE("a ConvLSTM equals the paper's equations, with and without peepholes") {
  for (const bool peephole : {false, true}) {
    CAPTURE(peephole);
    nn::ConvLSTM module(layers_of(2, peephole));
    spread(module);
    const Tensor x = uniform({1, 3, 2, 4, 3}, -1, 1, 1);
    const LSTMState initial{uniform({2, 1, 3, 4, 3}, -1, 1, 2), uniform({2, 1, 3, 4, 3}, -1, 1, 3)};
    const nn::ConvLSTMOutput out = module(x, Tensor(), initial);
    std::vector<Images> state;
    for (std::int64_t layer = 0; layer < 2; ++layer)
      state.push_back({initial.h.value().select(0, layer).select(0, 0), initial.c.value().select(0, layer).select(0, 0)});
    for (std::int64_t t = 0; t < 3; ++t) {
      state[0] = reference(module.cells[0], x.select(0, 0).select(0, t), state[0]);
      state[1] = reference(module.cells[1], state[0].h, state[1]);
      CHECK(largest_difference(out.output.value().select(0, 0).select(0, t), state[1].h) <= 1e-12);
    }
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      const Images& last = state[static_cast<std::size_t>(layer)];
      CHECK(largest_difference(out.h.value().select(0, layer).select(0, 0), last.h) <= 1e-12);
      CHECK(largest_difference(out.c.value().select(0, layer).select(0, 0), last.c) <= 1e-12);
    }
  }
}

TEST_CASE("a ConvLSTM's parameters have their names and shapes; undefined states are zeros") {
  nn::ConvLSTM module(layers_of(2, true));
  std::vector<std::string> names;
  for (const auto& [name, tensor] : module.cells[1].state_dict()) names.push_back(name + " " + tensor.shape().str());
  CHECK(names == std::vector<std::string>{"weight_ih [12, 3, 3, 1]", "weight_hh [12, 3, 3, 1]", "bias [12]",
                                          "weight_ci [3, 4, 3]", "weight_cf [3, 4, 3]", "weight_co [3, 4, 3]"});
  CHECK(module.state_dict()[0].name == "cells.0.weight_ih");
  CHECK(test::largest(module.cells[0].weight_ih->value()) <= 1.0 / 3);
  CHECK(test::largest(module.cells[0].weight_ci->value()) == 0);
  spread(module);
  const Tensor x = uniform({2, 3, 2, 4, 3}, -1, 1, 1), zeros = Tensor::zeros({2, 2, 3, 4, 3}, f64);
  CHECK(largest_difference(module(x).output.value(), module(x, Tensor(), LSTMState{zeros, zeros}).output.value()) <= 1e-12);
  nn::ConvLSTMCell cell({.input_channels = 2, .hidden_channels = 3, .kernel_size = {3, 1}, .bias = false});
  spread(cell);
  const Tensor image = uniform({2, 2, 4, 3}, -1, 1, 4), none = Tensor::zeros({2, 3, 4, 3}, f64);
  CHECK(largest_difference(cell(image).h.value(), cell(image, LSTMState{none, none}).h.value()) <= 1e-12);
}

TEST_CASE("a row of a ConvLSTM with its length gives what it gives alone, whatever stands behind it") {
  nn::ConvLSTM module(layers_of(2, true));
  spread(module);
  const std::int64_t lengths[] = {4, 2, 0};
  Tensor x = uniform({3, 4, 2, 4, 3}, -1, 1, 1);
  for (std::int64_t row = 0; row < 3; ++row) {
    Tensor behind = x.select(0, row).slice(0, lengths[row], 4);
    behind.fill(std::numeric_limits<double>::quiet_NaN());
  }
  Tape tape;
  const nn::ConvLSTMOutput all = module(x, lengths_of({4, 2, 0}));
  for (std::int64_t row = 0; row < 3; ++row) {
    CAPTURE(row);
    const nn::ConvLSTMOutput alone = module(x.slice(0, row, row + 1).slice(1, 0, lengths[row]));
    const Tensor output = all.output.value().slice(0, row, row + 1);
    CHECK(largest_difference(output.slice(1, 0, lengths[row]), alone.output.value()) <= 1e-12);
    CHECK(test::largest(output.slice(1, lengths[row], 4)) == 0);
    CHECK(largest_difference(all.h.value().slice(1, row, row + 1), alone.h.value()) <= 1e-12);
    CHECK(largest_difference(all.c.value().slice(1, row, row + 1), alone.c.value()) <= 1e-12);
  }
  tape.backward(sum(square(all.output)) + sum(square(all.c)));
  for (const Parameter* parameter : module.parameters()) CHECK(test::largest(parameter->grad()) > 0);  // and so no NaN
}

TEST_CASE("ConvLSTMs pass the gradient checks of both orders") {
  nn::ConvLSTM module(
      {.input_channels = 1, .hidden_channels = 2, .kernel_size = {1, 3}, .num_layers = 2, .peephole = Size2d(2, 2)});
  spread(module);
  const Tensor lengths = lengths_of({3, 1});
  const std::vector<Tensor> inputs{uniform({2, 3, 1, 2, 2}, -1, 1, 1), uniform({2, 2, 2, 2, 2}, -1, 1, 2),
                                   uniform({2, 2, 2, 2, 2}, -1, 1, 3)};
  const auto run = [&](const std::vector<Var>& in) {
    const nn::ConvLSTMOutput out = module(in[0], lengths, LSTMState{in[1], in[2]});
    return sum(square(out.output)) + sum(square(out.h)) + sum(square(out.c));
  };
  gradcheck(run, inputs, {.elements = 12}).require();
  gradgradcheck(run, inputs, {.rtol = 1e-4, .elements = 6}).require();
  const auto loss = [&] { return sum(square(module(inputs[0], lengths).output)); };
  gradcheck_parameters(loss, module.parameters(), {.elements = 6}).require();
  gradgradcheck_parameters(loss, module.parameters(), {.rtol = 1e-4, .elements = 3}).require();
  nn::ConvLSTMCell& cell = module.cells[0];
  const auto step = [&](const std::vector<Var>& in) { return cell(in[0], cell(in[0])).c; };
  gradcheck(step, {uniform({1, 1, 2, 2}, -1, 1, 4)}).require();
  gradgradcheck(step, {uniform({1, 1, 2, 2}, -1, 1, 4)}).require();
}

TEST_CASE("what doesn't fit a ConvLSTM is refused with its name and shapes") {
  nn::ConvLSTM module(layers_of(1, true));
  nn::ConvLSTMCell cell({.input_channels = 2, .hidden_channels = 3});
  CHECK_THROWS_WITH_AS(module(Tensor::zeros({1, 2, 3, 4, 3})),
                       Contains("[ConvLSTM] input f32[1, 2, 3, 4, 3] is not [batch, steps, 2, height, width]"), ShapeError);
  CHECK_THROWS_WITH_AS(module(Tensor::zeros({1, 2, 2, 4, 4})), Contains("peephole's images of 4 by 3"), ShapeError);
  CHECK_THROWS_WITH_AS(cell(Tensor::zeros({1, 3, 4, 3})),
                       Contains("[ConvLSTMCell] input f32[1, 3, 4, 3] is not [batch, 2, height"), ShapeError);
  CHECK_THROWS_WITH_AS(cell(Tensor::zeros({1, 2, 4, 3}), LSTMState{Tensor::zeros({1, 3, 4, 4}), {}}),
                       Contains("[1, 3, 4, 3] is needed"), ShapeError);
  CHECK_THROWS_WITH_AS(cell(Tensor::zeros({1, 2, 4, 3}), LSTMState{{}, Tensor::zeros({1, 3, 4, 3}, f64)}),
                       "[ConvLSTMCell] state f64[1, 3, 4, 3] and input f32[1, 2, 4, 3] differ in dtype", DTypeError);
  CHECK_THROWS_WITH_AS(module(Tensor::zeros({1, 2, 2, 4, 3}), Tensor(), LSTMState{{}, Tensor::zeros({1, 1, 3, 4, 3}, f64)}),
                       "[ConvLSTM] initial state f64[1, 1, 3, 4, 3] and input f32[1, 2, 2, 4, 3] differ in dtype", DTypeError);
  CHECK_THROWS_WITH_AS(module(Tensor::zeros({1, 2, 2, 4, 3}), Tensor(), LSTMState{{}, Tensor::zeros({1, 3, 4, 3})}),
                       Contains("[1, 1, 3, 4, 3] is needed"), ShapeError);
  CHECK_THROWS_AS(module(Tensor::zeros({1, 2, 2, 4, 3}), lengths_of({3})), ValueError);
  CHECK_THROWS_AS(module(Tensor::zeros({1, 2, 2, 4, 3}), lengths_of({1, 1})), ShapeError);
  CHECK_THROWS_AS(module(Tensor::zeros({1, 2, 2, 4, 3}, f64)), DTypeError);
  CHECK_THROWS_AS(module(Var()), ValueError);
  CHECK_THROWS_AS(cell(Var()), ValueError);
  CHECK(module(Tensor::zeros({0, 2, 2, 4, 3})).output.shape() == Shape{0, 2, 3, 4, 3});
  CHECK(module(Tensor::zeros({2, 0, 2, 4, 3})).output.shape() == Shape{2, 0, 3, 4, 3});
  using Options = nn::ConvLSTMOptions;
  CHECK_THROWS_WITH_AS(nn::ConvLSTM(Options{.input_channels = 2}),
                       Contains("[ConvLSTM] input_channels is 2 and hidden_channels 0"), ValueError);
  CHECK_THROWS_WITH_AS(nn::ConvLSTM(Options{.input_channels = 2, .hidden_channels = 3, .kernel_size = {3, 2}}),
                       Contains("kernel_size is 3 by 2; odd"), ValueError);
  CHECK_THROWS_AS(nn::ConvLSTM(Options{.input_channels = 2, .hidden_channels = 3, .num_layers = 0}), ValueError);
  CHECK_THROWS_AS(nn::ConvLSTM(Options{.input_channels = 2, .hidden_channels = 3, .peephole = Size2d(0, 2)}), ValueError);
  CHECK_THROWS_WITH_AS(nn::ConvLSTMCell({.hidden_channels = 3}), Contains("[ConvLSTMCell]"), ValueError);
}
