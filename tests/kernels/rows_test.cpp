#include "kernels/rows.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using namespace weft::test;

namespace {

bool equal(const Tensor& a, const Tensor& b) { return a.dtype() == b.dtype() && largest_difference(a, b) == 0; }

}  // namespace

TEST_CASE("gathered rows are those of the plain reference") {
  for (const DType dtype : {f32, f64, i32, i64}) {
    for (const Shape& shape : {Shape{7, 1}, Shape{7}, Shape{50, 33}, Shape{9, 4, 5}, Shape{3, 0}}) {
      const Tensor table = uniform(shape, -100, 100, 1).to(dtype);
      for (const Shape& places : {Shape{}, Shape{5}, Shape{0}, Shape{4, 300}}) {
        const Tensor index = integers(places, shape[0], 2, i32);
        CHECK(equal(kernels::gather_rows(table, index, "test"), kernels::reference::gather_rows(table, index, "test")));
      }
    }
  }
  const Tensor flags = Tensor::from<bool>({true, false, true}, {3});
  CHECK(kernels::gather_rows(flags, Tensor::from<std::int64_t>({1, 2}, {2}), "test").at({1}) == 1);
}

TEST_CASE("tables and indices may be views") {
  const Tensor table = uniform({20, 30}, -1, 1, 1), index = integers({6, 8}, 20, 2);
  const auto same = [&](const Tensor& t, const Tensor& i) {
    return equal(kernels::gather_rows(t, i, "test"), kernels::gather_rows(t.clone(), i.clone(), "test"));
  };
  CHECK(same(table.transpose(0, 1), index));
  CHECK(same(table.slice(1, 3, 9), index.transpose(0, 1)));
  CHECK(same(table.flip(0), index.select(1, 3)));
  CHECK(same(table.slice(0, 0, 1).expand({20, 30}), index));
}

TEST_CASE("rows are added in the same order by any number of threads") {
  const Tensor index = integers({2000}, 11, 3), rows = uniform({2000, 70}, -1, 1, 4, f32);
  Tensor expected = uniform({11, 70}, -1, 1, 5, f32);
  const Tensor start = expected.clone();
  kernels::reference::scatter_add_rows(expected, index, rows, "test");
  const int before = num_threads();
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    Tensor sum = start.clone();
    kernels::scatter_add_rows(sum, index, rows, "test");
    CHECK(equal(sum, expected));
  }
  set_num_threads(before);
}

TEST_CASE("rows of every width are added up") {
  for (const DType dtype : {f32, f64}) {
    for (const std::int64_t width : {0, 1, 3, 16, 17, 40}) {
      const Tensor index = integers({5, 6}, 4, 3, i32), rows = uniform({5, 6, width}, -1, 1, 4, dtype);
      Tensor expected = Tensor::zeros({4, width}, dtype);
      kernels::reference::scatter_add_rows(expected, index, rows, "test");
      CHECK(equal(kernels::scatter_rows(rows, index, 4, "test"), expected));
      const Tensor turned =
          kernels::scatter_rows(rows.transpose(0, 1), index.transpose(0, 1), 4, "test");  // another order of adding
      CHECK(largest_difference(turned, expected) < 1e-5);
    }
  }
  CHECK(kernels::scatter_rows(Tensor::zeros({0, 3}), Tensor::zeros({0}, i64), 2, "test").shape() == Shape{2, 3});
}

TEST_CASE("an index out of range is named with its place, and nothing is written") {
  const Tensor index = Tensor::from<std::int64_t>({0, 1, 2, 3, 4, 9}, {2, 3});
  CHECK_THROWS_WITH_AS(kernels::gather_rows(Tensor::zeros({5, 2}), index, "embedding"),
                       doctest::Contains("[embedding] index 9 at [1, 2] of i64[2, 3] is out of range; there are 5 rows"),
                       IndexError);
  CHECK_THROWS_AS(kernels::check_index(Tensor::from<std::int32_t>({-1}, {1}), 5, "test"), IndexError);
  CHECK_THROWS_AS(kernels::check_index(Tensor::zeros({1}), 5, "test"), DTypeError);
  Tensor target = Tensor::zeros({5, 2});
  CHECK_THROWS_AS(kernels::scatter_add_rows(target, index, Tensor::ones({2, 3, 2}), "test"), IndexError);
  CHECK(largest(target) == 0);
  CHECK_THROWS_AS(kernels::scatter_add_rows(target, index, Tensor::ones({2, 3, 3}), "test"), ShapeError);
  CHECK_THROWS_AS(kernels::scatter_add_rows(target, index, Tensor::ones({2, 3, 2}, f64), "test"), DTypeError);
  CHECK_THROWS_AS(kernels::gather_rows(Tensor::zeros({}), index, "test"), ShapeError);
}

TEST_CASE("an empty table gives no rows, and only no index fits it") {
  CHECK(kernels::gather_rows(Tensor::zeros({0, 3}), Tensor::zeros({0}, i64), "test").shape() == Shape{0, 3});
  CHECK_THROWS_AS(kernels::gather_rows(Tensor::zeros({0, 3}), Tensor::zeros({1}, i64), "test"), IndexError);
}

TEST_CASE("NaN stays in the rows that it came to") {
  Tensor rows = Tensor::ones({3, 2});
  rows.slice(0, 1, 2).fill(std::numeric_limits<double>::quiet_NaN());
  const Tensor sum = kernels::scatter_rows(rows, Tensor::from<std::int64_t>({0, 1, 0}, {3}), 3, "test");
  CHECK(sum.at({0, 1}) == 2);
  CHECK(sum.at({1, 0}) != sum.at({1, 0}));
  CHECK(sum.at({2, 0}) == 0);
}
