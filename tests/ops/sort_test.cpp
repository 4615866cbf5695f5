#include "weft/ops/sort.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "ops/derivatives.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/ops/index.hpp"

namespace weft {
namespace {

using namespace test;

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> list(const Tensor& x) {
  const Tensor dense = x.to(f64).contiguous();
  return {dense.data<double>(), dense.data<double>() + dense.numel()};
}

TEST_CASE("sorted values and indices") {
  const Tensor x = Tensor::from<double>({3, 1, 2, 5, 4, 6}, {2, 3});
  const SortResult rows = sort(x), columns = sort(x, 0, true);
  CHECK(list(rows.values.value()) == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(list(rows.indices) == std::vector<double>{1, 2, 0, 1, 0, 2});
  CHECK(list(columns.values.value()) == std::vector<double>{5, 4, 6, 3, 1, 2});
  CHECK(list(columns.indices) == std::vector<double>{1, 1, 1, 0, 0, 0});
  CHECK(rows.indices.dtype() == i64);
  CHECK(list(argsort(x)) == list(rows.indices));
  CHECK(list(argsort(x, 0, true)) == list(columns.indices));
  CHECK(list(sort(x.transpose(0, 1), 0).values.value()) == std::vector<double>{1, 4, 2, 5, 3, 6});
  CHECK(list(gather(x, 0, columns.indices).value()) == list(columns.values.value()));
}

TEST_CASE("NaN counts as the largest, and equal elements keep their order") {
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({2, nan, 1, inf, -inf, nan, 2}, {7}).to(type);
    CHECK(list(argsort(x)) == std::vector<double>{4, 2, 0, 6, 3, 1, 5});
    CHECK(list(argsort(x, 0, true)) == std::vector<double>{1, 5, 3, 0, 6, 2, 4});
    CHECK(std::isnan(sort(x).values.value().at({6})));
    CHECK(list(topk(x, 3).indices) == std::vector<double>{1, 5, 3});
    CHECK(list(topk(x, 3, 0, false).indices) == std::vector<double>{4, 2, 0});
    // A NaN stays with its own gradient.
    const Tensor g = gradient([](const Var& in) { return topk(in, 1, 0, false).values; }, x);
    CHECK(list(g) == std::vector<double>{0, 0, 0, 0, 1, 0, 0});
  }
  CHECK(list(argsort(Tensor::from<float>({0, -0.0f, 0}, {3}), 0, true)) == std::vector<double>{0, 1, 2});
  CHECK(list(argsort(Tensor::from<bool>({true, false, true, false}, {4}))) == std::vector<double>{1, 3, 0, 2});
  CHECK(list(sort(Tensor::from<std::int64_t>({5, -2, 5, 0}, {4}), 0, true).values.value()) == std::vector<double>{5, 5, 0, -2});
}

TEST_CASE("the largest and the smallest k") {
  const Tensor x = Tensor::from<double>({3, 1, 2, 5, 4, 6}, {2, 3});
  CHECK(list(topk(x, 2).values.value()) == std::vector<double>{3, 2, 6, 5});
  CHECK(list(topk(x, 2, 1, false).values.value()) == std::vector<double>{1, 2, 4, 5});
  CHECK(list(topk(x, 1, 0).indices) == std::vector<double>{1, 1, 1});
  CHECK(topk(x, 0).values.shape() == Shape{2, 0});
  CHECK(topk(x, 0, 0).indices.shape() == Shape{0, 3});
  const Tensor unsorted = topk(x, 2, 1, true, false).values.value();
  CHECK(unsorted.at({0, 0}) + unsorted.at({0, 1}) == 5);
  const Tensor g = gradient([](const Var& in) { return topk(in, 2).values * Tensor::from<double>({1, 10}, {2}); }, x);
  CHECK(list(g) == std::vector<double>{1, 0, 10, 10, 0, 1});
}

TEST_CASE("scalars and what is empty") {
  const Tensor three = Tensor::full({}, 3);
  CHECK(sort(three).values.item() == 3);
  CHECK(sort(three).indices.item() == 0);
  CHECK(argsort(three, 0).shape() == Shape{});
  CHECK(topk(three, 1).values.shape() == Shape{});
  CHECK(topk(three, 1).indices.item() == 0);
  CHECK(sort(Tensor::zeros({0, 3}), 0).values.shape() == Shape{0, 3});
  CHECK(sort(Tensor::zeros({0, 3}), 1).indices.shape() == Shape{0, 3});
  CHECK(topk(Tensor::zeros({0, 3}), 2).values.shape() == Shape{0, 2});
}

TEST_CASE("long rows with repeated values agree with a stable sort") {
  Generator generator(3);
  Tensor x = Tensor::empty({3, 1001});
  for (std::int64_t i = 0; i < x.numel(); ++i)
    x.mutable_data<float>()[i] = std::floor(static_cast<float>(100 * generator.uniform()));
  for (const bool descending : {false, true}) {
    const Tensor found = argsort(x, 1, descending), first = topk(x, 37, 1, descending).indices;
    for (std::int64_t row = 0; row < 3; ++row) {
      const float* values = x.data<float>() + row * 1001;
      std::vector<std::int64_t> order(1001);
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return descending ? values[a] > values[b] : values[a] < values[b];
      });
      CHECK(std::equal(order.begin(), order.end(), found.data<std::int64_t>() + row * 1001));
      CHECK(std::equal(order.begin(), order.begin() + 37, first.data<std::int64_t>() + row * 37));
    }
  }
}

TEST_CASE("sorting names wrong arguments") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(sort(x, 2), doctest::Contains("[sort]"), IndexError);
  CHECK_THROWS_WITH_AS(sort(x, -3), doctest::Contains("[2, 3]"), IndexError);
  CHECK_THROWS_WITH_AS(sort(Var()), doctest::Contains("[sort] the input is undefined"), ValueError);
  CHECK_THROWS_AS(sort(Tensor::zeros({}), 1), IndexError);
  CHECK_THROWS_WITH_AS(argsort(x, 2), doctest::Contains("[argsort]"), IndexError);
  CHECK_THROWS_AS(argsort(x, -3, true), IndexError);
  CHECK_THROWS_AS(argsort(Tensor::zeros({}), -2), IndexError);
  CHECK_THROWS_AS(argsort(Var()), ValueError);
  CHECK_THROWS_WITH_AS(topk(x, 4), "[topk] k is 4; axis 1 of f32[2, 3] has 3 elements", ValueError);
  CHECK_THROWS_WITH_AS(topk(x, -1, 0), "[topk] k is -1; axis 0 of f32[2, 3] has 2 elements", ValueError);
  CHECK_THROWS_AS(topk(x, 1, 2), IndexError);
  CHECK_THROWS_AS(topk(Tensor::zeros({}), 2), ValueError);
  CHECK_THROWS_AS(topk(Var(), 1), ValueError);
}

}  // namespace
}  // namespace weft
