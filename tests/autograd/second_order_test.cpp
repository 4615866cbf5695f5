#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "autograd/local_ops.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// The first `order` derivatives of y = f(x) at x, each by a backward pass through the one before.
template <class Function>
std::vector<double> derivatives(const Function& f, double x, int order) {
  Tape tape;
  const Var leaf = tape.leaf(vector({x}));
  Var y = f(leaf);
  std::vector<double> result;
  for (int i = 0; i < order; ++i) {
    tape.backward(y, {.create_graph = true});
    y = tape.grad_var(leaf);
    result.push_back(y.item());
  }
  return result;
}

}  // namespace

TEST_CASE("derivatives of polynomials of every order") {
  const auto cube = [](const Var& x) { return times(times(x, x), x); };
  CHECK(derivatives(cube, 2, 3) == std::vector<double>{12, 12, 6});
  const auto mixed = [](const Var& x) {  // 2 x^4 - 3 x^2 + x
    const Var square = times(x, x);
    return plus(plus(times(times(square, square), vector({2})), times(square, vector({-3}))), x);
  };
  CHECK(derivatives(mixed, 1, 4) == std::vector<double>{3, 18, 48, 48});
}

TEST_CASE("the exponential is its own derivative") {
  const auto found = derivatives([](const Var& x) { return exponential(x); }, 0.7, 4);
  for (const double value : found) CHECK(value == doctest::Approx(std::exp(0.7)).epsilon(1e-14));
}

TEST_CASE("mixed second derivatives through broadcasting") {
  Tape tape;
  const Var a = tape.leaf(vector({2, 3})), b = tape.leaf(vector({5}));
  tape.backward(total(times(times(a, a), b)), {.create_graph = true});  // da = 2ab, db = sum a^2
  const Var slope = tape.grad_var(a);
  CHECK(slope.value().at({1}) == 30);
  tape.backward(total(slope));
  CHECK(tape.grad(a).at({0}) == 10);
  CHECK(tape.grad(b).at({0}) == 10);  // sum of 2a
}

TEST_CASE("slices and rows have second derivatives") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2, 3, 4}));
  const Var part = slice(x, 0, 1, 3);
  const Var rows = gather_rows(x, Tensor::from<std::int64_t>({3, 3, 0}, {3}));
  const Var y = plus(total(times(times(part, part), part)), total(times(rows, rows)));
  tape.backward(y, {.create_graph = true});
  const Var slope = tape.grad_var(x);
  CHECK(slope.value().at({0}) == 2);
  CHECK(slope.value().at({1}) == 12);
  CHECK(slope.value().at({3}) == 16);
  tape.backward(total(slope));
  CHECK(tape.grad(x).at({0}) == 2);
  CHECK(tape.grad(x).at({2}) == 18);
  CHECK(tape.grad(x).at({3}) == 4);
}

TEST_CASE("create_graph needs the tape to be the one that records") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var y = times(x, x);
  const NoGrad guard;
  CHECK_THROWS_AS(tape.backward(y, {.create_graph = true}), TapeError);
}
