#include "kernels/scatter.hpp"

#include <doctest/doctest.h>

#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using namespace weft::test;

namespace {

using Scatter = void (*)(Tensor&, int, const Tensor&, const Tensor&);

Tensor run(Scatter function, const Tensor& start, int axis, const Tensor& index, const Tensor& source) {
  Tensor target = start.clone();
  function(target, axis, index, source);
  return target;
}

void agree(const Tensor& start, int axis, const Tensor& index, const Tensor& source) {
  for (const auto& [fast, plain] : {std::pair<Scatter, Scatter>{kernels::scatter_add, kernels::reference::scatter_add},
                                    {kernels::scatter, kernels::reference::scatter}})
    CHECK(largest_difference(run(fast, start, axis, index, source), run(plain, start, axis, index, source)) == 0);
}

}  // namespace

TEST_CASE("scattered elements are those of the plain reference, along every axis") {
  for (const DType dtype : {f32, f64, i32, i64}) {
    const Tensor start = uniform({5, 6, 7}, -100, 100, 1).to(dtype), source = uniform({4, 6, 3}, -100, 100, 2).to(dtype);
    for (const int axis : {0, 1, 2}) agree(start, axis, integers({4, 6, 3}, start.size(axis), 3), source);
  }
  agree(uniform({40}, -1, 1, 1), 0, integers({1000}, 40, 2), uniform({1000}, -1, 1, 3));
  agree(uniform({300, 5}, -1, 1, 1), 1, integers({300, 90}, 5, 2), uniform({300, 90}, -1, 1, 3));
  agree(uniform({5, 300}, -1, 1, 1), 0, integers({90, 300}, 5, 2), uniform({90, 300}, -1, 1, 3));
  agree(uniform({2, 3}, -1, 1, 1), 1, Tensor::zeros({2, 0}, i64), uniform({2, 0}, -1, 1, 3));
}

TEST_CASE("index and source of a scatter may be views") {
  const Tensor start = uniform({6, 8, 5}, -1, 1, 1), places = integers({5, 9}, 8, 2), source = uniform({5, 9, 6}, -1, 1, 3);
  agree(start, 1, places.transpose(0, 1).unsqueeze(0).expand({6, 9, 5}), source.permute({2, 1, 0}));
  agree(start, 1, places.select(0, 2).unsqueeze(1).expand({6, 9, 5}), source.permute({2, 1, 0}).flip(0));
  agree(start, 2, integers({6, 5, 8}, 5, 4).permute({0, 2, 1}), uniform({8, 6, 5}, -1, 1, 5).transpose(0, 1));
}

TEST_CASE("elements are scattered in one order by any number of threads") {
  const Tensor start = uniform({11, 300}, -1, 1, 1, f32), source = uniform({500, 300}, -1, 1, 2, f32);
  const Tensor index = integers({500, 300}, 11, 3);
  const Tensor sum = run(kernels::reference::scatter_add, start, 0, index, source);
  const Tensor last = run(kernels::reference::scatter, start, 0, index, source);
  const int before = num_threads();
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    CHECK(largest_difference(run(kernels::scatter_add, start, 0, index, source), sum) == 0);
    CHECK(largest_difference(run(kernels::scatter, start, 0, index, source), last) == 0);
  }
  set_num_threads(before);
}

TEST_CASE("a scatter refuses what doesn't fit") {
  Tensor target = Tensor::zeros({3, 4});
  const Tensor index = Tensor::zeros({2, 2}, i64), source = Tensor::ones({2, 2});
  CHECK_THROWS_AS(kernels::scatter_add(target, 1, index, Tensor::ones({2, 3})), ShapeError);
  CHECK_THROWS_AS(kernels::scatter_add(target, 2, index, source), ShapeError);
  CHECK_THROWS_AS(kernels::scatter_add(target, 1, Tensor::zeros({4, 2}, i64), Tensor::ones({4, 2})), ShapeError);
  CHECK_THROWS_AS(kernels::scatter_add(target, 1, index.to(i32), source), DTypeError);
  CHECK_THROWS_AS(kernels::scatter(target, 1, index, source.to(f64)), DTypeError);
  Tensor flags = Tensor::zeros({3, 4}, boolean);
  CHECK_THROWS_AS(kernels::scatter_add(flags, 1, index, Tensor::ones({2, 2}, boolean)), DTypeError);
  kernels::scatter(flags, 1, index, Tensor::ones({2, 2}, boolean));
  CHECK(flags.at({1, 0}) == 1);
}
