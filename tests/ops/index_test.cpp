#include "weft/ops/index.hpp"

#include <doctest/doctest.h>

#include <limits>

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
