#include "weft/nn/attention/dot.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/attention/checks.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using test::product;
using test::Vector;

TEST_CASE("dot attention, plain and scaled") {
  for (const bool scaled : {false, true}) {
    nn::attention::Dot attention({.scaled = scaled});
    test::check_attention(attention, test::weights_of([scaled](const Vector& query, const Vector& key) {
                            return product(query, key) / (scaled ? std::sqrt(3.0) : 1);
                          }));
    test::check_refusals(attention, "attention::Dot");
  }
}

TEST_CASE("vectors of size 0 have equal weights; their scale doesn't exist") {
  nn::attention::Dot plain, scaled({.scaled = true});
  const Tensor nothing = Tensor::zeros({1, 2, 0}, f64);
  CHECK(plain(nothing, nothing, nothing).weights.value().at({0, 0, 0}) == 0.5);
  CHECK_THROWS_WITH_AS(scaled(nothing, nothing, nothing), doctest::Contains("size 0"), ShapeError);
}
