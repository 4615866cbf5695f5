#include "weft/ops/reduce.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

template <class Function>
Tensor gradient(const Function& f, const Tensor& x) {
  Tape tape;
  const Var leaf = tape.leaf(x);
  tape.backward(sum(f(leaf)));
  return tape.grad(leaf).contiguous();
}

TEST_CASE("shapes with and without the reduced axes") {
  const Tensor x = Tensor::ones({2, 3, 4});
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x).item() == 24);
  CHECK(sum(x, {1}).shape() == Shape{2, 4});
  CHECK(sum(x, {-1, 0}).shape() == Shape{3});
  CHECK(sum(x, {-1, 0}, true).shape() == Shape{1, 3, 1});
  CHECK(sum(x, {}).shape() == Shape{2, 3, 4});
  CHECK(mean(x, {0, 1, 2}).item() == 1);
  CHECK(max(x, {2}, true).shape() == Shape{2, 3, 1});
  const std::vector<int> axes = {2, 0};
  CHECK(logsumexp(x, axes).shape() == Shape{3});
}

TEST_CASE("reductions of nothing") {
  CHECK(sum(Tensor::zeros({0, 3}), {0}).value().at({1}) == 0);
  CHECK(sum(Tensor::zeros({0, 3}), {1}).shape() == Shape{0});
  CHECK(std::isnan(mean(Tensor::zeros({0})).item()));
  CHECK(std::isnan(mean(Tensor::zeros({2, 0}), {1}).value().at({1})));
  CHECK(logsumexp(Tensor::zeros({0})).item() == -inf);
  CHECK_THROWS_AS(max(Tensor::zeros({0})), ValueError);
  CHECK_THROWS_AS(max(Tensor::zeros({2, 0}), {1}), ValueError);
  CHECK(max(Tensor::zeros({0, 3}), {1}).shape() == Shape{0});
  for (const DType type : {f32, f64}) {
    const Tensor empty = Tensor::zeros({0, 3}, type);
    CHECK(gradient([](const Var& x) { return sum(x, {0}); }, empty).shape() == Shape{0, 3});
    CHECK(gradient([](const Var& x) { return mean(x, {0}); }, empty).shape() == Shape{0, 3});
    CHECK(gradient([](const Var& x) { return logsumexp(x, {0}); }, empty).shape() == Shape{0, 3});
  }
}

TEST_CASE("equal largest elements share the gradient") {
  const Tensor x = Tensor::from<double>({1, 5, 5, 2, 7, 3}, {2, 3});
  const Tensor g = gradient([](const Var& in) { return max(in, {1}); }, x);
  CHECK(g.at({0, 0}) == 0);
  CHECK(g.at({0, 1}) == 0.5);
  CHECK(g.at({0, 2}) == 0.5);
  CHECK(g.at({1, 1}) == 1);
  CHECK(g.at({1, 2}) == 0);
  CHECK(std::isnan(max(Tensor::from<double>({1, nan, 3}, {3})).item()));
}

TEST_CASE("logsumexp with infinities") {
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({-inf, -inf, -inf, 0, -inf, 1e4}, {2, 3}).to(type);
    const auto f = [](const Var& in) { return logsumexp(in, {1}); };
    CHECK(f(x).value().at({0}) == -inf);
    CHECK(f(x).value().at({1}) == doctest::Approx(1e4));
    const Tensor g = gradient(f, x);
    for (const std::int64_t j : {0, 1, 2}) CHECK(g.at({0, j}) == 0);
    CHECK(g.at({1, 0}) == 0);
    CHECK(g.at({1, 1}) == 0);
    CHECK(g.at({1, 2}) == 1);
    Tape tape;
    const Var leaf = tape.leaf(x);
    tape.backward(sum(f(leaf)), {.create_graph = true});
    const Var first = tape.grad_var(leaf);
    tape.backward(sum(square(first)));
    const Tensor second = tape.grad(leaf);
    for (const std::int64_t j : {0, 1, 2}) CHECK(std::isfinite(second.at({0, j})));
  }
  CHECK(logsumexp(Tensor::from<double>({1, inf}, {2})).item() == inf);
  CHECK(std::isnan(logsumexp(Tensor::from<double>({1, nan}, {2})).item()));
}

TEST_CASE("wrong arguments are named") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(sum(x, {1, -1}), doctest::Contains("[sum] axis 1 stands twice for shape [2, 3]"), IndexError);
  CHECK_THROWS_AS(mean(x, {2}), IndexError);
  CHECK_THROWS_AS(max(x, {-3}), IndexError);
  CHECK_THROWS_AS(mean(Tensor::zeros({2}, i64)), DTypeError);
  CHECK_THROWS_AS(logsumexp(Tensor::zeros({2}, i64)), DTypeError);
  CHECK(sum(Tensor::full({3}, 2, i32)).dtype() == i64);
}

}  // namespace
}  // namespace weft
