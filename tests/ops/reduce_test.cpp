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
  CHECK(prod(Tensor::zeros({0})).item() == 1);
  CHECK(prod(Tensor::zeros({0, 3}), {0}).value().at({2}) == 1);
  CHECK_THROWS_AS(max(Tensor::zeros({0})), ValueError);
  CHECK_THROWS_AS(min(Tensor::zeros({0})), ValueError);
  CHECK(min(Tensor::zeros({0, 3}), {1}).shape() == Shape{0});
  CHECK_THROWS_AS(max(Tensor::zeros({2, 0}), {1}), ValueError);
  CHECK(max(Tensor::zeros({0, 3}), {1}).shape() == Shape{0});
  for (const DType type : {f32, f64}) {
    const Tensor empty = Tensor::zeros({0, 3}, type);
    CHECK(gradient([](const Var& x) { return sum(x, {0}); }, empty).shape() == Shape{0, 3});
    CHECK(gradient([](const Var& x) { return mean(x, {0}); }, empty).shape() == Shape{0, 3});
    CHECK(gradient([](const Var& x) { return logsumexp(x, {0}); }, empty).shape() == Shape{0, 3});
    CHECK(gradient([](const Var& x) { return prod(x, {0}); }, empty).shape() == Shape{0, 3});
    CHECK(gradient([](const Var& x) { return prod(x, {1}); }, empty).shape() == Shape{0, 3});
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

TEST_CASE("the smallest element") {
  const Tensor x = Tensor::from<double>({1, 5, 1, 2, 7, 3}, {2, 3});
  CHECK(min(x).item() == 1);
  CHECK(min(x, {1}, true).shape() == Shape{2, 1});
  const Tensor g = gradient([](const Var& in) { return min(in, {1}); }, x);
  CHECK(g.at({0, 0}) == 0.5);
  CHECK(g.at({0, 1}) == 0);
  CHECK(g.at({0, 2}) == 0.5);
  CHECK(g.at({1, 0}) == 1);
  CHECK(std::isnan(min(Tensor::from<double>({1, nan, 3}, {3})).item()));
  CHECK(min(Tensor::from<double>({inf, inf}, {2})).item() == inf);
  CHECK(min(Tensor::from<std::int64_t>({4, -2, 7}, {3})).item() == -2);
}

TEST_CASE("products with zeros have the right gradients") {
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({2, 3, -4, 2, 0, 5, 0, 3, 0, 0, 0, 0}, {4, 3}).to(type);
    const auto f = [](const Var& in) { return prod(in, {1}); };
    CHECK(f(x).value().at({0}) == -24);
    CHECK(f(x).value().at({1}) == 0);
    const Tensor g = gradient(f, x);
    const double wanted[] = {-12, -8, 6, 0, 10, 0, 0, 0, 0, 0, 0, 0};
    for (std::int64_t i = 0; i < 12; ++i) CHECK(g.at({i / 3, i % 3}) == wanted[i]);
    // d/dx of the sum of squared gradients (bc)^2 + (ac)^2 + (ab)^2 is 2a (c^2 + b^2) and so on; with a zero too.
    Tape tape;
    const Var leaf = tape.leaf(x);
    tape.backward(sum(f(leaf)), {.create_graph = true});
    const Var first = tape.grad_var(leaf);
    tape.backward(sum(square(first)));
    const double second[] = {100, 120, -104, 100, 0, 40, 0, 0, 0, 0, 0, 0};
    for (std::int64_t i = 0; i < 12; ++i) CHECK(tape.grad(leaf).at({i / 3, i % 3}) == second[i]);
  }
  CHECK(prod(Tensor::from<float>({1e30f, 1e30f, 1e-30f, 1e-30f}, {4})).item() == doctest::Approx(1));
  CHECK(std::isnan(prod(Tensor::from<float>({0, static_cast<float>(nan)}, {2})).item()));
  CHECK(std::isnan(prod(Tensor::from<double>({0, inf}, {2})).item()));
  CHECK(prod(Tensor::full({3}, 2, i32)).dtype() == i64);
  CHECK(prod(Tensor::full({3}, 2, i32)).item() == 8);
  CHECK(prod(Tensor::from<bool>({true, false}, {2})).item() == 0);
}

