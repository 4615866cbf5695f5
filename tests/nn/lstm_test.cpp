#include "weft/nn/lstm.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "golden/golden.hpp"
#include "support/lengths.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
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

Var all_of(const nn::LSTMOutput& out) { return sum(square(out.output)) + sum(square(out.h)) + sum(square(out.c)); }

}  // namespace

TEST_CASE("LSTM has PyTorch's parameters in PyTorch's order") {
  nn::LSTM lstm({.input_size = 3, .hidden_size = 5, .num_layers = 2, .bidirectional = true});
  std::vector<std::string> names;
  for (const auto& [name, tensor] : lstm.state_dict()) names.push_back(name + " " + tensor.shape().str());
  CHECK(names == std::vector<std::string>{"weight_ih_l0 [20, 3]", "weight_hh_l0 [20, 5]", "bias_ih_l0 [20]", "bias_hh_l0 [20]",
                                          "weight_ih_l0_reverse [20, 3]", "weight_hh_l0_reverse [20, 5]",
                                          "bias_ih_l0_reverse [20]", "bias_hh_l0_reverse [20]", "weight_ih_l1 [20, 10]",
                                          "weight_hh_l1 [20, 5]", "bias_ih_l1 [20]", "bias_hh_l1 [20]",
                                          "weight_ih_l1_reverse [20, 10]", "weight_hh_l1_reverse [20, 5]",
                                          "bias_ih_l1_reverse [20]", "bias_hh_l1_reverse [20]"});
  CHECK(nn::LSTM({.input_size = 3, .hidden_size = 5, .bias = false}).state_dict().size() == 2);
}

TEST_CASE("a row with its length gives what it gives alone, whatever stands behind it") {
  for (const bool bidirectional : {false, true}) {
    nn::LSTM lstm({.input_size = 3, .hidden_size = 4, .num_layers = 2, .bidirectional = bidirectional});
    lstm.to(f64);
    Tensor x = random({4, 6, 3});
    const std::int64_t lengths[] = {6, 2, 0, 5};
    for (std::int64_t row = 0; row < 4; ++row) {
      Tensor padding = x.select(0, row).slice(0, lengths[row], 6);
      padding.fill(std::numeric_limits<double>::quiet_NaN());
    }
    const nn::LSTMOutput all = lstm(x, lengths_of({6, 2, 0, 5}));
    for (std::int64_t row = 0; row < 4; ++row) {
      const nn::LSTMOutput alone = lstm(x.slice(0, row, row + 1).slice(1, 0, lengths[row]));
      const Tensor output = all.output.value().slice(0, row, row + 1);
      CHECK(relative_error(output.slice(1, 0, lengths[row]), alone.output.value()) < 1e-12);
      CHECK(relative_error(output.slice(1, lengths[row], 6),
                           Tensor::zeros({1, 6 - lengths[row], bidirectional ? 8 : 4}, f64)) == 0);
      CHECK(relative_error(all.h.value().slice(1, row, row + 1), alone.h.value()) < 1e-12);
      CHECK(relative_error(all.c.value().slice(1, row, row + 1), alone.c.value()) < 1e-12);
    }
  }
}

TEST_CASE("an LSTM cell step by step gives what the layer gives") {
  nn::LSTM lstm({.input_size = 3, .hidden_size = 4});
  nn::LSTMCell cell({.input_size = 3, .hidden_size = 4});
  auto state = lstm.state_dict();
  for (auto& named : state) named.name.resize(named.name.size() - 3);
  cell.load_state_dict(state);
  lstm.to(f64);
  cell.to(f64);
  const Tensor x = random({2, 5, 3}), h = random({1, 2, 4}, f64, 1), c = random({1, 2, 4}, f64, 2);
  const nn::LSTMOutput expected = lstm(x, Tensor(), LSTMState{h, c});
  LSTMState now{h.select(0, 0), c.select(0, 0)};
  for (std::int64_t t = 0; t < 5; ++t) {
    now = cell(x.select(1, t), now);
    CHECK(relative_error(now.h.value(), expected.output.value().select(1, t)) < 1e-12);
  }
  CHECK(relative_error(now.c.value(), expected.c.value().select(0, 0)) < 1e-12);
  CHECK(relative_error(cell(x.select(1, 0)).h.value(), lstm(x).output.value().select(1, 0)) < 1e-12);
}

