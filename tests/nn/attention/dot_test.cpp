#include "weft/nn/attention/dot.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/attention/checks.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using test::product;
using test::Vector;

TEST_CASE("dot attention, plain and scaled") {
  for (const nn::Normaliser normaliser : test::normalisers)
    for (const bool scaled : {false, true}) {
      CAPTURE(nn::name_of(normaliser));
      nn::attention::Dot attention({.scaled = scaled, .normaliser = normaliser});
      const auto score = [scaled](const Vector& query, const Vector& key) {
        return product(query, key) / (scaled ? std::sqrt(3.0) : 1);
      };
      test::check_attention(attention, test::weights_of(test::plain_normaliser(normaliser), score));
      test::check_refusals(attention, "attention::Dot");
    }
}

TEST_CASE("vectors of size 0 have equal weights; their scale doesn't exist") {
  nn::attention::Dot plain, scaled({.scaled = true});
  const Tensor nothing = Tensor::zeros({1, 2, 0}, f64);
  CHECK(plain(nothing, nothing, nothing).weights.value().at({0, 0, 0}) == 0.5);
  CHECK_THROWS_WITH_AS(scaled(nothing, nothing, nothing), doctest::Contains("size 0"), ShapeError);
}

TEST_CASE("a state that another kind has left is refused") {
  nn::attention::Dot attention;
  const Tensor x = Tensor::ones({2, 1, 3});
  const nn::AttentionMemory memory = attention.remember(x, x);
  CHECK_THROWS_WITH_AS(attention(x, memory, nn::AttentionState{Tensor::zeros({2, 1}), {}}),
                       "[attention::Dot] the state for query f32[2, 1, 3] has a history f32[2, 1], which another kind of "
                       "attention has left",
                       ValueError);
  CHECK_THROWS_WITH_AS(attention(x, memory, nn::AttentionState{{}, Tensor::zeros({2}, i64)}),
                       "[attention::Dot] the state for query f32[2, 1, 3] has a position i64[2], which another kind of "
                       "attention has left",
                       ValueError);
}
