#include "weft/nn/attention/hierarchical.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "nn/attention/checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using nn::attention::Hierarchical;
using nn::attention::HierarchicalOutput;
using nn::attention::Pooling;
using test::Matrix;
using test::product;
using test::Vector;

namespace {

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// A level as loops, from its state dict: GRU in both directions, scores, mean.
class PlainLevel {
 public:
  explicit PlainLevel(const nn::ModuleBase& model, const std::string& prefix) {
    for (const auto& [name, tensor] : model.state_dict()) {
      if (!name.starts_with(prefix)) continue;
      weights_[name.substr(prefix.size())] = test::matrix_of(tensor.rank() == 2 ? tensor : tensor.unsqueeze(0));
    }
  }

  std::pair<Vector, Vector> operator()(const Matrix& x) const {
    const Matrix forward = gru(x, ""), backward = gru(Matrix(x.rbegin(), x.rend()), "_reverse");
    Matrix both;
    Vector scores;
    for (std::size_t t = 0; t < x.size(); ++t) {
      both.push_back(forward[t]);
      const Vector& back = backward[x.size() - 1 - t];
      both.back().insert(both.back().end(), back.begin(), back.end());
      Vector hidden = product(weights_.at("pooling.key.weight"), both.back());
      for (std::size_t i = 0; i < hidden.size(); ++i) hidden[i] = std::tanh(hidden[i] + weights_.at("pooling.key.bias")[0][i]);
      scores.push_back(product(weights_.at("pooling.context")[0], hidden));
    }
    const Vector weights = test::plain_softmax(scores, std::vector<bool>(x.size(), true));
    Vector mean(both[0].size());
    for (std::size_t t = 0; t < x.size(); ++t)
      for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += weights[t] * both[t][i];
    return {mean, weights};
  }

 private:
  Matrix gru(const Matrix& x, const std::string& direction) const {
    const auto& bi = weights_.at("encoder.bias_ih_l0" + direction)[0];
    const auto& bh = weights_.at("encoder.bias_hh_l0" + direction)[0];
    const std::size_t size = bi.size() / 3;
    Matrix result;
    Vector h(size);
    for (const Vector& step : x) {
      const Vector a = product(weights_.at("encoder.weight_ih_l0" + direction), step);
      const Vector b = product(weights_.at("encoder.weight_hh_l0" + direction), h);
      for (std::size_t i = 0; i < size; ++i) {
        const double r = sigmoid_of(a[i] + bi[i] + b[i] + bh[i]),
                     z = sigmoid_of(a[size + i] + bi[size + i] + b[size + i] + bh[size + i]);
        const double n = std::tanh(a[2 * size + i] + bi[2 * size + i] + r * (b[2 * size + i] + bh[2 * size + i]));
        h[i] = (1 - z) * n + z * h[i];
      }
      result.push_back(h);
    }
    return result;
  }

  std::map<std::string, Matrix> weights_;
};

const Tensor sentences = Tensor::from<std::int64_t>({3, 1}, {2});
// What stands behind a document's sentences is no length that could be.
const Tensor words = Tensor::from<std::int64_t>({2, 4, 1, 3, 99, -5}, {2, 3});

struct Document {
  Hierarchical model{{.input_size = 3, .hidden = 2, .context = 3}};
  Tensor x = test::uniform({2, 3, 4, 3}, -1, 1, 1);
  std::vector<Tensor> lengths{sentences, words};
  Document() { model.to(f64); }
};

}  // namespace

