// GRU, RNN and their cells; what they share with LSTM is in lstm_test.cpp too.
#include <doctest/doctest.h>

#include <limits>

#include "golden/golden.hpp"
#include "support/lengths.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/gru.hpp"
#include "weft/nn/rnn.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using test::lengths_of;
using test::relative_error;

namespace {

Tensor random(const Shape& shape, DType dtype = f64, std::uint64_t seed = 11) {
  Parameter parameter("x", Tensor::empty(shape, dtype));
  nn::initialise(parameter, nn::init::normal(), seed);
  return parameter.value();
}

Var all_of(const nn::RecurrentOutput& out) { return sum(square(out.output)) + sum(square(out.h)); }

std::vector<std::string> names_of(const nn::ModuleBase& module) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : module.state_dict()) names.push_back(name + " " + tensor.shape().str());
  return names;
}

// body(layers, cell) for a GRU and both RNNs of the given size, in f64.
template <class Body>
void for_each_kind(std::int64_t layers, bool bidirectional, const Body& body) {
  const double dropout = layers > 1 ? 0.3 : 0;
  nn::GRU gru({.input_size = 3, .hidden_size = 4, .num_layers = layers, .bidirectional = bidirectional, .dropout = dropout});
  nn::GRUCell gru_cell({.input_size = 3, .hidden_size = 4});
  gru.to(f64);
  gru_cell.to(f64);
  body("GRU", gru, gru_cell);
  for (const RNNNonlinearity kind : {RNNNonlinearity::tanh, RNNNonlinearity::relu}) {
    nn::RNN rnn({.input_size = 3,
                 .hidden_size = 4,
                 .num_layers = layers,
                 .nonlinearity = kind,
                 .bidirectional = bidirectional,
                 .dropout = dropout});
    nn::RNNCell rnn_cell({.input_size = 3, .hidden_size = 4, .nonlinearity = kind});
    rnn.to(f64);
    rnn_cell.to(f64);
    body("RNN", rnn, rnn_cell);
  }
}

}  // namespace

TEST_CASE("GRU and RNN have PyTorch's parameters in PyTorch's order") {
  nn::GRU gru({.input_size = 3, .hidden_size = 5, .num_layers = 2, .bidirectional = true});
  CHECK(names_of(gru) ==
        std::vector<std::string>{"weight_ih_l0 [15, 3]", "weight_hh_l0 [15, 5]", "bias_ih_l0 [15]", "bias_hh_l0 [15]",
                                 "weight_ih_l0_reverse [15, 3]", "weight_hh_l0_reverse [15, 5]", "bias_ih_l0_reverse [15]",
                                 "bias_hh_l0_reverse [15]", "weight_ih_l1 [15, 10]", "weight_hh_l1 [15, 5]", "bias_ih_l1 [15]",
                                 "bias_hh_l1 [15]", "weight_ih_l1_reverse [15, 10]", "weight_hh_l1_reverse [15, 5]",
                                 "bias_ih_l1_reverse [15]", "bias_hh_l1_reverse [15]"});
  CHECK(names_of(nn::RNN({.input_size = 3, .hidden_size = 5, .bias = false})) ==
        std::vector<std::string>{"weight_ih_l0 [5, 3]", "weight_hh_l0 [5, 5]"});
  CHECK(names_of(nn::GRUCell({.input_size = 3, .hidden_size = 2})) ==
        std::vector<std::string>{"weight_ih [6, 3]", "weight_hh [6, 2]", "bias_ih [6]", "bias_hh [6]"});
  CHECK(names_of(nn::RNNCell({.input_size = 3, .hidden_size = 2, .bias = false})) ==
        std::vector<std::string>{"weight_ih [2, 3]", "weight_hh [2, 2]"});
}

TEST_CASE("a row of a GRU or RNN with its length gives what it gives alone, whatever stands behind it") {
  for (const bool bidirectional : {false, true})
    for_each_kind(2, bidirectional, [&](const char* type, auto& module, auto&) {
      INFO(type);
      Tensor x = random({4, 6, 3});
      const std::int64_t lengths[] = {6, 2, 0, 5};
      for (std::int64_t row = 0; row < 4; ++row) {
        Tensor padding = x.select(0, row).slice(0, lengths[row], 6);
        padding.fill(std::numeric_limits<double>::quiet_NaN());
      }
      const nn::RecurrentOutput all = module(x, lengths_of({6, 2, 0, 5}));
      for (std::int64_t row = 0; row < 4; ++row) {
        const nn::RecurrentOutput alone = module(x.slice(0, row, row + 1).slice(1, 0, lengths[row]));
        const Tensor output = all.output.value().slice(0, row, row + 1);
        CHECK(relative_error(output.slice(1, 0, lengths[row]), alone.output.value()) < 1e-12);
        CHECK(relative_error(output.slice(1, lengths[row], 6),
                             Tensor::zeros({1, 6 - lengths[row], bidirectional ? 8 : 4}, f64)) == 0);
        CHECK(relative_error(all.h.value().slice(1, row, row + 1), alone.h.value()) < 1e-12);
      }
    });
}

