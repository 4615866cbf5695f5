// Whole models of all modules together: gradients of every parameter, padding that reaches nothing.
#include <doctest/doctest.h>

#include <limits>

#include "golden/golden.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/nn/attention.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/gru.hpp"
#include "weft/nn/layer_norm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/list.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;

namespace {

constexpr std::int64_t vocabulary = 9, width = 4;

const Var& hidden_of(const LSTMState& state) { return state.h; }
const Var& hidden_of(const Var& state) { return state; }

// Words -> LSTM or GRU over them -> a decoder cell that attends to it at each step -> tied logits.
template <class Encoder, class Cell, class State>
class TranslatorOf : public nn::Module<TranslatorOf<Encoder, Cell, State>> {
 public:
  explicit TranslatorOf(const nn::Scope& scope = {})
      : nn::Module<TranslatorOf>(scope),
        embed({.num_embeddings = vocabulary, .embedding_dim = width, .padding_idx = 0}, {this, "embed"}),
        encoder({.input_size = width, .hidden_size = 2, .num_layers = 2, .bidirectional = true, .dropout = 0.2},
                {this, "encoder"}),
        cell({.input_size = width, .hidden_size = width}, {this, "cell"}),
        attention({.query_dim = width, .key_dim = width, .hidden = 3}, {this, "attention"}),
        norm({.normalized_shape = 2 * width}, {this, "norm"}),
        layers({this, "layers"}),
        dropout({.p = 0.2}, {this, "dropout"}) {
    layers.emplace(nn::LinearOptions{.in_features = 2 * width, .out_features = 5});
    layers.emplace(nn::LinearOptions{.in_features = 5, .out_features = width, .bias = false});
  }

  Var forward(const Tensor& words, const Tensor& lengths, const Tensor& mask, const Tensor& target_in) {
    const Var encoded = encoder(dropout(embed(words)), lengths).output;
    const nn::AttentionMemory memory = attention.remember(encoded, encoded, mask);
    const Var inputs = embed(target_in);
    State state;
    std::vector<Var> logits;
    for (std::int64_t t = 0; t < target_in.size(1); ++t) {
      state = cell(select(inputs, 1, t), state);
      const Var& h = hidden_of(state);
      const Var context = squeeze(attention(unsqueeze(h, 1), memory).context, 1);
      Var y = norm(concat({context, h}, 1));
      for (auto& layer : layers) y = tanh(layer(y));
      logits.push_back(embed.project(y));
    }
    return stack(logits, 1);
  }

  nn::Embedding embed;
  Encoder encoder;
  Cell cell;
  nn::attention::Additive attention;
  nn::LayerNorm norm;
  nn::List<nn::Linear> layers;
  nn::Dropout dropout;
};

using Translator = TranslatorOf<nn::LSTM, nn::LSTMCell, LSTMState>;
using GRUTranslator = TranslatorOf<nn::GRU, nn::GRUCell, Var>;

const Tensor words = Tensor::from<std::int64_t>({3, 4, 5, 6, 7, 0, 1, 0, 0}, {3, 3});
const Tensor lengths = Tensor::from<std::int64_t>({3, 2, 1}, {3});
const Tensor mask = Tensor::from<bool>({true, true, true, true, true, false, true, false, false}, {3, 3});
const Tensor target_in = Tensor::from<std::int64_t>({2, 3, 2, 5, 2, 0}, {3, 2});
const Tensor target_out = Tensor::from<std::int64_t>({3, 1, 5, 1, 1, 0}, {3, 2});

template <class Model>
Var loss_of(Model& model, const Tensor& source = words) {
  return cross_entropy(model(source, lengths, mask, target_in), target_out, {.ignore_index = 0, .label_smoothing = 0.1});
}

}  // namespace

TEST_CASE("every parameter of a translator passes the gradient check") {
  for (const std::uint64_t seed : {1u, 2u}) {
    Translator model({.seed = seed});
    model.to(f64);
    gradcheck_parameters([&] { return loss_of(model); }, model.parameters()).require();
    GRUTranslator with_gru({.seed = seed});
    with_gru.to(f64);
    gradcheck_parameters([&] { return loss_of(with_gru); }, with_gru.parameters()).require();
  }
}

TEST_CASE("the gradients of a translator can be differentiated") {
  Translator model;
  model.to(f64);
  gradgradcheck_parameters([&] { return loss_of(model); }, model.parameters(), {.rtol = 1e-4, .directions = 2}).require();
  GRUTranslator with_gru;
  with_gru.to(f64);
  gradgradcheck_parameters([&] { return loss_of(with_gru); }, with_gru.parameters(), {.rtol = 1e-4, .directions = 2}).require();
}

TEST_CASE("f32 follows f64") {
  Translator single, wide;
  wide.to(f64);
  for (Translator* model : {&single, &wide}) {
    model->eval();
    Tape tape;
    tape.backward(loss_of(*model));
  }
  for (std::size_t i = 0; i < wide.parameters().size(); ++i)
    CHECK(test::relative_error(single.parameters()[i]->grad(), wide.parameters()[i]->grad()) < 1e-4);
}

TEST_CASE("the padding's embedding can hold anything") {
  Translator model;
  model.to(f64);
  model.eval();
  const double expected = loss_of(model).item();
  // Another id behind each row's end, whose embedding is NaN.
  const Tensor other = Tensor::from<std::int64_t>({3, 4, 5, 6, 7, 8, 1, 8, 8}, {3, 3});
  nn::Embedding& embed = model.embed;
  const Tensor before = embed.weight->value().clone();
  Tape tape;
  const Var encoded = model.encoder(tape.leaf(embed(other)), lengths).output;
  CHECK(test::relative_error(encoded.value(), model.encoder(embed(words), lengths).output.value()) == 0);
  CHECK(loss_of(model, other).item() == expected);
}