TEST_CASE("where the largest and the smallest element stand") {
  const Tensor x = Tensor::from<double>({3, 9, 9, -1, 4, -1}, {2, 3});
  CHECK(argmax(x).item() == 1);
  CHECK(argmin(x).item() == 3);
  CHECK(argmax(x.transpose(0, 1)).item() == 2);
  CHECK(argmax(x, 1).dtype() == i64);
  CHECK(argmax(x, 1).at({1}) == 1);
  CHECK(argmin(x, -1).at({1}) == 0);
  CHECK(argmin(x, 0).at({2}) == 1);
  CHECK(argmax(x, 0).shape() == Shape{3});
  CHECK(argmax(x, 0, true).shape() == Shape{1, 3});
  CHECK(argmin(x, -1, true).shape() == Shape{2, 1});
  const Tensor special = Tensor::from<float>({1, static_cast<float>(nan), 5, static_cast<float>(nan)}, {4});
  CHECK(argmax(special).item() == 1);
  CHECK(argmin(special, 0).item() == 1);
  CHECK(argmax(Tensor::full({}, 3)).item() == 0);
  CHECK(argmin(Tensor::full({}, 3), -1).item() == 0);
  CHECK(argmin(Tensor::from<std::int64_t>({4, -2, 7}, {3})).item() == 1);
  CHECK(argmax(Tensor::zeros({0, 3}), 1).shape() == Shape{0});
  CHECK_THROWS_WITH_AS(argmax(Tensor::zeros({2, 0})), "[argmax] there is nothing to choose from in f32[2, 0]", ValueError);
  CHECK_THROWS_WITH_AS(argmin(Tensor::zeros({2, 0}), 1), "[argmin] axis 1 of f32[2, 0] is empty", ValueError);
  CHECK_THROWS_WITH_AS(argmin(x, 2), doctest::Contains("[argmin]"), IndexError);
  CHECK_THROWS_WITH_AS(argmax(x, -3), doctest::Contains("[2, 3]"), IndexError);
  CHECK_THROWS_AS(argmax(Var()), ValueError);
  CHECK_THROWS_AS(argmin(Var(), 0), ValueError);
}

TEST_CASE("any and all of bool tensors") {
  const Tensor x = Tensor::from<bool>({true, false, true, true, false, false}, {3, 2});
  CHECK(any(x).item() == 1);
  CHECK(all(x).item() == 0);
  CHECK(any(x, {1}).shape() == Shape{3});
  CHECK(any(x, {1}).at({0}) == 1);
  CHECK(any(x, {1}).at({2}) == 0);
  CHECK(all(x, {1}).at({0}) == 0);
  CHECK(all(x, {1}).at({1}) == 1);
  CHECK(all(x, {0, -1}, true).shape() == Shape{1, 1});
  CHECK(any(x.transpose(0, 1), {0}).at({2}) == 0);
  CHECK(any(Tensor::zeros({0}, boolean)).item() == 0);
  CHECK(all(Tensor::zeros({0}, boolean)).item() == 1);
  CHECK(all(Tensor::zeros({2, 0}, boolean), {1}).at({1}) == 1);
  CHECK_THROWS_WITH_AS(any(Tensor::zeros({2, 3})), doctest::Contains("[any] the input is f32[2, 3]; bool is needed"),
                       DTypeError);
  CHECK_THROWS_WITH_AS(all(Tensor::zeros({2, 3}, i64)), doctest::Contains("[all] the input is i64[2, 3]; bool is needed"),
                       DTypeError);
  CHECK_THROWS_WITH_AS(any(x, {2}), doctest::Contains("[any]"), IndexError);
  CHECK_THROWS_WITH_AS(all(x, {0, 0}), doctest::Contains("[all] axis 0 stands twice for shape [3, 2]"), IndexError);
  CHECK_THROWS_AS(any(Tensor()), ValueError);
  CHECK_THROWS_AS(all(Tensor(), {0}), ValueError);
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
  CHECK_THROWS_WITH_AS(min(x, {-3}), doctest::Contains("[min]"), IndexError);
  CHECK_THROWS_WITH_AS(min(x, {0, 0}), doctest::Contains("[min] axis 0 stands twice for shape [2, 3]"), IndexError);
  CHECK_THROWS_WITH_AS(min(Tensor::zeros({2, 0}), {1}), "[min] there is nothing to choose from in f32[2, 0]", ValueError);
  CHECK_THROWS_WITH_AS(prod(x, {2}), doctest::Contains("[prod]"), IndexError);
  CHECK_THROWS_WITH_AS(prod(x, {0, -2}), doctest::Contains("[prod] axis 0 stands twice for shape [2, 3]"), IndexError);
  Var (*const of_all[])(const Var&) = {sum, mean, prod, max, min, logsumexp};
  for (const auto function : of_all) CHECK_THROWS_AS(function(Var()), ValueError);
  CHECK_THROWS_AS(mean(Tensor::zeros({2}, i64)), DTypeError);
  CHECK_THROWS_AS(logsumexp(Tensor::zeros({2}, i64)), DTypeError);
  CHECK(sum(Tensor::full({3}, 2, i32)).dtype() == i64);
}

}  // namespace
}  // namespace weft