TEST_CASE("dropout stands between layers, in training only") {
  nn::LSTM two({.input_size = 3, .hidden_size = 4, .num_layers = 2, .dropout = 0.5});
  const Tensor x = random({2, 5, 3}, f32);
  const auto outputs_in = [&](nn::LSTM& lstm, std::uint64_t seed) {
    Generator generator(seed);
    Tape tape(generator);
    return lstm(x).output.value();
  };
  CHECK(relative_error(outputs_in(two, 1), outputs_in(two, 2)) > 0);
  CHECK(relative_error(outputs_in(two, 1), outputs_in(two, 1)) == 0);
  two.eval();
  CHECK(relative_error(outputs_in(two, 1), outputs_in(two, 2)) == 0);
}

TEST_CASE("halves of a batch that know their first row drop what the whole drops, gradients of the weights included") {
  nn::LSTM lstm({.input_size = 3, .hidden_size = 5, .num_layers = 3, .bidirectional = true, .dropout = 0.4});
  lstm.to(f64);
  const Tensor x = random({8, 4, 3});
  const auto run = [&](std::int64_t from, std::int64_t to) {
    Generator generator(3);
    Tape tape(generator, from);
    const Var output = lstm(x.slice(0, from, to)).output;
    tape.backward(sum(square(output)));
    return output.value();
  };
  const Tensor whole = run(0, 8);
  std::vector<Tensor> gradients;
  for (Parameter* parameter : lstm.parameters()) gradients.push_back(parameter->grad().clone());
  lstm.zero_grad();
  CHECK(relative_error(run(0, 4), whole.slice(0, 0, 4)) < 1e-14);
  CHECK(relative_error(run(4, 8), whole.slice(0, 4, 8)) < 1e-14);
  std::size_t i = 0;
  for (Parameter* parameter : lstm.parameters()) CHECK(relative_error(parameter->grad(), gradients[i++]) < 1e-12);
}

TEST_CASE("whole LSTMs pass the gradient check") {
  nn::LSTM lstm({.input_size = 2, .hidden_size = 3, .num_layers = 2, .bidirectional = true, .dropout = 0.3});
  lstm.to(f64);
  const Tensor lengths = lengths_of({4, 0, 3});
  const std::vector<Tensor> inputs{random({3, 4, 2}), random({4, 3, 3}, f64, 1), random({4, 3, 3}, f64, 2)};
  gradcheck(
      [&](const std::vector<Var>& in) {
        return all_of(lstm(in[0], lengths, LSTMState{in[1], in[2]}));
      },
      inputs)
      .require();
  gradcheck_parameters([&] { return all_of(lstm(inputs[0], lengths)); }, lstm.parameters()).require();

  nn::LSTMCell cell({.input_size = 2, .hidden_size = 3, .bias = false});
  cell.to(f64);
  const Tensor x = random({2, 2});
  gradcheck_parameters([&] { return sum(square(cell(x, cell(x)).c)); }, cell.parameters()).require();
}

TEST_CASE("what doesn't fit an LSTM is refused with shapes") {
  nn::LSTM lstm({.input_size = 3, .hidden_size = 4});
  CHECK_THROWS_WITH_AS(lstm(random({2, 5, 2}, f32)), doctest::Contains("[2, 5, 2]"), ShapeError);
  CHECK_THROWS_AS(lstm(random({5, 3}, f32)), ShapeError);
  CHECK_THROWS_AS(lstm(random({2, 5, 3}, f64)), DTypeError);
  CHECK_THROWS_AS(lstm(random({2, 5, 3}, f32), lengths_of({6, 1})), ValueError);
  CHECK_THROWS_AS(lstm(random({2, 5, 3}, f32), lengths_of({1})), ShapeError);
  CHECK_THROWS_AS(lstm(random({2, 5, 3}, f32), Tensor(), LSTMState{random({2, 4}, f32), {}}), ShapeError);
  CHECK_THROWS_AS(nn::LSTM({.input_size = 3}), ValueError);
  CHECK_THROWS_AS(nn::LSTM({.input_size = 3, .hidden_size = 4, .num_layers = 0}), ValueError);
  CHECK_THROWS_AS(nn::LSTM({.input_size = 3, .hidden_size = 4, .num_layers = 2, .dropout = 2}), ValueError);
  CHECK_THROWS_WITH_AS(nn::LSTM({.input_size = 3, .hidden_size = 4, .bidirectional = true, .dropout = 0.1}),
                       doctest::Contains("num_layers is 1"), ValueError);
  CHECK(lstm(Tensor::zeros({0, 5, 3})).output.shape() == Shape{0, 5, 4});
  CHECK(lstm(Tensor::zeros({2, 0, 3})).output.shape() == Shape{2, 0, 4});
}
