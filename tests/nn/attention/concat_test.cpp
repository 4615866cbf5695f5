#include "weft/nn/attention/concat.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/attention/checks.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using test::product;
using test::Vector;

TEST_CASE("concat attention") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    const auto normalise = test::plain_normaliser(normaliser);
    nn::attention::Concat attention({.query_dim = 3, .key_dim = 3, .hidden = 4, .normaliser = normaliser});
    attention.to(f64);
    const test::Matrix w = test::matrix_of(attention.projection.weight->value());
    const Vector v = test::matrix_of(attention.score.weight->value())[0];
    test::check_attention(attention, test::weights_of(normalise, [&](const Vector& query, const Vector& key) {
                            Vector both = query;
                            both.insert(both.end(), key.begin(), key.end());
                            Vector hidden = product(w, both);
                            for (double& x : hidden) x = std::tanh(x);
                            return product(v, hidden);
                          }));
    test::check_refusals(attention, "attention::Concat");
  }
  CHECK_THROWS_WITH_AS(nn::attention::Concat({.query_dim = 3, .hidden = 4}),
                       "[attention::Concat] key_dim is 0; it must be positive", ValueError);
  CHECK_THROWS_WITH_AS(nn::attention::Concat({.query_dim = 3, .key_dim = 3}),
                       "[attention::Concat] hidden is 0; it must be positive", ValueError);
}
