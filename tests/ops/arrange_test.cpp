#include "weft/ops/arrange.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();

bool equal(const Var& x, std::initializer_list<double> values) {
  return largest_difference(x.value().to(f64), Tensor::from<double>(values, x.shape())) == 0;
}

const Tensor four = Tensor::from<float>({1, 2, 3, 4}, {4});
const Tensor six = Tensor::from<float>({1, 2, 3, 4, 5, 6}, {2, 3});

}  // namespace

TEST_CASE("pad fills with a value, or takes away") {
  CHECK(equal(pad(four, {1, 2}), {0, 1, 2, 3, 4, 0, 0}));
  CHECK(equal(pad(six, {0, 1, 1, 0}, PadMode::constant, 9), {9, 9, 9, 9, 1, 2, 3, 9, 4, 5, 6, 9}));
  CHECK(equal(pad(four, {-1, -2}), {2}));
  CHECK(equal(pad(four, {-3, 2}), {4, 0, 0}));
  CHECK(pad(four, {-4, 0}).shape() == Shape{0});
  CHECK(equal(pad(Tensor::zeros({0}), {1, 1}, PadMode::constant, 5), {5, 5}));
  CHECK(equal(pad(Tensor::from<std::int64_t>({7}, {1}), {0, 1}, PadMode::constant, -1), {7, -1}));
  CHECK(pad(Tensor::zeros({1}, boolean), {1, 0}, PadMode::constant, 1).value().at({0}) == 1);
  CHECK(std::isinf(pad(four, {1, 0}, PadMode::constant, -std::numeric_limits<double>::infinity()).value().at({0})));
}

TEST_CASE("pad takes from within by reflection, replication and around") {
  CHECK(equal(pad(four, {3, 2}, PadMode::reflect), {4, 3, 2, 1, 2, 3, 4, 3, 2}));
  CHECK(equal(pad(four, {2, 1}, PadMode::replicate), {1, 1, 1, 2, 3, 4, 4}));
  CHECK(equal(pad(four, {4, 1}, PadMode::circular), {1, 2, 3, 4, 1, 2, 3, 4, 1}));
  CHECK(equal(pad(four, {-1, 2}, PadMode::reflect), {2, 3, 4, 3, 2}));
  CHECK(equal(pad(six, {1, 0, 1, 0}, PadMode::reflect), {5, 4, 5, 6, 2, 1, 2, 3, 5, 4, 5, 6}));
  CHECK(equal(pad(six, {1, 0, 0, 1}, PadMode::replicate), {1, 1, 2, 3, 4, 4, 5, 6, 4, 4, 5, 6}));
  CHECK(pad(Tensor::zeros({2, 0}), {0, 0}, PadMode::replicate).shape() == Shape{2, 0});
}

TEST_CASE("padding takes no gradient, and the edge gets that of its copies") {
  Tape tape;
  const Var x = tape.leaf(four.to(f64));
  Tensor g = Tensor::ones({7}, f64);
  g.slice(0, 0, 2).fill(std::numeric_limits<double>::quiet_NaN());
  tape.backward(pad(x, {2, 1}), g);
  CHECK(equal(tape.grad(x), {1, 1, 1, 1}));
  tape.backward(sum(pad(x, {2, 1}, PadMode::replicate)));
  CHECK(equal(tape.grad(x), {3, 1, 1, 2}));
  tape.backward(sum(pad(x, {3, 1}, PadMode::reflect)));
  CHECK(equal(tape.grad(x), {1, 2, 3, 2}));
}

TEST_CASE("roll moves elements around an axis or all of them") {
  CHECK(equal(roll(four, 1, 0), {4, 1, 2, 3}));
  CHECK(equal(roll(four, -1, 0), {2, 3, 4, 1}));
  CHECK(equal(roll(six, 1), {6, 1, 2, 3, 4, 5}));
  CHECK(equal(roll(six, {1, 1}, {0, 1}), {6, 4, 5, 3, 1, 2}));
  CHECK(equal(roll(six, 7, -1), {3, 1, 2, 6, 4, 5}));
  CHECK(equal(roll(four, least, 0), {1, 2, 3, 4}));
  CHECK(equal(roll(four, most, 0), {2, 3, 4, 1}));
  CHECK(roll(Tensor::zeros({3, 0}), 5, 1).shape() == Shape{3, 0});
  CHECK(roll(Tensor::from<bool>({true, false}, {2}), 1, 0).value().at({1}) == 1);
}

