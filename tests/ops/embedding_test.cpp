#include "weft/ops/embedding.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN();

Tensor index(std::initializer_list<std::int64_t> places, const Shape& shape) { return Tensor::from(places, shape); }

}  // namespace

TEST_CASE("embedding looks rows up, whatever the index's shape and type") {
  const Tensor table = uniform({5, 3}, -1, 1, 1), places = index({4, 0, 4, 2}, {2, 2});
  for (const DType type : {i32, i64}) {
    const Tensor y = embedding(table, places.to(type)).value();
    CHECK(y.shape() == Shape{2, 2, 3});
    CHECK(largest_difference(y.select(0, 0).select(0, 0), table.select(0, 4)) == 0);
    CHECK(largest_difference(y.select(0, 1).select(0, 1), table.select(0, 2)) == 0);
  }
  CHECK(embedding(table, index({3}, {})).shape() == Shape{3});
  CHECK(embedding(uniform({5}, -1, 1, 1), places).shape() == Shape{2, 2});
  CHECK(embedding(table, index({}, {0, 4})).shape() == Shape{0, 4, 3});
}

TEST_CASE("repeated rows add up, the padding's row gets nothing, NaN from behind it included") {
  for (const DType type : {f32, f64})
    for (const bool create_graph : {false, true}) {
      Tape tape;
      const Var table = tape.leaf(uniform({4, 2}, -1, 1, 1, type));
      const Var y = embedding(table, index({3, 1, 3, 0, 0}, {5}), 0);
      Tensor g = Tensor::from<double>({1, 2, 10, 20, 100, 200, quiet_nan, quiet_nan, 5, 5}, {5, 2}).to(type);
      tape.backward(y, g, {.create_graph = create_graph});
      CHECK(largest_difference(tape.grad(table), Tensor::from<double>({0, 0, 10, 20, 0, 0, 101, 202}, {4, 2})) == 0);
    }
}

TEST_CASE("a NaN in the table stays in its row") {
  Tensor values = uniform({4, 2}, -1, 1, 1);
  values.select(0, 2).fill(quiet_nan);
  Tape tape;
  const Var table = tape.leaf(values), y = embedding(table, index({2, 1}, {2}));
  CHECK(std::isnan(y.value().at({0, 1})));
  CHECK(std::isfinite(y.value().at({1, 1})));
  tape.backward(sum(square(y)));
  CHECK(std::isnan(tape.grad(table).at({2, 0})));
  CHECK(std::isfinite(tape.grad(table).at({1, 0})));
  CHECK(tape.grad(table).at({0, 0}) == 0);
}

TEST_CASE("what can't be looked up is refused by name") {
  const Tensor table = Tensor::zeros({4, 2});
  CHECK_THROWS_WITH_AS(embedding(table, index({0, 4}, {1, 2})), doctest::Contains("[embedding] index 4 at [0, 1]"), IndexError);
  CHECK_THROWS_WITH_AS(embedding(table, index({-1}, {1})), doctest::Contains("there are 4 rows"), IndexError);
  CHECK_THROWS_AS(embedding(table, Tensor::zeros({2})), DTypeError);
  CHECK_THROWS_AS(embedding(Tensor::zeros({}), index({0}, {1})), ShapeError);
  CHECK_THROWS_WITH_AS(embedding(table, index({0}, {1}), 4), doctest::Contains("padding_idx 4"), IndexError);
  CHECK_THROWS_AS(embedding(table, index({0}, {1}), -1), IndexError);
  CHECK_THROWS_AS(embedding(Tensor::zeros({0, 2}), index({0}, {1})), IndexError);
}
