#include "weft/nn/attention.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "golden/golden.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using nn::AttentionMemory;
using nn::AttentionOutput;
using nn::attention::Attention;
using test::relative_error;

namespace {

constexpr std::int64_t batch = 3, queries = 2, places = 4, query_dim = 5, key_dim = 5, value_dim = 6;

Tensor random(const Shape& shape, std::uint64_t seed) {
  Parameter parameter("x", Tensor::empty(shape, f64));
  nn::initialise(parameter, nn::init::normal(), seed);
  return parameter.value();
}

std::vector<std::unique_ptr<Attention>> kinds() {
  std::vector<std::unique_ptr<Attention>> all;
  all.push_back(std::make_unique<nn::attention::Dot>());
  all.push_back(std::make_unique<nn::attention::Dot>(nn::attention::DotOptions{.scaled = true}));
  all.push_back(
      std::make_unique<nn::attention::General>(nn::attention::GeneralOptions{.query_dim = query_dim, .key_dim = key_dim}));
  all.push_back(std::make_unique<nn::attention::Additive>(
      nn::attention::AdditiveOptions{.query_dim = query_dim, .key_dim = key_dim, .hidden = 7}));
  for (auto& attention : all) attention->to(f64);
  return all;
}

// Row 1 may attend to two places, row 2 to none.
Tensor mask() {
  return Tensor::from<bool>({true, true, true, true, true, false, true, false, false, false, false, false}, {batch, places});
}

double element(const Tensor& x, std::initializer_list<std::int64_t> index) { return x.at(index); }

}  // namespace

TEST_CASE("scores are those of the papers") {
  const Tensor query = random({batch, queries, query_dim}, 1), keys = random({batch, places, key_dim}, 2),
               values = random({batch, places, value_dim}, 3);
  const auto all = kinds();
  const auto& general = dynamic_cast<const nn::attention::General&>(*all[2]);
  const auto& additive = dynamic_cast<const nn::attention::Additive&>(*all[3]);
  const Tensor w = general.query.weight->value(), wq = additive.query.weight->value(), wk = additive.key.weight->value(),
               v = additive.score.weight->value();
  const auto times = [](const Tensor& matrix, const Tensor& x, std::int64_t b, std::int64_t i, std::int64_t row) {
    double total = 0;
    for (std::int64_t j = 0; j < matrix.size(1); ++j) total += element(matrix, {row, j}) * element(x, {b, i, j});
    return total;
  };
  for (std::size_t kind = 0; kind < all.size(); ++kind) {
    const AttentionOutput out = (*all[kind])(query, keys, values);
    for (std::int64_t b = 0; b < batch; ++b) {
      for (std::int64_t q = 0; q < queries; ++q) {
        double exps[places], total = 0;
        for (std::int64_t k = 0; k < places; ++k) {
          double score = 0;
          if (kind == 3) {
            for (std::int64_t j = 0; j < 7; ++j)
              score += element(v, {0, j}) * std::tanh(times(wq, query, b, q, j) + times(wk, keys, b, k, j));
          } else {
            for (std::int64_t j = 0; j < key_dim; ++j)
              score += element(keys, {b, k, j}) * (kind == 2 ? times(w, query, b, q, j) : element(query, {b, q, j}));
            if (kind == 1) score /= std::sqrt(5.0);
          }
          total += exps[k] = std::exp(score);
        }
        double context = 0;
        for (std::int64_t k = 0; k < places; ++k) {
          CHECK(element(out.weights.value(), {b, q, k}) == doctest::Approx(exps[k] / total).epsilon(1e-10));
          context += exps[k] / total * element(values, {b, k, 4});
        }
        CHECK(element(out.context.value(), {b, q, 4}) == doctest::Approx(context).epsilon(1e-10));
      }
    }
  }
}

TEST_CASE("masked places get no weight, NaN in them reaches nothing, a row without places gives zeros") {
  for (const auto& attention : kinds()) {
    const Tensor query = random({batch, queries, query_dim}, 1);
    Tensor keys = random({batch, places, key_dim}, 2), values = random({batch, places, value_dim}, 3);
    const Tensor clean_keys = keys.clone(), clean_values = values.clone();
    const Tensor allowed = mask();
    for (std::int64_t b = 0; b < batch; ++b) {
      for (std::int64_t k = 0; k < places; ++k) {
        if (allowed.at({b, k}) != 0) continue;
        keys.select(0, b).select(0, k).fill(std::numeric_limits<double>::quiet_NaN());
        values.select(0, b).select(0, k).fill(std::numeric_limits<double>::quiet_NaN());
      }
    }
    attention->zero_grad();
    Tape tape;
    const Var q = tape.leaf(query), k = tape.leaf(keys), v = tape.leaf(values);
    const AttentionOutput out = (*attention)(q, k, v, allowed);
    tape.backward(sum(square(out.context)));
    const Tensor dq = tape.grad(q), dk = tape.grad(k), dv = tape.grad(v);
    CHECK(relative_error(out.weights.value().select(0, 2), Tensor::zeros({queries, places}, f64)) == 0);
    CHECK(relative_error(out.context.value().select(0, 2), Tensor::zeros({queries, value_dim}, f64)) == 0);
    CHECK(out.weights.value().at({1, 0, 1}) == 0);
    CHECK(out.weights.value().at({1, 0, 0}) + out.weights.value().at({1, 0, 2}) == doctest::Approx(1));
    CHECK(relative_error(dk.select(0, 2), Tensor::zeros({places, key_dim}, f64)) == 0);
    CHECK(relative_error(dv.select(0, 1).select(0, 3), Tensor::zeros({value_dim}, f64)) == 0);
    CHECK(!std::isnan(sum(square(dq)).item()));
    for (const Parameter* parameter : attention->parameters()) CHECK(!std::isnan(sum(Var(parameter->grad())).item()));
    // Whatever stands in the masked places, the result has the same bits.
    CHECK(relative_error((*attention)(query, clean_keys, clean_values, allowed).context.value(), out.context.value()) == 0);
  }
}

