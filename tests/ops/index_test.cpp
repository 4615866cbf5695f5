#include "weft/ops/index.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/embedding.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

Tensor index(std::initializer_list<std::int64_t> places, const Shape& shape) { return Tensor::from(places, shape); }

bool equal(const Var& x, std::initializer_list<double> values) {
  return largest_difference(x.value().to(f64), Tensor::from<double>(values, x.shape())) == 0;
}

}  // namespace

TEST_CASE("index_select takes elements along any axis") {
  const Tensor x = uniform({3, 4, 5}, -1, 1, 1), places = index({3, 0, 3}, {3});
  const Tensor y = index_select(x, 1, places).value();
  CHECK(y.shape() == Shape{3, 3, 5});
  for (std::int64_t i = 0; i < 3; ++i)
    CHECK(largest_difference(y.select(1, i), x.select(1, static_cast<std::int64_t>(places.at({i})))) == 0);
  CHECK(index_select(Tensor::from<std::int64_t>({5, 6, 7}, {3}), 0, index({2, 1}, {2})).value().at({0}) == 7);
}

TEST_CASE("gather takes the element that the index says, as torch.gather") {
  const Tensor x = uniform({2, 3, 4}, -1, 1, 1);
  for (const int axis : {0, 1, 2, -2}) {
    const int d = axis < 0 ? axis + 3 : axis;
    const Tensor places = integers({2, 2, 3}, x.size(d), 2);
    const Tensor y = gather(x, axis, places).value();
    CHECK(y.shape() == places.shape());
    bool right = true;
    for (std::int64_t i = 0; i < 2; ++i)
      for (std::int64_t j = 0; j < 2; ++j)
        for (std::int64_t k = 0; k < 3; ++k) {
          const auto p = static_cast<std::int64_t>(places.at({i, j, k}));
          right = right && y.at({i, j, k}) == x.at({d == 0 ? p : i, d == 1 ? p : j, d == 2 ? p : k});
        }
    CHECK(right);
  }
}

TEST_CASE("index errors name the operation and the place") {
  const Tensor x = uniform({3, 4}, -1, 1, 1);
  CHECK_THROWS_WITH_AS(index_select(x, 1, index({0, 4}, {2})), doctest::Contains("[index_select] index 4 at [1]"), IndexError);
  CHECK_THROWS_AS(index_select(x, 0, index({0, 1}, {2, 1})), ShapeError);
  CHECK_THROWS_AS(index_select(x, 2, index({0}, {1})), IndexError);
  CHECK_THROWS_WITH_AS(gather(x, 0, index({0, -1}, {1, 2})), doctest::Contains("[gather] index -1 at [0, 1]"), IndexError);
  CHECK_THROWS_AS(gather(x, 0, index({0}, {1})), ShapeError);
  CHECK_THROWS_WITH_AS(gather(x, 0, index({0, 0, 0, 0, 0}, {1, 5})), doctest::Contains("[1, 5]"), ShapeError);
  CHECK_THROWS_AS(gather(x, 0, Tensor::zeros({1, 2})), DTypeError);
}

TEST_CASE("index_add and scatter_add add, scatter overwrites") {
  const Tensor x = Tensor::from<double>({1, 2, 3, 4, 5, 6}, {2, 3}), source = Tensor::from<double>({10, 20, 30, 40}, {2, 2});
  CHECK(equal(index_add(x, 1, index({2, 2}, {2}), source), {1, 2, 33, 4, 5, 76}));
  CHECK(equal(index_add(x, 0, index({1}, {1}), x.slice(0, 0, 1), -2), {1, 2, 3, 2, 1, 0}));
  CHECK(equal(scatter_add(x, 1, index({0, 0, 2, 1}, {2, 2}), source), {31, 2, 3, 4, 45, 36}));
  CHECK(equal(scatter_add(x, 0, index({1, 1}, {1, 2}), source), {1, 2, 3, 14, 25, 6}));
  CHECK(equal(scatter(x, 1, index({0, 0, 2, 1}, {2, 2}), source), {20, 2, 3, 4, 40, 30}));
  CHECK(equal(
      scatter_add(Tensor::from<std::int64_t>({1, 2}, {2}), 0, index({1, 1}, {2}), Tensor::from<std::int64_t>({3, 4}, {2})),
      {1, 9}));
  CHECK(scatter(Tensor::zeros({2}, boolean), 0, index({1}, {1}), Tensor::ones({1}, boolean)).value().at({1}) == 1);
  CHECK(equal(x, {1, 2, 3, 4, 5, 6}));
}

