#include "weft/nn/attention/additive.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/attention/checks.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using test::product;
using test::Vector;

TEST_CASE("additive attention") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    const auto normalise = test::plain_normaliser(normaliser);
    nn::attention::Additive attention({.query_dim = 3, .key_dim = 3, .hidden = 4, .normaliser = normaliser});
    attention.to(f64);
    const test::Matrix w = test::matrix_of(attention.query.weight->value()), u = test::matrix_of(attention.key.weight->value());
    const Vector v = test::matrix_of(attention.score.weight->value())[0];
    test::check_attention(attention, test::weights_of(normalise, [&](const Vector& query, const Vector& key) {
                            Vector sum = product(w, query);
                            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = std::tanh(sum[i] + product(u[i], key));
                            return product(v, sum);
                          }));
    test::check_refusals(attention, "attention::Additive");
  }
  CHECK_THROWS_WITH_AS(nn::attention::Additive({.query_dim = 3, .key_dim = 3}),
                       "[attention::Additive] hidden is 0; it must be positive", ValueError);
}
