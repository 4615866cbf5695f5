#include "weft/nn/attention/general.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/attention/checks.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using test::product;
using test::Vector;

TEST_CASE("general attention") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    const auto normalise = test::plain_normaliser(normaliser);
    nn::attention::General attention({.query_dim = 3, .key_dim = 3, .normaliser = normaliser});
    attention.to(f64);
    const test::Matrix w = test::matrix_of(attention.query.weight->value());
    test::check_attention(attention, test::weights_of(normalise, [&](const Vector& query, const Vector& key) {
                            return product(key, product(w, query));
                          }));
    test::check_refusals(attention, "attention::General");
    CHECK_THROWS_WITH_AS(nn::attention::General({.query_dim = 3}), "[attention::General] key_dim is 0; it must be positive",
                         ValueError);
  }
}

TEST_CASE("queries and keys of general attention may differ in size") {
  nn::attention::General attention({.query_dim = 2, .key_dim = 5});
  const Tensor keys = Tensor::ones({1, 4, 5});
  CHECK(attention(Tensor::ones({1, 3, 2}), keys, keys).weights.shape() == Shape{1, 3, 4});
}
