#include "weft/nn/word_dropout.hpp"

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
Tensor dropped(nn::WordDropout& dropout, const Shape& shape, const Tensor& ids = {}, std::int64_t first_row = 0) {
  Generator generator(3);
  Tape tape(generator, first_row);
  return dropout(tape.leaf(Tensor::ones(shape)), ids).value();
}

}  // namespace

TEST_CASE("WordDropout drops whole words, each for itself") {
  nn::WordDropout dropout({.p = 0.2});
  const Tensor y = dropped(dropout, {30, 40, 3});
  std::int64_t zeros = 0;
  for (std::int64_t row = 0; row < 30; ++row)
    for (std::int64_t t = 0; t < 40; ++t) {
      const double value = y.at({row, t, 0});
      CHECK((value == 0 || value == doctest::Approx(1.25)));
      for (const std::int64_t i : {1, 2}) CHECK(y.at({row, t, i}) == value);
      zeros += value == 0;
    }
  CHECK(zeros > 180);
  CHECK(zeros < 300);
  CHECK(largest_difference(dropped(dropout, {10, 40, 3}, {}, 20), y.slice(0, 20, 30)) == 0);
}

TEST_CASE("given the ids, WordDropout drops all places of a word in a row together") {
  nn::WordDropout dropout({.p = 0.5});
  const Tensor ids = test::integers({20, 30}, 6, 1), y = dropped(dropout, {20, 30, 2}, ids);
  std::int64_t words = 0, zeros = 0;
  for (std::int64_t row = 0; row < 20; ++row)
    for (std::int64_t word = 0; word < 6; ++word) {
      double first = -1;
      for (std::int64_t t = 0; t < 30; ++t) {
        if (ids.at({row, t}) != static_cast<double>(word)) continue;
        if (first < 0) first = y.at({row, t, 0});
        CHECK(y.at({row, t, 0}) == first);
      }
      words += first >= 0;
      zeros += first == 0;
    }
  CHECK(zeros > words / 3);
  CHECK(zeros < 2 * words / 3);
  CHECK(largest_difference(dropped(dropout, {5, 30, 2}, ids.slice(0, 15, 20).to(i32), 15), y.slice(0, 15, 20)) == 0);
}

TEST_CASE("WordDropout acts in training mode under a tape only") {
  nn::WordDropout dropout({.p = 0.5});
  test::check_acts_in_training_alone(dropout);
}

TEST_CASE("WordDropout passes the gradient checks of both orders") {
  nn::WordDropout dropout({.p = 0.5});
  const Tensor ids = test::integers({2, 3}, 2, 1);
  const auto run = [&](const std::vector<Var>& in) { return square(dropout(in[0], ids)); };
  gradcheck(run, {uniform({2, 3, 4}, -1, 1, 1)}).require();
  gradgradcheck(run, {uniform({2, 3, 4}, -1, 1, 1)}).require();
}

TEST_CASE("what doesn't fit WordDropout is refused") {
  nn::WordDropout dropout;
  CHECK_THROWS_WITH_AS(dropout(Tensor::zeros({2, 3})), Contains("[WordDropout] embeddings f32[2, 3] are not"), ShapeError);
  CHECK_THROWS_WITH_AS(dropout(Tensor::zeros({2, 3, 4}), Tensor::zeros({2, 4}, i64)),
                       Contains("ids i64[2, 4] don't fit embeddings f32[2, 3, 4]"), ShapeError);
  CHECK_THROWS_AS(dropout(Tensor::zeros({2, 3, 4}), Tensor::zeros({2, 3})), DTypeError);
  CHECK_THROWS_AS(dropout(Var()), ValueError);
  CHECK_THROWS_WITH_AS(nn::WordDropout({.p = 2}), Contains("p is 2"), ValueError);
}