TEST_CASE("a GRU or RNN cell step by step gives what the layer gives") {
  for_each_kind(1, false, [](const char* type, auto& module, auto& cell) {
    INFO(type);
    auto state = module.state_dict();
    for (auto& named : state) named.name.resize(named.name.size() - 3);
    cell.load_state_dict(state);
    const Tensor x = random({2, 5, 3}), h = random({1, 2, 4}, f64, 1);
    const nn::RecurrentOutput expected = module(x, Tensor(), h);
    Var now = h.select(0, 0);
    for (std::int64_t t = 0; t < 5; ++t) {
      now = cell(x.select(1, t), now);
      CHECK(relative_error(now.value(), expected.output.value().select(1, t)) < 1e-12);
    }
    CHECK(relative_error(now.value(), expected.h.value().select(0, 0)) < 1e-12);
    CHECK(relative_error(cell(x.select(1, 0)).value(), module(x).output.value().select(1, 0)) < 1e-12);
  });
}

TEST_CASE("a GRU's and an RNN's dropout stands between layers, in training only") {
  const auto differ = [](auto& module) {
    const Tensor x = random({2, 5, 3});
    const auto output = [&](std::uint64_t seed) {
      Generator generator(seed);
      Tape tape(generator);
      return module(x).output.value();
    };
    CHECK(relative_error(output(1), output(1)) == 0);
    return relative_error(output(1), output(2)) > 0;
  };
  for_each_kind(2, false, [&](const char* type, auto& module, auto&) {
    INFO(type);
    CHECK(differ(module));
    module.eval();
    CHECK_FALSE(differ(module));
  });
}

TEST_CASE("whole GRUs and RNNs pass the gradient check") {
  const Tensor lengths = lengths_of({4, 0, 3});
  const std::vector<Tensor> inputs{random({3, 4, 3}), random({4, 3, 4}, f64, 1)};
  for_each_kind(2, true, [&](const char* type, auto& module, auto& cell) {
    INFO(type);
    gradcheck([&](const std::vector<Var>& in) { return all_of(module(in[0], lengths, in[1])); }, inputs, {.elements = 40})
        .require();
    gradcheck_parameters([&] { return all_of(module(inputs[0], lengths)); }, module.parameters(), {.elements = 20}).require();
    const Tensor x = random({2, 3});
    gradcheck_parameters([&] { return sum(square(cell(x, cell(x)))); }, cell.parameters()).require();
  });
}

TEST_CASE("what doesn't fit a GRU or an RNN is refused with its name and shapes") {
  for_each_kind(1, false, [](const char* type, auto& module, auto& cell) {
    CHECK_THROWS_WITH_AS(module(random({2, 5, 2})), doctest::Contains(type), ShapeError);
    CHECK_THROWS_WITH_AS(module(random({2, 5, 2})), doctest::Contains("[2, 5, 2]"), ShapeError);
    CHECK_THROWS_AS(module(random({5, 3})), ShapeError);
    CHECK_THROWS_AS(module(Var()), ValueError);
    CHECK_THROWS_AS(module(random({2, 5, 3}, f32)), DTypeError);
    CHECK_THROWS_AS(module(random({2, 5, 3}), lengths_of({6, 1})), ValueError);
    CHECK_THROWS_AS(module(random({2, 5, 3}), lengths_of({1})), ShapeError);
    CHECK_THROWS_WITH_AS(module(random({2, 5, 3}), Tensor(), random({2, 4})), doctest::Contains("[1, 2, 4]"), ShapeError);
    CHECK_THROWS_AS(cell(random({2, 5})), ShapeError);
    CHECK_THROWS_AS(cell(random({2, 3}), random({2, 3})), ShapeError);
    CHECK(module(Tensor::zeros({0, 5, 3}, f64)).output.shape() == Shape{0, 5, 4});
    CHECK(module(Tensor::zeros({2, 0, 3}, f64)).output.shape() == Shape{2, 0, 4});
  });
  CHECK_THROWS_WITH_AS(nn::GRU({.input_size = 3}), doctest::Contains("GRU"), ValueError);
  CHECK_THROWS_WITH_AS(nn::RNN({.hidden_size = 3}), doctest::Contains("RNN"), ValueError);
  CHECK_THROWS_AS(nn::RNN({.input_size = 3, .hidden_size = 4, .num_layers = 0}), ValueError);
  CHECK_THROWS_AS(nn::GRU({.input_size = 3, .hidden_size = 4, .num_layers = 2, .dropout = 2}), ValueError);
  CHECK_THROWS_WITH_AS(nn::RNN({.input_size = 3, .hidden_size = 4, .dropout = 0.1}),
                       doctest::Contains("[RNN] dropout 0.1 stands between layers"), ValueError);
  CHECK_THROWS_WITH_AS(nn::GRUCell({.input_size = -1, .hidden_size = 4}), doctest::Contains("GRUCell"), ValueError);
}