TEST_CASE("of what a scatter overwrites nothing gets a gradient, not even of NaN") {
  Tape tape;
  Tensor start = Tensor::ones({3}, f64), several = Tensor::ones({4}, f64);
  start.slice(0, 0, 1).fill(std::numeric_limits<double>::quiet_NaN());
  several.slice(0, 1, 2).fill(std::numeric_limits<double>::quiet_NaN());
  const Var x = tape.leaf(start), source = tape.leaf(several);
  const Var y = scatter(x, 0, index({0, 2, 0, 2}, {4}), source);
  CHECK(equal(y, {1, 1, 1}));
  tape.backward(y, Tensor::from<double>({10, 20, 30}, {3}));
  CHECK(equal(tape.grad(x), {0, 20, 0}));
  CHECK(equal(tape.grad(source), {0, 0, 10, 30}));
}

TEST_CASE("NaN is added to its own place and no other") {
  Tensor source = Tensor::ones({3});
  source.slice(0, 1, 2).fill(std::numeric_limits<double>::quiet_NaN());
  const Tensor y = scatter_add(Tensor::zeros({3}), 0, index({0, 1, 0}, {3}), source).value();
  CHECK(y.at({0}) == 2);
  CHECK(std::isnan(y.at({1})));
  CHECK(y.at({2}) == 0);
}

TEST_CASE("sequence_mask is true before each length") {
  const Tensor mask = sequence_mask(index({2, 0, 3}, {3}), 3);
  CHECK(mask.dtype() == boolean);
  CHECK(mask.shape() == Shape{3, 3});
  CHECK(equal(mask, {1, 1, 0, 0, 0, 0, 1, 1, 1}));
  CHECK(equal(sequence_mask(index({1, 9, 2, 9}, {2, 2}).select(1, 0).to(i32), 2), {1, 0, 1, 1}));  // strided
  CHECK(sequence_mask(index({1, 2, 0, 3}, {2, 2}), 4).shape() == Shape{2, 2, 4});
  CHECK(equal(sequence_mask(index({2}, {}), 3), {1, 1, 0}));
  CHECK(sequence_mask(index({}, {0}), 3).shape() == Shape{0, 3});
  CHECK(sequence_mask(index({0, 0}, {2}), 0).shape() == Shape{2, 0});
  CHECK_THROWS_WITH_AS(sequence_mask(index({1, 4}, {2}), 3), "[sequence_mask] length 4 of row 1 is outside 0 to 3", ValueError);
  CHECK_THROWS_AS(sequence_mask(index({-1}, {1}), 3), ValueError);
  CHECK_THROWS_AS(sequence_mask(index({0}, {1}), -1), ValueError);
  for (const Tensor& wrong : {Tensor::zeros({2}), Tensor()}) CHECK_THROWS_AS(sequence_mask(wrong, 3), DTypeError);
}

TEST_CASE("one_hot puts a 1 where the class stands") {
  CHECK(equal(one_hot(index({2, 0}, {2}), 3), {0, 0, 1, 1, 0, 0}));
  const Tensor y = one_hot(index({1, 0, 1}, {3, 1}).to(i32), 2, i64);
  CHECK(y.dtype() == i64);
  CHECK(y.shape() == Shape{3, 1, 2});
  CHECK(equal(y, {0, 1, 1, 0, 0, 1}));
  CHECK(equal(one_hot(index({1}, {}), 3, boolean), {0, 1, 0}));
  CHECK(one_hot(index({}, {2, 0}), 5, f64).shape() == Shape{2, 0, 5});
  CHECK(one_hot(index({}, {0}), 0).shape() == Shape{0, 0});
  CHECK_THROWS_WITH_AS(one_hot(index({0, 3}, {2}), 3), doctest::Contains("[one_hot] index 3 at [1]"), IndexError);
  CHECK_THROWS_AS(one_hot(index({0}, {1}), 0), IndexError);
  CHECK_THROWS_AS(one_hot(index({0}, {1}), -1), ValueError);
  CHECK_THROWS_AS(one_hot(Tensor::zeros({2}), 3), DTypeError);
  CHECK_THROWS_WITH_AS(one_hot(index({0, 0}, {2}), std::numeric_limits<std::int64_t>::max()), doctest::Contains("[one_hot]"),
                       ShapeError);
  CHECK_THROWS_AS(one_hot(Tensor::zeros({1, 1, 1, 1, 1, 1, 1, 1}, i64), 3), ShapeError);
  CHECK_THROWS_AS(one_hot(Tensor(), 3), ValueError);
}

