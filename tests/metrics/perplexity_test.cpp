#include "weft/metrics/perplexity.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::metrics;
using doctest::Approx;

TEST_CASE("a uniform model has as perplexity the number of its choices") {
  Perplexity perplexity;
  perplexity.add(3 * std::log(8.0), 3);
  perplexity.add(5 * std::log(8.0), 5);
  perplexity.add(0, 0);
  CHECK(perplexity.tokens() == 8);
  CHECK(perplexity.value() == Approx(8));
  CHECK(perplexity.bits() == Approx(3));
  CHECK(perplexity.cross_entropy() == Approx(std::log(8.0)));
}

TEST_CASE("tokens weigh the same, whatever their batch") {
  Perplexity perplexity;  // probabilities 1/2, and 1/4 three times: geometric mean 2^(-7/4)
  perplexity.add(std::log(2.0), 1);
  perplexity.add(3 * std::log(4.0), 3);
  CHECK(perplexity.value() == Approx(std::pow(2, 1.75)));
  CHECK(perplexity.negative_log_likelihood() == Approx(7 * std::log(2.0)));
}

TEST_CASE("what was ruled out makes it infinite; what is no likelihood is refused") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Perplexity perplexity;
  CHECK_THROWS_WITH_AS(perplexity.value(), "[Perplexity] there are no tokens", ValueError);
  CHECK_THROWS_WITH_AS(perplexity.add(1, -1), "[Perplexity::add] tokens is -1; it must not be negative", ValueError);
  CHECK_THROWS_WITH_AS(perplexity.add(1, 0), "[Perplexity::add] a negative log likelihood of 1, but no tokens", ValueError);
  CHECK_THROWS_AS(perplexity.add(std::nan(""), 1), NumericError);
  CHECK_THROWS_AS(perplexity.add(-infinity, 1), NumericError);
  CHECK(perplexity.tokens() == 0);
  perplexity.add(infinity, 2);
  CHECK(perplexity.value() == infinity);
}
