#include "weft/base/shape.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;

TEST_CASE("a shape knows its sizes") {
  const Shape shape{2, 3, 4};
  CHECK(shape.rank() == 3);
  CHECK(shape.numel() == 24);
  CHECK(shape.size(-1) == 4);
  CHECK(shape.str() == "[2, 3, 4]");
  CHECK(Shape{}.numel() == 1);
  CHECK(Shape{3, 0}.numel() == 0);
  CHECK(shape.without(1) == Shape{2, 4});
  CHECK(shape.with_inserted(-1, 5) == Shape{2, 3, 4, 5});
  CHECK(shape.dense_strides()[0] == 12);
}

TEST_CASE("impossible shapes are refused") {
  CHECK_THROWS_AS((Shape{-1}), ShapeError);
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  CHECK_THROWS_AS((Shape{std::int64_t{1} << 40, std::int64_t{1} << 40}), ShapeError);
  CHECK_THROWS_AS((Shape{std::int64_t{1} << 40, std::int64_t{1} << 40, 0}), ShapeError);
  CHECK_THROWS_WITH_AS((Shape{2, 3}.size(2)), "[shape] axis 2 is out of range for shape [2, 3] (rank 2)", IndexError);
}

TEST_CASE("broadcasting follows NumPy") {
  CHECK(broadcast({3, 1}, {4}, "t") == Shape{3, 4});
  CHECK(broadcast({}, {2, 3}, "t") == Shape{2, 3});
  CHECK(broadcast({0, 3}, {1, 3}, "t") == Shape{0, 3});
  CHECK_THROWS_WITH_AS(broadcast({2, 3}, {2, 4}, "add"),
                       doctest::Contains("[add] shapes [2, 3] and [2, 4] don't broadcast: 3 against 4 at axis -1"), ShapeError);
}
