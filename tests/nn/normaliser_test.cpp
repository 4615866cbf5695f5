#include "weft/nn/normaliser.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/random.hpp"
#include "weft/base/error.hpp"

using namespace weft;

TEST_CASE("normalisers by their names") {
  for (const char* name : nn::normaliser_names) CHECK(nn::name_of(nn::normaliser_of(name)) == name);
  CHECK(nn::normaliser_of("entmax15") == nn::Normaliser::entmax15);
  CHECK_THROWS_WITH_AS(nn::normaliser_of("max"), "[normaliser_of] 'max' is no normaliser; softmax, sparsemax, entmax15 are",
                       ValueError);
}

TEST_CASE("scores that differ by 1 become weights") {
  const Tensor scores = Tensor::from<double>({0, 1, 2}, {3});
  const Tensor last_two = Tensor::from<bool>({false, true, true}, {3});
  // softmax: exp; sparsemax: score - tau with one place left; entmax15: (score / 2 - tau)^2.
  CHECK(test::largest_difference(nn::normalised(nn::Normaliser::softmax, scores, last_two).value(),
                                 Tensor::from<double>({0, 0.2689414213699951, 0.7310585786300049}, {3})) < 1e-12);
  CHECK(test::largest_difference(nn::normalised(nn::Normaliser::sparsemax, scores, last_two).value(),
                                 Tensor::from<double>({0, 0, 1}, {3})) < 1e-12);
  const double low = (std::sqrt(1.75) - 0.5) / 2, high = (std::sqrt(1.75) + 0.5) / 2;  // low^2 + high^2 = 1, 1/2 apart
  CHECK(test::largest_difference(nn::normalised(nn::Normaliser::entmax15, scores, last_two).value(),
                                 Tensor::from<double>({0, low * low, high * high}, {3})) < 1e-12);
}