TEST_CASE("a learned context vector pools a sequence") {
  Pooling pooling({.size = 3, .hidden = 4});
  pooling.to(f64);
  const Tensor mask = Tensor::from<bool>({true, true, true, true, false, false, false, false, false}, {3, 3});
  Tensor x = test::uniform({3, 3, 3}, -1, 1, 1);
  const auto f = [&](const std::vector<Var>& in) {
    const auto out = pooling(in[0], mask);
    return sum(square(out.context)) + sum(square(out.weights));
  };
  gradcheck(f, {x}).require();
  gradgradcheck(f, {x}).require();
  gradgradcheck_parameters([&] { return f({x}); }, pooling.parameters()).require();
  x.select(0, 2).fill(std::numeric_limits<double>::quiet_NaN());
  const auto out = pooling(x, mask);
  CHECK(test::largest(out.context.value().select(0, 2)) == 0);
  CHECK(out.weights.value().at({1, 0}) == 1);
  CHECK(test::largest_difference(out.context.value().select(0, 0), pooling(x.slice(0, 0, 1)).context.value().select(0, 0)) <=
        1e-12);
  CHECK_THROWS_WITH_AS(pooling(x.select(0, 0)), "[attention::Pooling] input f64[3, 3] is not [batch, places, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(pooling(x, Tensor::ones({3, 2}, boolean)),
                       "[attention::Pooling] mask bool[3, 2] doesn't fit input f64[3, 3, 3]: [batch, places] is needed",
                       ShapeError);
  CHECK_THROWS_AS(pooling(x, Tensor::ones({3, 3})), DTypeError);
  CHECK_THROWS_AS(pooling(Var()), ValueError);
  CHECK_THROWS_AS(Pooling({.size = 3}), ValueError);
}

TEST_CASE("words, then sentences, are what plain loops make of them") {
  Document d;
  const HierarchicalOutput out = d.model(d.x, d.lengths);
  const PlainLevel outer(d.model, "levels.0."), inner(d.model, "levels.1.");
  for (std::int64_t b = 0; b < 2; ++b) {
    Matrix parts;
    for (std::int64_t s = 0; s < static_cast<std::int64_t>(sentences.at({b})); ++s) {
      const auto count = static_cast<std::int64_t>(words.at({b, s}));
      const auto sentence = inner(test::matrix_of(d.x.select(0, b).select(0, s).slice(0, 0, count)));
      parts.push_back(sentence.first);
      for (std::int64_t w = 0; w < 4; ++w) {
        const double expected = w < count ? sentence.second[static_cast<std::size_t>(w)] : 0;
        CHECK(std::abs(out.weights[1].value().at({b, s, w}) - expected) < 1e-10);
      }
    }
    const auto document = outer(parts);
    for (std::size_t i = 0; i < document.first.size(); ++i)
      CHECK(std::abs(out.output.value().at({b, static_cast<std::int64_t>(i)}) - document.first[i]) < 1e-10);
    for (std::size_t s = 0; s < document.second.size(); ++s)
      CHECK(std::abs(out.weights[0].value().at({b, static_cast<std::int64_t>(s)}) - document.second[s]) < 1e-10);
  }
  CHECK(test::largest(out.weights[1].value().select(0, 1).slice(0, 1, 3)) == 0);
}

TEST_CASE("a document gives what it gives alone, whatever stands in the padding") {
  Document d;
  const HierarchicalOutput together = d.model(d.x, d.lengths);
  Tensor x = d.x.clone();
  x.select(0, 1).slice(0, 1, 3).fill(std::numeric_limits<double>::quiet_NaN());
  x.select(0, 0).select(0, 0).slice(0, 2, 4).fill(std::numeric_limits<double>::quiet_NaN());
  CHECK(test::largest_difference(d.model(x, d.lengths).output.value(), together.output.value()) == 0);
  const Tensor alone = d.x.slice(0, 1, 2).slice(1, 0, 1).slice(2, 0, 3);
  CHECK(test::largest_difference(d.model(alone).output.value(), together.output.value().slice(0, 1, 2)) <= 1e-12);
}

TEST_CASE("gradients of hierarchical attention") {
  Document d;
  const auto f = [&](const std::vector<Var>& in) {
    const HierarchicalOutput out = d.model(in[0], d.lengths);
    return sum(square(out.output)) + sum(square(out.weights[0])) + sum(square(out.weights[1]));
  };
  gradcheck(f, {d.x}).require();
  gradgradcheck(f, {d.x}, {.rtol = 1e-4, .elements = 10}).require();
  gradcheck_parameters([&] { return f({d.x}); }, d.model.parameters(), {.elements = 10}).require();
  gradgradcheck_parameters([&] { return f({d.x}); }, d.model.parameters(), {.rtol = 1e-4, .elements = 2}).require();
}

