#include <doctest/doctest.h>

#include <cmath>

#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/layer_norm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;

namespace {

Tensor random(const Shape& shape, DType dtype = f64) {
  Parameter parameter("x", Tensor::empty(shape, dtype));
  nn::initialise(parameter, nn::init::normal(), 11);
  return parameter.value();
}

double largest(const Tensor& x) {
  double most = 0;
  const Tensor values = x.to(f64).contiguous();
  for (std::int64_t i = 0; i < values.numel(); ++i) most = std::max(most, std::abs(values.data<double>()[i]));
  return most;
}

}  // namespace

TEST_CASE("Linear: names, first values, shapes, errors with the module's path") {
  nn::Linear linear({.in_features = 4, .out_features = 3});
  CHECK(linear.parameters().size() == 2);
  CHECK(largest(linear.weight->value()) <= 0.5);
  CHECK(largest(linear.bias->value()) <= 0.5);
  CHECK(largest(linear.bias->value()) > 0);
  CHECK(linear(random({2, 5, 4}, f32)).shape() == Shape{2, 5, 3});
  CHECK(linear(random({0, 4}, f32)).shape() == Shape{0, 3});
  CHECK(linear(random({4}, f32)).shape() == Shape{3});
  CHECK_THROWS_AS(linear(random({2, 5}, f32)), ShapeError);
  CHECK_THROWS_AS(linear(random({2, 4}, f64)), DTypeError);
  CHECK_THROWS_AS(nn::Linear({.in_features = 4}), ValueError);

  nn::Linear plain({.in_features = 4, .out_features = 3, .bias = false});
  CHECK(plain.state_dict().size() == 1);
  CHECK(largest(plain(Tensor::zeros({1, 4})).value()) == 0);

  class Model : public nn::Module<Model> {
   public:
    Model() : inner({.in_features = 2, .out_features = 2}, {this, "inner"}) {}
    nn::Linear inner;
  };
  Model model;
  CHECK_THROWS_WITH_AS(model.inner(random({3}, f32)), doctest::Contains("(in inner)"), ShapeError);
}

TEST_CASE("a tied Linear shares its weight and both uses add to one gradient") {
  class Model : public nn::Module<Model> {
   public:
    Model()
        : embed({.num_embeddings = 5, .embedding_dim = 3}, {this, "embed"}),
          project({.in_features = 3, .out_features = 5}, embed.weight, {this, "project"}) {}
    Var forward(const Tensor& ids) { return project(tanh(embed(ids))); }
    nn::Embedding embed;
    nn::Linear project;
  };
  Model model;
  CHECK(model.state_dict().size() == 3);
  CHECK(model.parameters().size() == 2);
  CHECK(model.num_parameters() == 20);
  CHECK_THROWS_AS(nn::Linear({.in_features = 5, .out_features = 3}, model.embed.weight), ShapeError);
  model.to(f64);
  const Tensor ids = Tensor::from<std::int64_t>({1, 4, 1}, {3});
  gradcheck_parameters([&] { return sum(square(model(ids))); }, model.parameters()).require();
}

TEST_CASE("Embedding: padding, tied output, ids out of range") {
  nn::Embedding embedding({.num_embeddings = 6, .embedding_dim = 4, .padding_idx = 2});
  CHECK(largest(embedding.weight->value().select(0, 2)) == 0);
  CHECK(largest(embedding.weight->value().select(0, 3)) > 0);
  const Tensor ids = Tensor::from<std::int32_t>({2, 5, 0, 5}, {2, 2});
  Tape tape;
  const Var rows = embedding(ids);
  CHECK(rows.shape() == Shape{2, 2, 4});
  CHECK(embedding.project(rows).shape() == Shape{2, 2, 6});
  tape.backward(sum(rows));
  CHECK(embedding.weight->grad().at({2, 1}) == 0);
  CHECK(embedding.weight->grad().at({5, 1}) == 2);
  CHECK_THROWS_AS(embedding(Tensor::from<std::int64_t>({6}, {1})), IndexError);
  CHECK_THROWS_AS(embedding(Tensor::from<std::int64_t>({-1}, {1})), IndexError);
  CHECK_THROWS_AS(nn::Embedding({.num_embeddings = 3, .embedding_dim = 2, .padding_idx = 3}), ValueError);
  CHECK_THROWS_AS(nn::Embedding({.num_embeddings = 3}), ValueError);
  nn::Embedding twin({.num_embeddings = 6, .embedding_dim = 4}, embedding.weight);
  CHECK(twin(ids).value().at({0, 1, 3}) == embedding.weight->value().at({5, 3}));
}

TEST_CASE("Dropout acts in training mode under a tape only") {
  nn::Dropout dropout({.p = 0.5});
  const Tensor x = Tensor::ones({1000});
  CHECK(dropout(x).value().is_same(x));
  Generator generator(3);
  Tape tape(generator);
  const Var y = dropout(tape.leaf(x));
  std::int64_t zeros = 0;
  const Tensor dropped = y.value();
  for (std::int64_t i = 0; i < 1000; ++i) {
    const float value = dropped.data<float>()[i];
    CHECK((value == 0 || value == 2));
    zeros += value == 0;
  }
  CHECK(zeros > 400);
  CHECK(zeros < 600);
  dropout.eval();
  CHECK(dropout(x).value().is_same(x));
  CHECK(generator.position() == 1);
  CHECK_THROWS_AS(nn::Dropout({.p = 1.5}), ValueError);
  CHECK_THROWS_AS(nn::Dropout({.p = std::nan("")}), ValueError);
}

TEST_CASE("LayerNorm normalises rows") {
  nn::LayerNorm norm({.normalized_shape = 8});
  norm.to(f64);
  const Tensor y = norm(random({5, 8})).value();
  for (std::int64_t i = 0; i < 5; ++i) {
    double mean = 0, square = 0;
    for (std::int64_t j = 0; j < 8; ++j) {
      mean += y.at({i, j}) / 8;
      square += y.at({i, j}) * y.at({i, j}) / 8;
    }
    CHECK(std::abs(mean) < 1e-12);
    CHECK(std::abs(square - 1) < 1e-3);
  }
  CHECK(nn::LayerNorm({.normalized_shape = 8, .elementwise_affine = false}).parameters().empty());
  CHECK_THROWS_AS(norm(random({5, 7})), ShapeError);
  CHECK_THROWS_AS(norm(random({})), ShapeError);
  CHECK_THROWS_AS(nn::LayerNorm({}), ValueError);
}