TEST_CASE("a memory serves many queries, and its rows can be chosen") {
  for (const auto& attention : kinds()) {
    const Tensor query = random({batch, queries, query_dim}, 1), keys = random({batch, places, key_dim}, 2);
    const AttentionMemory memory = attention->remember(keys, keys, mask());
    const AttentionOutput whole = (*attention)(query, keys, keys, mask());
    for (std::int64_t q = 0; q < queries; ++q) {
      const AttentionOutput one = (*attention)(query.slice(1, q, q + 1), memory);
      CHECK(relative_error(one.context.value(), whole.context.value().slice(1, q, q + 1)) < 1e-14);
    }
    const AttentionMemory rows = memory.select(Tensor::from<std::int64_t>({1, 1}, {2}));
    const AttentionOutput chosen = (*attention)(query.slice(0, 1, 2).expand({2, queries, query_dim}), rows);
    CHECK(relative_error(chosen.weights.value().select(0, 1), whole.weights.value().select(0, 1)) < 1e-14);
  }
}

TEST_CASE("attention passes the gradient check") {
  const std::vector<Tensor> inputs{random({batch, queries, query_dim}, 1), random({batch, places, key_dim}, 2),
                                   random({batch, places, value_dim}, 3)};
  for (const auto& attention : kinds()) {
    for (const Tensor& allowed : {Tensor(), mask()}) {
      const auto run = [&](const Var& q, const Var& k, const Var& v) {
        const AttentionOutput out = (*attention)(q, k, v, allowed);
        return sum(square(out.context)) + sum(square(out.weights));
      };
      gradcheck([&](const std::vector<Var>& in) { return run(in[0], in[1], in[2]); }, inputs).require();
      if (!attention->parameters().empty())
        gradcheck_parameters([&] { return run(inputs[0], inputs[1], inputs[2]); }, attention->parameters()).require();
    }
    // Keys that are the values, as an encoder's outputs are.
    gradcheck([&](const std::vector<Var>& in) { return sum(square((*attention)(in[0], in[1], in[1], mask()).context)); },
              {inputs[0], inputs[1]})
        .require();
  }
}

TEST_CASE("what doesn't fit attention is refused with shapes") {
  nn::attention::General general({.query_dim = query_dim, .key_dim = key_dim});
  nn::attention::Dot dot;
  const auto zeros = [](std::initializer_list<std::int64_t> sizes) { return Tensor::zeros(sizes); };
  const Tensor query = zeros({3, 2, 5}), keys = zeros({3, 4, 5});
  CHECK_THROWS_WITH_AS(general(zeros({3, 2, 4}), keys, keys), doctest::Contains("[3, 2, 4]"), ShapeError);
  CHECK_THROWS_AS(general(zeros({2, 2, 5}), keys, keys), ShapeError);
  CHECK_THROWS_AS(general(zeros({2, 5}), keys, keys), ShapeError);
  CHECK_THROWS_AS(general(query, zeros({3, 4, 6}), keys), ShapeError);
  CHECK_THROWS_AS(general(query, keys, zeros({3, 5, 5})), ShapeError);
  CHECK_THROWS_AS(general(query, keys, keys, Tensor::zeros({3, 5}, boolean)), ShapeError);
  CHECK_THROWS_AS(general(query, keys, keys, Tensor::zeros({3, 4}, f32)), DTypeError);
  CHECK_THROWS_AS(dot(query, zeros({3, 4, 6}), keys), ShapeError);
  CHECK_THROWS_AS(nn::attention::General({.query_dim = 3}), ValueError);
  CHECK(dot(zeros({0, 2, 5}), zeros({0, 4, 5}), zeros({0, 4, 5})).context.shape() == Shape{0, 2, 5});
  CHECK(dot(zeros({2, 1, 5}), zeros({2, 0, 5}), zeros({2, 0, 3})).context.shape() == Shape{2, 1, 3});
  const Tensor nothing = Tensor::zeros({1, 2, 0}, f64);
  CHECK_THROWS_WITH_AS((*kinds()[1])(nothing, nothing, nothing), doctest::Contains("size 0"), ShapeError);
  CHECK((*kinds()[0])(nothing, nothing, nothing).weights.value().at({0, 0, 0}) == 0.5);
}
