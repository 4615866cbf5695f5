#include "weft/explain/head_entropy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;

TEST_CASE("a query's entropy is 0 for one key, the logarithm of their number for all alike") {
  const Tensor entropy =
      explain::attention_entropy(Tensor::from<double>({0, 1, 0, 0, 0.25, 0.25, 0.25, 0.25, 0.5, 0, 0.5, 0,  //
                                                       0, 0, 0, 0},
                                                      {4, 4}))
          .value();
  CHECK(entropy.shape() == Shape{4});
  CHECK(entropy.at({0}) == 0);
  CHECK(entropy.at({1}) == doctest::Approx(std::log(4)).epsilon(1e-15));
  CHECK(entropy.at({2}) == doctest::Approx(std::log(2)).epsilon(1e-15));
  CHECK(entropy.at({3}) == 0);  // a query that sees nothing
  CHECK(explain::attention_entropy(Tensor::zeros({3, 0})).value().at({2}) == 0);
}

TEST_CASE("a head's entropy is the mean of its queries', without those behind the lengths") {
  Generator generator(3);
  Tensor weights = softmax(Tensor::randn({2, 3, 4, 5}, generator, f64), -1).value().contiguous();
  const Tensor each = explain::attention_entropy(weights).value();
  const Tensor lengths = Tensor::from<std::int64_t>({4, 1}, {2});
  // What stands in padding, NaN included, doesn't count.
  weights.slice(0, 1, 2).slice(2, 1, 4).fill(std::numeric_limits<double>::quiet_NaN());
  const Tensor found = explain::head_entropy(weights, lengths).value();
  CHECK(found.shape() == Shape{3});
  for (std::int64_t head = 0; head < 3; ++head) {
    double sum = each.at({1, head, 0});
    for (std::int64_t query = 0; query < 4; ++query) sum += each.at({0, head, query});
    CHECK(found.at({head}) == doctest::Approx(sum / 5).epsilon(1e-14));
  }
}

TEST_CASE("entropy has the right gradient") {
  Generator generator(4);
  const auto f = [](const std::vector<Var>& in) { return explain::head_entropy(softmax(in[0], -1)); };
  const Tensor scores = Tensor::randn({2, 2, 3, 4}, generator, f64);
  gradcheck(f, {scores}).require();
  gradgradcheck(f, {scores}).require();
}

TEST_CASE("weights and lengths that don't fit are refused") {
  CHECK_THROWS_AS(explain::attention_entropy(Var::scalar(1)), ShapeError);
  CHECK_THROWS_WITH_AS(explain::head_entropy(Tensor::zeros({2, 3, 4})),
                       "[head_entropy] weights f32[2, 3, 4] are not [batch, heads, queries, keys]", ShapeError);
  const Tensor weights = Tensor::ones({2, 1, 3, 1});
  CHECK_THROWS_AS(explain::head_entropy(weights, Tensor::from<std::int64_t>({1}, {1})), ShapeError);
  CHECK_THROWS_WITH_AS(explain::head_entropy(weights, Tensor::from<std::int64_t>({1, 4}, {2})),
                       "[head_entropy] length 4 of row 1 is not from 0 to the 3 queries", ValueError);
  CHECK_THROWS_AS(explain::head_entropy(weights, Tensor::from<std::int64_t>({0, 0}, {2})), ValueError);
}
