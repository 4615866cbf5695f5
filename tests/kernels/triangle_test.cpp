#include "kernels/triangle.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/random.hpp"

using namespace weft;
using namespace weft::test;
using kernels::Triangle;

TEST_CASE("triangles are those of the plain reference") {
  constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  for (const DType dtype : {f32, f64, i32, i64, boolean})
    for (const Shape& shape :
         {Shape{5, 5}, Shape{3, 9}, Shape{9, 3}, Shape{2, 3, 4, 5}, Shape{0, 3}, Shape{3, 0}, Shape{200, 170}}) {
      const Tensor x = uniform(shape, -100, 100, 1).to(dtype);
      for (const std::int64_t diagonal : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-2}, std::int64_t{8}, least, most})
        for (const Triangle part : {Triangle::lower, Triangle::upper}) {
          const Tensor result = kernels::triangle(part, x, diagonal);
          CHECK(result.dtype() == dtype);
          CHECK(largest_difference(result, kernels::reference::triangle(part, x, diagonal)) == 0);
        }
    }
}

TEST_CASE("a triangle of a view is that of its copy, and the view stays as it was") {
  const Tensor whole = uniform({6, 7, 8}, -1, 1, 1), before = whole.clone(),
               view = whole.transpose(0, 2).slice(1, 2, 6).flip(2);
  CHECK(largest_difference(kernels::triangle(Triangle::lower, view, 1), kernels::triangle(Triangle::lower, view.clone(), 1)) ==
        0);
  CHECK(largest_difference(whole, before) == 0);
}
