#include "weft/data/moving_digits.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support/random.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

namespace {

// Digits 0 and 1: a full square of 4 by 4 and one of half the grey, so that a pixel says what it shows.
LabelledImages squares() {
  LabelledImages digits{Tensor::empty({2, 4, 4}), Tensor::from<std::int32_t>({0, 1}, {2})};
  digits.images.select(0, 0).fill(1);
  digits.images.select(0, 1).fill(0.5);
  return digits;
}

}  // namespace

TEST_CASE("a film is a function of seed and number") {
  const LabelledImages digits = made_digits(20, 1);
  const MovingDigits films(digits), same(digits), other(digits, {.seed = 2});
  CHECK(test::largest_difference(films.film(5).frames, same.film(5).frames) == 0);
  CHECK(films.film(5).names == same.film(5).names);
  CHECK(test::largest_difference(films.film(5).frames, films.film(6).frames) > 0);
  CHECK(test::largest_difference(films.film(5).frames, other.film(5).frames) > 0);
  CHECK(films.film(5).frames.shape() == Shape{20, 32, 32});
  const DigitFilm part = films.film(5, 7);
  CHECK(test::largest_difference(part.frames, films.film(5).frames.slice(0, 0, 7)) == 0);
  CHECK(test::largest_difference(part.centres, films.film(5).centres.slice(0, 0, 7)) == 0);
  CHECK(part.hidden <= films.film(5).hidden);
  CHECK(films.describe() == same.describe());
  CHECK(films.describe() != other.describe());
}

TEST_CASE("digits move with constant speed within the frame and turn at its borders") {
  const MovingDigits films(made_digits(20, 1), {.frames = 40, .least_speed = 1, .most_speed = 3});
  int turns = 0;
  for (std::uint64_t number = 0; number < 20; ++number) {
    const Tensor centres = films.film(number).centres;
    REQUIRE(centres.shape() == Shape{40, 2, 2});
    for (std::int64_t digit = 0; digit < 2; ++digit)
      for (std::int64_t axis = 0; axis < 2; ++axis) {
        const double step = std::abs(centres.at({1, digit, axis}) - centres.at({0, digit, axis}));
        double speed = 0;  // the largest step is one without a turn
        for (std::int64_t t = 1; t < 40; ++t)
          speed = std::max(speed, std::abs(centres.at({t, digit, axis}) - centres.at({t - 1, digit, axis})));
        CHECK(step <= speed + 1e-4);
        for (std::int64_t t = 0; t < 40; ++t) {
          CHECK(centres.at({t, digit, axis}) >= 7 - 1e-4);
          CHECK(centres.at({t, digit, axis}) <= 25 + 1e-4);
          if (t == 0) continue;
          const double from = centres.at({t - 1, digit, axis}), to = centres.at({t, digit, axis});
          if (std::abs(std::abs(to - from) - speed) < 1e-4) continue;
          ++turns;  // there and back: both ways to the border add up
          const bool low = from - 7 + to - 7 < speed + 1e-3, high = 25 - from + 25 - to < speed + 1e-3;
          CHECK((low || high));
        }
      }
    for (std::int64_t digit = 0; digit < 2; ++digit) {
      double fastest = 0;
      for (std::int64_t t = 1; t < 40; ++t)
        fastest = std::max(fastest, std::hypot(centres.at({t, digit, 0}) - centres.at({t - 1, digit, 0}),
                                               centres.at({t, digit, 1}) - centres.at({t - 1, digit, 1})));
      CHECK(fastest >= 1 - 1e-4);
      CHECK(fastest <= 3 + 1e-4);
    }
  }
  CHECK(turns > 20);
}

TEST_CASE("the front digit and a rim of one pixel hide the back one, and the share that is hidden is told") {
  const MovingDigits films(squares(), {.frames = 12, .size = 10, .least_speed = 1, .most_speed = 1});
  int passing = 0;
  for (std::uint64_t number = 0; number < 30; ++number) {
    const DigitFilm film = films.film(number);
    const double grey[] = {film.names[0] == 0 ? 1.0 : 0.5, film.names[1] == 0 ? 1.0 : 0.5};
    double hidden = 0;
    for (std::int64_t t = 0; t < 12; ++t) {
      const auto corner = [&](std::int64_t digit, std::int64_t axis) {
        return std::lround(film.centres.at({t, digit, axis}) - 1);
      };
      const auto covers = [&](std::int64_t digit, std::int64_t row, std::int64_t column) {
        return row >= corner(digit, 0) && row < corner(digit, 0) + 2 && column >= corner(digit, 1) &&
               column < corner(digit, 1) + 2;
      };
      double back_seen = 0;
      for (std::int64_t row = 0; row < 10; ++row)
        for (std::int64_t column = 0; column < 10; ++column) {
          // The square of 2 by 2 fills its image, so the rim, which ends with the image, adds nothing.
          double expected = covers(1, row, column) ? grey[1] : 0;
          if (covers(0, row, column)) expected = grey[0] + (1 - grey[0]) * expected;
          CHECK(film.frames.at({t, row, column}) == doctest::Approx(expected));
          if (covers(1, row, column)) back_seen += covers(0, row, column) ? (1 - grey[0]) * grey[1] : grey[1];
        }
      hidden = std::max(hidden, 1 - back_seen / (4 * grey[1]));
    }
    CHECK(film.hidden == doctest::Approx(hidden));
    passing += hidden > 0 ? 1 : 0;
  }
  CHECK(passing > 3);
  CHECK(passing < 30);
}

