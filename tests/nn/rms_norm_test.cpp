#include "weft/nn/rms_norm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using doctest::Contains;
using test::uniform;

TEST_CASE("RMSNorm equals its formula") {
  nn::RMSNorm norm({.normalized_shape = 6, .eps = 1e-3});
  norm.to(f64);
  CHECK(norm.state_dict().size() == 1);
  CHECK(test::largest_difference(norm.weight->value(), Tensor::ones({6}, f64)) == 0);
  norm.weight->mutable_value().copy_from(uniform({6}, -2, 2, 1));
  const Tensor x = uniform({2, 3, 6}, -1, 1, 2), y = norm(x).value();
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 3; ++j) {
      double square = 0;
      for (std::int64_t k = 0; k < 6; ++k) square += x.at({i, j, k}) * x.at({i, j, k}) / 6;
      for (std::int64_t k = 0; k < 6; ++k)
        CHECK(y.at({i, j, k}) ==
              doctest::Approx(x.at({i, j, k}) / std::sqrt(square + 1e-3) * norm.weight->value().at({k})).epsilon(1e-12));
    }
  // Without an eps it is the dtype's: a row of it comes out as 1 / sqrt(2) each.
  const double smallest = std::numeric_limits<double>::epsilon();
  nn::RMSNorm bare({.normalized_shape = 4, .elementwise_affine = false});
  CHECK(bare.parameters().empty());
  CHECK(bare(Tensor::full({4}, std::sqrt(smallest), f64)).value().at({2}) == doctest::Approx(std::sqrt(0.5)).epsilon(1e-12));
}

TEST_CASE("RMSNorm passes the gradient checks of both orders") {
  nn::RMSNorm norm({.normalized_shape = 5});
  norm.to(f64);
  norm.weight->mutable_value().copy_from(uniform({5}, -2, 2, 1));
  const Tensor x = uniform({3, 5}, -1, 1, 2);
  const auto loss = [&] { return sum(square(norm(x))); };
  gradcheck_parameters(loss, norm.parameters()).require();
  gradgradcheck_parameters(loss, norm.parameters()).require();
  const auto of_input = [&](const std::vector<Var>& in) { return norm(in[0]); };
  gradcheck(of_input, {x}).require();
  gradgradcheck(of_input, {x}).require();
}

TEST_CASE("what doesn't fit an RMSNorm is refused") {
  nn::RMSNorm norm({.normalized_shape = 5});
  CHECK_THROWS_WITH_AS(norm(Tensor::zeros({2, 4})), Contains("[RMSNorm] input f32[2, 4] doesn't end in the normalized size 5"),
                       ShapeError);
  CHECK_THROWS_AS(norm(Tensor::zeros({})), ShapeError);
  CHECK_THROWS_AS(norm(Var()), ValueError);
  CHECK_THROWS_AS(norm(Tensor::zeros({2, 5}, f64)), DTypeError);
  CHECK(norm(Tensor::zeros({0, 5})).shape() == Shape{0, 5});
  CHECK_THROWS_WITH_AS(nn::RMSNorm({}), Contains("normalized_shape is 0"), ValueError);
  CHECK_THROWS_WITH_AS(nn::RMSNorm({.normalized_shape = 5, .eps = -1}), Contains("eps is -1"), ValueError);
}
