#include "weft/nn/attention/cosine.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/attention/checks.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using test::product;
using test::Vector;

TEST_CASE("cosine attention with a given and with a learned temperature") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    const auto normalise = test::plain_normaliser(normaliser);
    for (const bool learned : {false, true}) {
      nn::attention::Cosine attention({.temperature = 0.4, .learned = learned, .normaliser = normaliser});
      CHECK(attention.parameters().size() == (learned ? 1 : 0));
      attention.to(f64);
      // The parameter was f32 when it was made.
      const double scale = learned ? std::exp(attention.log_scale->value().item()) : 1 / 0.4;
      CHECK(scale == doctest::Approx(1 / 0.4).epsilon(1e-6));
      test::check_attention(attention, test::weights_of(normalise, [scale](const Vector& query, const Vector& key) {
                              return scale * product(query, key) / std::sqrt(product(query, query) * product(key, key));
                            }));
      test::check_refusals(attention, "attention::Cosine");
    }
  }
}

TEST_CASE("a query of zeros attends to everything alike") {
  nn::attention::Cosine attention;
  const Tensor keys = Tensor::from<double>({1, 2, 3, 4}, {1, 2, 2});
  CHECK(attention(Tensor::zeros({1, 1, 2}, f64), keys, keys).weights.value().at({0, 0, 1}) == 0.5);
}

TEST_CASE("a temperature of cosine attention that can't be is refused") {
  for (const double temperature : {0.0, -1.0, std::nan(""), HUGE_VAL, 1e-320, 2e-39})
    CHECK_THROWS_WITH_AS(nn::attention::Cosine({.temperature = temperature}), doctest::Contains("temperature is"), ValueError);
  nn::attention::Cosine smallest({.temperature = 3e-39});
  const Tensor x = Tensor::from<float>({1, 0, 0, 1}, {1, 2, 2});
  CHECK(smallest(x, x, x).weights.value().at({0, 0, 0}) == 1);
}