TEST_CASE("an index outside the axis is refused by every operation, with its place") {
  constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  const Tensor x = uniform({3, 4}, -1, 1, 1), source = uniform({1, 2}, -1, 1, 2);
  for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{4}, least, most}) {
    const Tensor line = index({0, wrong}, {2}), places = index({0, wrong}, {1, 2});
    const std::string in_line = "index " + std::to_string(wrong) + " at [1]",
                      in_row = "index " + std::to_string(wrong) + " at [0, 1]";
    CHECK_THROWS_WITH_AS(index_select(x, 1, line), doctest::Contains(("[index_select] " + in_line).c_str()), IndexError);
    CHECK_THROWS_WITH_AS(index_add(x, 1, line, x.slice(1, 0, 2)), doctest::Contains(("[index_add] " + in_line).c_str()),
                         IndexError);
    CHECK_THROWS_WITH_AS(gather(x, 1, places), doctest::Contains(("[gather] " + in_row).c_str()), IndexError);
    CHECK_THROWS_WITH_AS(scatter_add(x, 1, places, source), doctest::Contains(("[scatter_add] " + in_row).c_str()), IndexError);
    CHECK_THROWS_WITH_AS(scatter(x, 1, places, source), doctest::Contains(("[scatter] " + in_row).c_str()), IndexError);
    CHECK_THROWS_WITH_AS(one_hot(places, 4), doctest::Contains(("[one_hot] " + in_row).c_str()), IndexError);
    CHECK_THROWS_WITH_AS(embedding(x.transpose(0, 1), line), doctest::Contains(("[embedding] " + in_line).c_str()), IndexError);
  }
  CHECK_THROWS_AS(index_select(Tensor::zeros({0, 4}), 0, index({0}, {1})), IndexError);
  CHECK_THROWS_AS(scatter_add(Tensor::zeros({1, 0}), 1, index({0}, {1, 1}), Tensor::ones({1, 1})), IndexError);
}

TEST_CASE("adding and scattering refuse what doesn't fit") {
  const Tensor x = Tensor::zeros({3, 4}), places = index({0, 1}, {1, 2}), source = Tensor::zeros({1, 2});
  CHECK_THROWS_WITH_AS(index_add(x, 0, index({0}, {1}), source),
                       doctest::Contains("[index_add] source [1, 2] by index [1] doesn't fit input [3, 4] along axis 0"),
                       ShapeError);
  CHECK_THROWS_AS(index_add(x, 0, places, source), ShapeError);
  CHECK_THROWS_AS(index_add(x, 2, index({0}, {1}), source), IndexError);
  CHECK_THROWS_AS(index_add(x, 0, index({0}, {1}), Tensor::zeros({1, 4}, f64)), DTypeError);
  CHECK_THROWS_AS(index_add(x.to(boolean), 0, index({0}, {1}), Tensor::zeros({1, 4}, boolean)), DTypeError);
  CHECK_THROWS_AS(index_add(x, 0, index({0}, {1}), Var()), ValueError);
  CHECK_THROWS_AS(index_add(Tensor::zeros({}), 0, index({0}, {1}), source), ShapeError);
  using Scatter = Var (*)(const Var&, int, const Tensor&, const Var&);
  for (const Scatter function : {Scatter{scatter_add}, Scatter{scatter}}) {
    CHECK_THROWS_WITH_AS(function(x, 1, index({0, 0, 0, 0}, {4, 1}), Tensor::zeros({4, 1})),
                         doctest::Contains("index [4, 1] is larger than input [3, 4] at axis 0"), ShapeError);
    CHECK_THROWS_WITH_AS(function(x, 1, places, Tensor::zeros({1, 1})),
                         doctest::Contains("index [1, 2] is larger than source [1, 1] at axis 1"), ShapeError);
    CHECK_THROWS_AS(function(x, 1, index({0}, {1}), source), ShapeError);
    CHECK_THROWS_AS(function(x, 1, places, Tensor::zeros({2})), ShapeError);
    CHECK_THROWS_AS(function(x, -3, places, source), IndexError);
    CHECK_THROWS_AS(function(x, 1, Tensor::zeros({1, 2}), source), DTypeError);
    CHECK_THROWS_AS(function(x, 1, places, source.to(i32)), DTypeError);
    CHECK_THROWS_AS(function(Var(), 1, places, source), ValueError);
    CHECK_THROWS_AS(function(x, 1, Tensor(), source), ValueError);
    CHECK_THROWS_AS(function(x, 1, places, Var()), ValueError);
    CHECK_THROWS_AS(function(Tensor::zeros({}), 0, index({0}, {}), Tensor::zeros({})), ShapeError);
  }
  CHECK_THROWS_AS(gather(Var(), 0, places), ValueError);
  CHECK_THROWS_AS(index_select(Var(), 0, index({0}, {1})), ValueError);
}

