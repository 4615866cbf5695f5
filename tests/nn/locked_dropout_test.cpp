#include "weft/nn/locked_dropout.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/dropout_checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"

using namespace weft;
using doctest::Contains;
using test::largest_difference;
using test::uniform;

namespace {

// What becomes of ones, for the batch's rows from `first_row` on.
Tensor dropped(nn::LockedDropout& dropout, const Shape& shape, std::int64_t first_row = 0) {
  Generator generator(3);
  Tape tape(generator, first_row);
  return dropout(tape.leaf(Tensor::ones(shape))).value();
}

}  // namespace

TEST_CASE("LockedDropout drops the same elements at every step of a row") {
  nn::LockedDropout dropout({.p = 0.25});
  const Tensor y = dropped(dropout, {40, 3, 50});
  std::int64_t zeros = 0;
  for (std::int64_t row = 0; row < 40; ++row)
    for (std::int64_t i = 0; i < 50; ++i) {
      const double value = y.at({row, 0, i});
      CHECK((value == 0 || value == doctest::Approx(1 / 0.75)));
      zeros += value == 0;
    }
  CHECK(zeros > 400);
  CHECK(zeros < 600);
  for (const std::int64_t t : {1, 2}) CHECK(largest_difference(y.select(1, t), y.select(1, 0)) == 0);
  CHECK(largest_difference(y.select(0, 0), y.select(0, 1)) > 0);
  // A part of the batch draws what the whole does.
  CHECK(largest_difference(dropped(dropout, {10, 3, 50}, 30), y.slice(0, 30, 40)) == 0);
  CHECK(dropped(dropout, {2, 3, 4, 5}).shape() == Shape{2, 3, 4, 5});
  CHECK(dropped(dropout, {2, 0, 4}).shape() == Shape{2, 0, 4});
  nn::LockedDropout all({.p = 1});
  CHECK(test::largest(dropped(all, {2, 3, 4})) == 0);
}

TEST_CASE("LockedDropout acts in training mode under a tape only") {
  nn::LockedDropout dropout({.p = 0.5});
  test::check_acts_in_training_alone(dropout);
}

TEST_CASE("LockedDropout passes the gradient checks of both orders") {
  nn::LockedDropout dropout({.p = 0.5});
  const auto run = [&](const std::vector<Var>& in) { return square(dropout(in[0])); };
  gradcheck(run, {uniform({2, 3, 4}, -1, 1, 1)}).require();
  gradgradcheck(run, {uniform({2, 3, 4}, -1, 1, 1)}).require();
}

TEST_CASE("what doesn't fit LockedDropout is refused") {
  nn::LockedDropout dropout;
  CHECK_THROWS_WITH_AS(dropout(Tensor::zeros({2, 3})), Contains("[LockedDropout] input f32[2, 3] is not [batch, steps, ...]"),
                       ShapeError);
  CHECK_THROWS_AS(dropout(Var()), ValueError);
  CHECK_THROWS_WITH_AS(nn::LockedDropout({.p = -0.5}), Contains("p is -0.5"), ValueError);
  CHECK_THROWS_AS(nn::LockedDropout({.p = std::nan("")}), ValueError);
  Tape tape;
  CHECK_THROWS_AS(dropout(Tensor::zeros({2, 3, 4})), TapeError);  // no generator
}