TEST_CASE("a rim of one pixel around the ink hides, too") {
  // A dot in the middle of 6 by 6 pixels (2 by 2 before), over a full square.
  LabelledImages digits{Tensor::zeros({2, 12, 12}), Tensor::from<std::int32_t>({0, 1}, {2})};
  digits.images.select(0, 0).slice(0, 4, 6).slice(1, 4, 6).fill(1);
  digits.images.select(0, 1).fill(1);
  const MovingDigits films(digits, {.frames = 1, .size = 7, .least_speed = 0, .most_speed = 0});
  for (std::uint64_t number = 0; number < 60; ++number) {
    const DigitFilm film = films.film(number);
    if (film.names[0] != 0 || film.names[1] != 1) continue;
    const auto row = std::lround(film.centres.at({0, 0, 0}) - 3) + 2, column = std::lround(film.centres.at({0, 0, 1}) - 3) + 2;
    for (std::int64_t r = row - 1; r <= row + 1; ++r)
      for (std::int64_t c = column - 1; c <= column + 1; ++c)
        CHECK(film.frames.at({0, r, c}) == (r == row && c == column ? 1 : 0));
    CHECK(film.hidden == doctest::Approx(0.25));  // 9 of 36
    return;
  }
  FAIL("no film of 60 has the dot in front of the square");
}

TEST_CASE("made digits come in turn") {
  const LabelledImages digits = made_digits(23, 4);
  CHECK(digits.images.shape() == Shape{23, 28, 28});
  for (std::int64_t i = 0; i < 23; ++i) CHECK(digits.labels.at({i}) == i % 10);
  CHECK(test::largest_difference(digits.images, made_digits(23, 4).images) == 0);
  CHECK_THROWS_WITH_AS(made_digits(-1, 1), "[made_digits] -1 digits can't be made", ValueError);
}

TEST_CASE("what no film can be made of is refused") {
  const LabelledImages digits = made_digits(2, 1);
  CHECK_THROWS_WITH_AS(MovingDigits(digits, {.size = 14}),
                       "[MovingDigits] frames of 14 pixels a side; 15 to 1024 are needed for digits of 14", ValueError);
  CHECK_THROWS_WITH_AS(MovingDigits(digits, {.frames = 0}), "[MovingDigits] films of 0 frames; one at least is needed",
                       ValueError);
  CHECK_THROWS_WITH_AS(MovingDigits(digits, {.least_speed = 3}),
                       "[MovingDigits] speeds from 3 to 2 pixels a frame; they must be from 0 to 18, in this order",
                       ValueError);
  CHECK_THROWS_AS(MovingDigits(digits, {.most_speed = 19}), ValueError);
  CHECK_THROWS_WITH_AS(MovingDigits(digits).film(0, 21), "[MovingDigits] 21 frames of a film of 20", ValueError);
  CHECK_THROWS_WITH_AS(
      MovingDigits({digits.images, Tensor::zeros({3}, i32)}),
      "[MovingDigits] images f32[2, 28, 28] and labels i32[3] are not [n, height, width] of even sizes and [n]", ShapeError);
  CHECK_THROWS_AS(MovingDigits({Tensor::zeros({2, 27, 28}), digits.labels}), ShapeError);
  CHECK_THROWS_WITH_AS(MovingDigits({digits.images, Tensor::zeros({2}, i64)}),
                       "[MovingDigits] images f32[2, 28, 28] must be f32, labels i64[2] i32", DTypeError);
  CHECK_THROWS_WITH_AS(MovingDigits({Tensor::zeros({0, 28, 28}), Tensor::zeros({0}, i32)}),
                       "[MovingDigits] there are no digits: images f32[0, 28, 28]", ValueError);
}