TEST_CASE("embedding looks rows up") {
  const Tensor table = uniform({6, 3}, -1, 1, 1), words = index({1, 5, 1, 0}, {2, 2});
  const Tensor y = embedding(table, words).value();
  CHECK(y.shape() == Shape{2, 2, 3});
  CHECK(largest_difference(y.select(0, 0).select(0, 1), table.select(0, 5)) == 0);
  CHECK_THROWS_WITH_AS(embedding(table, index({0, 6}, {1, 2})), doctest::Contains("[embedding] index 6 at [0, 1]"), IndexError);
  CHECK_THROWS_AS(embedding(table, words, 6), IndexError);
  CHECK_THROWS_AS(embedding(table, words, -1), IndexError);
  CHECK_THROWS_AS(embedding(table, Tensor::zeros({2})), DTypeError);
}

TEST_CASE("the padding row of a table is read but not learned, even where its gradient is NaN") {
  for (const DType dtype : {f32, f64}) {
    Tape tape;
    const Var table = tape.leaf(uniform({4, 2}, -1, 1, 1, dtype));
    const Tensor words = index({2, 0, 3, 0, 2, 2}, {2, 3});
    const Var y = embedding(table, words, 0);
    CHECK(largest_difference(y.value().select(0, 1).select(0, 0), table.value().select(0, 0)) == 0);
    Tensor gradient = Tensor::ones({2, 3, 2}, dtype);
    gradient.select(0, 0).slice(0, 1, 2).fill(std::numeric_limits<double>::quiet_NaN());
    tape.backward(y, gradient);
    const Tensor expected = Tensor::from<double>({0, 0, 0, 0, 3, 3, 1, 1}, {4, 2});
    CHECK(largest_difference(tape.grad(table), expected) == 0);
  }
}

TEST_CASE("a batch of words that is overwritten before backward is refused") {
  Tape tape;
  const Var table = tape.leaf(uniform({4, 2}, -1, 1, 1));
  Tensor words = index({2, 0}, {2});
  const Var y = sum(embedding(table, words)) + sum(index_select(table, 0, words));
  words.fill(1);
  CHECK_THROWS_AS(tape.backward(y), TapeError);
}

TEST_CASE("looked-up rows have second derivatives, padding excepted") {
  Tape tape;
  const Var table = tape.leaf(Tensor::from<double>({1, 2, 3}, {3, 1}));
  const Var rows = embedding(table, index({0, 1, 1, 2}, {4}), 0), others = gather(table, 0, index({2, 2}, {2, 1}));
  tape.backward(sum(rows * rows * rows) + sum(others * others), {.create_graph = true});
  const Var slope = tape.grad_var(table);
  CHECK(largest_difference(slope.value(), Tensor::from<double>({0, 24, 39}, {3, 1})) == 0);
  tape.backward(sum(slope));
  CHECK(largest_difference(tape.grad(table), Tensor::from<double>({0, 24, 22}, {3, 1})) == 0);
}

TEST_CASE("what is added and scattered has second derivatives") {
  Tape tape;
  const Var x = tape.leaf(Tensor::from<double>({1, 2, 3}, {3})), source = tape.leaf(Tensor::from<double>({4, 5}, {2}));
  const Tensor places = index({1, 1}, {2});
  const auto cube = [](const Var& y) { return sum(y * y * y); };
  // (1, 2 + 9, 3), (1, 2 + 2 * 9, 3) and (1, 5, 3), each to the third power
  tape.backward(
      cube(scatter_add(x, 0, places, source)) + cube(index_add(x, 0, places, source, 2)) + cube(scatter(x, 0, places, source)),
      {.create_graph = true});
  const Var g_x = tape.grad_var(x), g_source = tape.grad_var(source);
  CHECK(equal(g_x, {9, 3 * 121 + 3 * 400, 81}));
  CHECK(equal(g_source, {3 * 121 + 6 * 400, 3 * 121 + 6 * 400 + 75}));
  tape.backward(sum(g_x) + sum(g_source));
  CHECK(equal(tape.grad(x), {18, 6 * 11 + 6 * 20 + 2 * (6 * 11 + 12 * 20), 54}));
  CHECK(equal(tape.grad(source), {6 * 11 + 12 * 20 + 2 * (6 * 11 + 24 * 20), 6 * 11 + 12 * 20 + 2 * (6 * 11 + 24 * 20) + 30}));
}