TEST_CASE("dropout is on the weights of every level, in training alone") {
  const Tensor x = test::uniform({2, 3, 4, 3}, -1, 1, 1, f32);
  const auto make = [](double p) { return Hierarchical({.input_size = 3, .hidden = 2, .dropout = p}); };
  Hierarchical plain = make(0), dropping = make(0.5);  // of the same seed
  const HierarchicalOutput expected = plain(x);
  CHECK(test::largest_difference(dropping(x).output.value(), expected.output.value()) == 0);  // nothing records
  Generator generator(1);
  const Tape tape(generator);
  const HierarchicalOutput out = dropping(x);
  // The words' weights are those that nothing has dropped; the sentences are other ones by then.
  CHECK(test::largest_difference(out.weights[1].value(), expected.weights[1].value()) == 0);
  CHECK(test::largest_difference(out.weights[0].value(), expected.weights[0].value()) > 0);
  CHECK(test::largest_difference(out.output.value(), expected.output.value()) > 0);
  dropping.eval();
  CHECK(test::largest_difference(dropping(x).output.value(), expected.output.value()) == 0);
}

TEST_CASE("LSTMs read the levels where they are asked to") {
  Hierarchical model({.input_size = 3, .hidden = 2, .encoder = nn::attention::SequenceEncoder::lstm});
  model.to(f64);
  CHECK(model.named_parameters().front().parameter->value().shape() == Shape{4 * 2, 4});
  const Document d;
  const auto f = [&](const std::vector<Var>& in) { return sum(square(model(in[0], d.lengths).output)); };
  gradcheck(f, {d.x}).require();
}

TEST_CASE("one level and three") {
  Hierarchical one({.input_size = 3, .hidden = 2, .levels = 1});
  CHECK(one(Tensor::ones({2, 5, 3})).output.shape() == Shape{2, 4});
  Hierarchical three({.input_size = 3, .hidden = 2, .levels = 3});
  const HierarchicalOutput out = three(Tensor::ones({2, 2, 3, 4, 3}));
  CHECK(out.output.shape() == Shape{2, 4});
  CHECK(out.weights[0].shape() == Shape{2, 2});
  CHECK(out.weights[2].shape() == Shape{2, 2, 3, 4});
  Hierarchical six({.input_size = 3, .hidden = 2, .levels = 6});
  CHECK(six(Tensor::ones({2, 1, 2, 1, 2, 1, 2, 3})).output.shape() == Shape{2, 4});
}

TEST_CASE("documents that can't be are refused") {
  Document d;
  const auto refused = [&](const Tensor& x, const std::vector<Tensor>& lengths, const char* part) {
    CHECK_THROWS_WITH(d.model(x, lengths), doctest::Contains(part));
  };
  CHECK_THROWS_WITH_AS(d.model(d.x.select(0, 0)),
                       "[attention::Hierarchical] input f64[3, 4, 3] is not [batch, 2 axes of parts, 3]", ShapeError);
  CHECK_THROWS_AS(d.model(Var()), ValueError);
  refused(d.x, {sentences}, "1 tensors of lengths for 2 levels");
  refused(d.x, {Tensor::zeros({2}, i64), words}, "length 0 of level 0, whole 0 is outside 1 to 3 (input f64[2, 3, 4, 3])");
  refused(d.x, {Tensor::full({2}, 4, i64), words}, "length 4 of level 0");
  refused(d.x, {sentences, Tensor::zeros({2, 3}, i64)}, "length 0 of level 1, whole 0 is outside 1 to 4");
  refused(d.x, {sentences, Tensor::full({2, 3}, 5, i64)}, "length 5 of level 1");
  refused(d.x, {sentences, Tensor::ones({2, 4}, i64)},
          "lengths i64[2, 4] of level 1 don't fit input f64[2, 3, 4, 3]: [2, 3] is needed");
  refused(d.x, {sentences, Tensor::ones({2, 3})}, "must be integers");
  refused(d.x, {sentences, Tensor()}, "undefined");
  CHECK_THROWS_WITH_AS(Hierarchical({.input_size = 3, .hidden = 2, .levels = 0}), doctest::Contains("levels is 0"), ValueError);
  CHECK_THROWS_WITH_AS(Hierarchical({.input_size = 3, .hidden = 2, .levels = 7}),
                       "[attention::Hierarchical] levels is 7; 1 to 6 are possible, an axis of the input each", ValueError);
  CHECK_THROWS_AS(Hierarchical({.input_size = 3}), ValueError);
}
