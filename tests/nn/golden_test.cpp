// Modules against what PyTorch computes (tests/golden): outputs and every gradient.
#include <doctest/doctest.h>

#include "golden/module_golden.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/gru.hpp"
#include "weft/nn/layer_norm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/nn/rnn.hpp"

using namespace weft;
using test::check_parameters;
using test::fill;
using test::Golden;
using test::relative_error;
using test::tolerance;
using test::weighted;

namespace {

// Two layers, both directions, lengths, initial state: a module with a hidden state alone.
template <class Module, class Options>
void check_recurrent(const char* file, const Options& options) {
  const Golden golden = Golden::load(file);
  for (const DType dtype : {f32, f64}) {
    CAPTURE(name_of(dtype));
    Module module(options);
    fill(module, golden, dtype);
    Tape tape;
    const Var x = tape.leaf(golden["input"].to(dtype)), h = tape.leaf(golden["h_0"].to(dtype));
    const nn::RecurrentOutput out = module(x, golden["lengths"], h);
    CHECK(relative_error(out.output.value(), golden["output"]) <= tolerance(dtype));
    CHECK(relative_error(out.h.value(), golden["h_n"]) <= tolerance(dtype));
    tape.backward(weighted(golden, "output", out.output) + weighted(golden, "h_n", out.h));
    CHECK(relative_error(tape.grad(x), golden["grad.input"]) <= tolerance(dtype));
    CHECK(relative_error(tape.grad(h), golden["grad.h_0"]) <= tolerance(dtype));
    check_parameters(module, golden, dtype);
  }
}

}  // namespace

TEST_CASE("Linear equals PyTorch's") {
  const Golden golden = Golden::load("linear");
  for (const DType dtype : {f32, f64}) {
    nn::Linear linear({.in_features = 3, .out_features = 4});
    fill(linear, golden, dtype);
    Tape tape;
    const Var x = tape.leaf(golden["input"].to(dtype)), y = linear(x);
    CHECK(relative_error(y.value(), golden["output"]) <= tolerance(dtype));
    tape.backward(weighted(golden, "output", y));
    CHECK(relative_error(tape.grad(x), golden["grad.input"]) <= tolerance(dtype));
    check_parameters(linear, golden, dtype);
  }
}

TEST_CASE("Embedding equals PyTorch's") {
  const Golden golden = Golden::load("embedding");
  for (const DType dtype : {f32, f64}) {
    nn::Embedding embedding({.num_embeddings = 7, .embedding_dim = 4, .padding_idx = 2});
    fill(embedding, golden, dtype);
    Tape tape;
    const Var y = embedding(golden["index"]);
    CHECK(relative_error(y.value(), golden["output"]) <= tolerance(dtype));
    tape.backward(weighted(golden, "output", y));
    check_parameters(embedding, golden, dtype);
  }
}

TEST_CASE("LayerNorm equals PyTorch's") {
  const Golden golden = Golden::load("layer_norm");
  for (const DType dtype : {f32, f64}) {
    nn::LayerNorm norm({.normalized_shape = 7, .eps = golden["eps"].item()});
    fill(norm, golden, dtype);
    Tape tape;
    const Var x = tape.leaf(golden["input"].to(dtype)), y = norm(x);
    CHECK(relative_error(y.value(), golden["output"]) <= tolerance(dtype));
    tape.backward(weighted(golden, "output", y));
    CHECK(relative_error(tape.grad(x), golden["grad.input"]) <= tolerance(dtype));
    check_parameters(norm, golden, dtype);
  }
}

TEST_CASE("LSTM equals PyTorch's: two layers, both directions, lengths, initial state") {
  const Golden golden = Golden::load("lstm");
  for (const DType dtype : {f32, f64}) {
    nn::LSTM lstm({.input_size = 3, .hidden_size = 5, .num_layers = 2, .bidirectional = true});
    fill(lstm, golden, dtype);
    Tape tape;
    const Var x = tape.leaf(golden["input"].to(dtype)), h = tape.leaf(golden["h_0"].to(dtype)),
              c = tape.leaf(golden["c_0"].to(dtype));
    const nn::LSTMOutput out = lstm(x, golden["lengths"], LSTMState{h, c});
    CHECK(relative_error(out.output.value(), golden["output"]) <= tolerance(dtype));
    CHECK(relative_error(out.h.value(), golden["h_n"]) <= tolerance(dtype));
    CHECK(relative_error(out.c.value(), golden["c_n"]) <= tolerance(dtype));
    tape.backward(weighted(golden, "output", out.output) + weighted(golden, "h_n", out.h) + weighted(golden, "c_n", out.c));
    CHECK(relative_error(tape.grad(x), golden["grad.input"]) <= tolerance(dtype));
    CHECK(relative_error(tape.grad(h), golden["grad.h_0"]) <= tolerance(dtype));
    CHECK(relative_error(tape.grad(c), golden["grad.c_0"]) <= tolerance(dtype));
    check_parameters(lstm, golden, dtype);
  }
}

TEST_CASE("GRU and RNN equal PyTorch's: two layers, both directions, lengths, initial state") {
  check_recurrent<nn::GRU>("gru", nn::GRUOptions{.input_size = 3, .hidden_size = 4, .num_layers = 2, .bidirectional = true});
  check_recurrent<nn::RNN>("rnn_tanh",
                           nn::RNNOptions{.input_size = 3, .hidden_size = 4, .num_layers = 2, .bidirectional = true});
  check_recurrent<nn::RNN>(
      "rnn_relu",
      nn::RNNOptions{
          .input_size = 3, .hidden_size = 4, .num_layers = 2, .nonlinearity = RNNNonlinearity::relu, .bidirectional = true});
}
