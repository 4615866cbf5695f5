#include "weft/nn/summary.hpp"

#include <doctest/doctest.h>

#include "weft/autograd/tape.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/list.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/matmul.hpp"

using namespace weft;

namespace {

// The program of the architecture page.
struct TaggerOptions {
  std::int64_t vocabulary, tags;
  std::int64_t embedding = 8, hidden = 16;
};

class Tagger : public nn::Module<Tagger> {
 public:
  explicit Tagger(const TaggerOptions& o, nn::Scope scope = {})
      : Module(scope),
        embed({.num_embeddings = o.vocabulary, .embedding_dim = o.embedding, .padding_idx = 0}, {this, "embed"}),
        encoder({.input_size = o.embedding, .hidden_size = o.hidden, .bidirectional = true}, {this, "encoder"}),
        project({.in_features = 2 * o.hidden, .out_features = o.tags}, {this, "project"}) {}

  Var forward(const Tensor& words, const Tensor& lengths) { return project(encoder(embed(words), lengths).output); }

 private:
  nn::Embedding embed;
  nn::LSTM encoder;
  nn::Linear project;
};

// A product of its own, a list, a tied layer, one called twice and one never.
class Odd : public nn::Module<Odd> {
 public:
  Odd()
      : layers({this, "layers"}),
        tied({.in_features = 4, .out_features = 4, .bias = false}, first(), {this, "tied"}),
        unused({}, {this, "unused"}) {}
  Var forward(const Var& x) { return tied(layers[0](layers[0](matmul(x, x)))); }

  nn::List<nn::Linear> layers;
  nn::Linear tied;
  nn::Dropout unused;

 private:
  const nn::Weight& first() { return layers.emplace(nn::LinearOptions{.in_features = 4, .out_features = 4}).weight; }
};

}  // namespace

TEST_CASE("the architecture page's model compiles, learns a step, and is summarised") {
  Generator generator(1);
  Tagger model({.vocabulary = 50, .tags = 5});
  const Tensor words = Tensor::from<std::int64_t>({3, 4, 5, 6, 7, 0}, {2, 3}),
               lengths = Tensor::from<std::int64_t>({3, 2}, {2}), tags = Tensor::from<std::int64_t>({1, 2, 3, 4, 1, 0}, {2, 3});
  {
    Tape tape(generator);
    const Var loss = cross_entropy(model(words, lengths), tags, {.ignore_index = 0});
    tape.backward(loss);
    CHECK(loss.item() > 0);
  }
  for (const Parameter* parameter : model.parameters()) CHECK(parameter->grad().defined());

  const nn::Summary summary = nn::summary(model, words, lengths);
  REQUIRE(summary.rows.size() == 4);
  CHECK(summary.rows[0].type == "Tagger");
  CHECK(summary.rows[2].path == "encoder");
  CHECK(summary.rows[2].output == Shape{2, 3, 32});
  CHECK(summary.rows[2].parameters == 2 * (4 * 16 * (8 + 16) + 2 * 4 * 16));
  CHECK(summary.rows[2].multiply_adds == 2 * 5 * 4 * 16 * (8 + 16));  // 5 of the 6 steps are words
  CHECK(summary.rows[3].output == Shape{2, 3, 5});
  CHECK(summary.rows[3].multiply_adds == 6 * 32 * 5);
  CHECK(summary.rows[0].multiply_adds == 0);
  CHECK(summary.parameters == model.num_parameters());
  CHECK(summary.parameter_bytes == 4 * summary.parameters);
  CHECK(summary.multiply_adds == summary.rows[2].multiply_adds + summary.rows[3].multiply_adds);
  CHECK(summary.str().find("encoder  LSTM       [2, 3, 32]       3,328") != std::string::npos);
}

TEST_CASE("what a summary counts is counted once and where it happens") {
  Odd model;
  model.layers[0].eval();
  const nn::Summary summary = nn::summary(model, [&] { model(Tensor::zeros({4, 4})); });
  REQUIRE(summary.rows.size() == 5);
  CHECK(summary.rows[0].multiply_adds == 64);
  CHECK(!summary.rows[1].output.has_value());
  CHECK(summary.rows[2].calls == 2);
  CHECK(summary.rows[2].multiply_adds == 128);
  CHECK(summary.rows[2].parameters == 20);
  CHECK(summary.rows[3].tied);
  CHECK(summary.rows[3].parameters == 0);
  CHECK(summary.rows[4].calls == 0);
  CHECK(summary.parameters == 20);
  CHECK(summary.multiply_adds == 64 * 4);
  CHECK(summary.str().find("[4, 4] x 2") != std::string::npos);
  CHECK(model.training());
  CHECK(!model.layers[0].training());
  CHECK(model.unused.training());
}