TEST_CASE("repeat and tile lay copies side by side") {
  CHECK(equal(repeat(four, {2}), {1, 2, 3, 4, 1, 2, 3, 4}));
  CHECK(equal(repeat(six, {2, 1}), {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}));
  CHECK(equal(repeat(six, {1, 2}), {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  CHECK(repeat(six, {3, 2, 2}).shape() == Shape{3, 4, 6});
  CHECK(repeat(six, {0, 2}).shape() == Shape{0, 6});
  CHECK(equal(tile(six, {2}), {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  CHECK(equal(tile(four.slice(0, 0, 2), {2, 2}), {1, 2, 1, 2, 1, 2, 1, 2}));
  CHECK(tile(Tensor::ones({1, 1, 1, 1, 1, 1, 1, 2}, i32), {2, 3}).shape() == Shape{1, 1, 1, 1, 1, 1, 2, 6});
}

TEST_CASE("unfold views the windows along an axis") {
  const Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6, 7}, {7});
  CHECK(equal(unfold(x, 0, 2, 1), {1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7}));
  CHECK(equal(unfold(x, 0, 2, 3), {1, 2, 4, 5}));
  CHECK(equal(unfold(x, 0, 7, most), {1, 2, 3, 4, 5, 6, 7}));
  CHECK(unfold(x, 0, 3, 1).value().same_buffer(x));
  CHECK(equal(unfold(x.flip(0), 0, 3, 4), {7, 6, 5, 3, 2, 1}));
  const Tensor y = uniform({2, 6, 3}, -1, 1, 1), windows = unfold(y, 1, 3, 2).value();
  CHECK(windows.shape() == Shape{2, 2, 3, 3});
  CHECK(windows.at({1, 1, 2, 2}) == y.at({1, 4, 2}));
  CHECK(unfold(x, 0, 0, 2).shape() == Shape{4, 0});
}

TEST_CASE("gradients of windows add up where they overlap") {
  Tape tape;
  const Var x = tape.leaf(Tensor::ones({7}, f64)), y = tape.leaf(Tensor::ones({2, 5}, f64));
  tape.backward(sum(unfold(x, 0, 3, 1)));
  CHECK(equal(tape.grad(x), {1, 2, 3, 3, 3, 2, 1}));
  tape.backward(unfold(y, 1, 3, 2), Tensor::from<double>({1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 9}, {2, 2, 3}));
  CHECK(equal(tape.grad(y), {1, 2, 7, 5, 6, 0, 0, 0, 0, 9}));
}

TEST_CASE("what is arranged has second derivatives") {
  const auto cubes = [](const Var& x) {
    Var y = pad(unfold(x, 1, 2, 1), {1, 0, 0, 1}, PadMode::reflect);
    y = roll(repeat(y, {2, 1, 1}), {1, -1}, {2, 0}) * tile(pad(y, {0, 0}, PadMode::constant), {2, 1, 1});
    return sum(y * roll(y, 2));
  };
  const Tensor start = uniform({2, 4}, 0.5, 1.5, 1);
  const auto slope_at = [&](double step) {
    Tape tape;
    const Var x = tape.leaf(start);
    tape.backward(cubes(x + step));
    return Var(tape.grad(x).clone());
  };
  Tape tape;
  const Var x = tape.leaf(start);
  tape.backward(cubes(x), {.create_graph = true});
  tape.backward(sum(tape.grad_var(x)));
  const Tensor curvature = tape.grad(x);
  CHECK(largest(curvature) > 1);
  CHECK(largest_difference(curvature, ((slope_at(1e-6) - slope_at(-1e-6)) * 5e5).value()) < 1e-5 * largest(curvature));
}

TEST_CASE("errors of arranging name the operation and the shape") {
  CHECK_THROWS_WITH_AS(pad(four, {1}), doctest::Contains("[pad] padding [1] for shape [4]"), ShapeError);
  CHECK_THROWS_AS(pad(four, {1, 1, 1, 1}), ShapeError);
  CHECK_THROWS_WITH_AS(pad(six, {-2, -2}), doctest::Contains("[pad] padding -2 and -2 takes more than axis 1 of [2, 3]"),
                       ShapeError);
  CHECK_THROWS_AS(pad(four, {least, 0}), ShapeError);
  CHECK_THROWS_AS(pad(four, {0, least}), ShapeError);
  CHECK_THROWS_WITH_AS(pad(four, {most, most}), doctest::Contains("[pad]"), ShapeError);
  CHECK_THROWS_WITH_AS(pad(six, {0, std::int64_t{1} << 61}), doctest::Contains("[pad]"), ShapeError);
  CHECK_THROWS_AS(pad(four, {most, 0}, PadMode::replicate), ShapeError);
  CHECK_THROWS_WITH_AS(pad(four, {4, 0}, PadMode::reflect), doctest::Contains("axis 0 of [4] has 4"), ShapeError);
  CHECK_THROWS_AS(pad(Tensor::zeros({0}), {1, 0}, PadMode::replicate), ShapeError);
  CHECK_THROWS_AS(pad(four, {5, 0}, PadMode::circular), ShapeError);
  CHECK_THROWS_AS(pad(Var(), {1, 1}), ValueError);

  CHECK_THROWS_WITH_AS(roll(six, 1, 2), doctest::Contains("[roll] axis 2 is out of range for shape [2, 3]"), IndexError);
  CHECK_THROWS_AS(roll(Tensor::zeros({}), 1, 0), IndexError);
  CHECK_THROWS_WITH_AS(roll(six, {1, 2}, {0}), doctest::Contains("2 shifts for 1 axes of shape [2, 3]"), ValueError);
  CHECK_THROWS_AS(roll(Var(), 1), ValueError);
  CHECK_THROWS_AS(roll(Var(), 1, 0), ValueError);

  CHECK_THROWS_WITH_AS(repeat(six, {2}), doctest::Contains("[repeat] counts [2] are fewer than the axes of shape [2, 3]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(repeat(four, {-1}), doctest::Contains("[repeat] counts [-1] for shape [4]"), ShapeError);
  CHECK_THROWS_WITH_AS(repeat(four, {most}), doctest::Contains("[repeat]"), ShapeError);
  CHECK_THROWS_AS(repeat(four, {std::int64_t{1} << 40, std::int64_t{1} << 21}), ShapeError);
  CHECK_THROWS_AS(repeat(four, {1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  CHECK_THROWS_AS(repeat(Var(), {1}), ValueError);
  CHECK_THROWS_WITH_AS(tile(four, {-1}), doctest::Contains("[tile] counts [-1]"), ShapeError);
  CHECK_THROWS_WITH_AS(tile(four, {most, 2}), doctest::Contains("[tile]"), ShapeError);
  CHECK_THROWS_AS(tile(four, {2, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  CHECK_THROWS_AS(tile(Var(), {1}), ValueError);

  CHECK_THROWS_WITH_AS(unfold(six, 1, 4, 1),
                       doctest::Contains("[unfold] a window of 4 elements doesn't fit axis 1 of shape [2, 3]"), ShapeError);
  CHECK_THROWS_AS(unfold(six, 1, -1, 1), ShapeError);
  CHECK_THROWS_AS(unfold(six, 1, 2, 0), ValueError);
  CHECK_THROWS_AS(unfold(six, 1, 2, least), ValueError);
  CHECK_THROWS_AS(unfold(six, 2, 1, 1), IndexError);
  CHECK_THROWS_AS(unfold(Tensor::zeros({1, 1, 1, 1, 1, 1, 1, 1}), 0, 1, 1), ShapeError);
  CHECK_THROWS_AS(unfold(Var(), 0, 1, 1), ValueError);
}
