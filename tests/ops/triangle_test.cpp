#include "weft/ops/triangle.hpp"

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

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();

bool equal(const Var& x, std::initializer_list<double> values) {
  return largest_difference(x.value().to(f64), Tensor::from<double>(values, x.shape())) == 0;
}

const Tensor nine = Tensor::from<double>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3});

}  // namespace

TEST_CASE("tril and triu keep one side of a diagonal") {
  CHECK(equal(tril(nine), {1, 0, 0, 4, 5, 0, 7, 8, 9}));
  CHECK(equal(triu(nine), {1, 2, 3, 0, 5, 6, 0, 0, 9}));
  CHECK(equal(tril(nine, 1), {1, 2, 0, 4, 5, 6, 7, 8, 9}));
  CHECK(equal(triu(nine, -1), {1, 2, 3, 4, 5, 6, 0, 8, 9}));
  CHECK(equal(tril(nine, -2), {0, 0, 0, 0, 0, 0, 7, 0, 0}));
  CHECK(equal(triu(nine, 3), {0, 0, 0, 0, 0, 0, 0, 0, 0}));
  CHECK(equal(tril(nine, most), {1, 2, 3, 4, 5, 6, 7, 8, 9}));
  CHECK(largest(tril(nine, least).value()) == 0);
  CHECK(largest(triu(nine, most).value()) == 0);
  CHECK(equal(triu(nine.slice(0, 0, 2), least), {1, 2, 3, 4, 5, 6}));
  const Tensor seen = tril(Tensor::ones({2, 2}, boolean)).value();
  CHECK(seen.dtype() == boolean);
  CHECK(seen.at({1, 0}) == 1);
  CHECK(seen.at({0, 1}) == 0);
}

TEST_CASE("what a triangle leaves out, NaN included, reaches neither the value nor the gradient") {
  Tensor x = nine.clone();
  x.select(0, 0).slice(0, 1, 3).fill(not_a_number);
  CHECK(equal(tril(x).value().select(0, 0), {1, 0, 0}));
  CHECK(std::isnan(triu(x).value().at({0, 1})));
  Tape tape;
  const Var leaf = tape.leaf(nine);
  Tensor g = Tensor::ones({3, 3}, f64);
  g.select(0, 0).slice(0, 1, 3).fill(not_a_number);
  tape.backward(tril(leaf), g);
  CHECK(equal(tape.grad(leaf), {1, 0, 0, 1, 1, 0, 1, 1, 1}));
}

TEST_CASE("diagonal is a view of the elements on a diagonal") {
  CHECK(equal(diagonal(nine), {1, 5, 9}));
  CHECK(equal(diagonal(nine, 1), {2, 6}));
  CHECK(equal(diagonal(nine, -2), {7}));
  CHECK(equal(diagonal(nine, 1, 1, 0), {4, 8}));
  CHECK(diagonal(nine).value().same_buffer(nine));
  for (const std::int64_t offset : {std::int64_t{3}, std::int64_t{-3}, least, most})
    CHECK(diagonal(nine, offset).shape() == Shape{0});
  const Tensor x = uniform({3, 4, 5}, -1, 1, 1);
  const Tensor y = diagonal(x, 1, 0, -1).value();
  CHECK(y.shape() == Shape{4, 3});
  for (std::int64_t i = 0; i < 3; ++i) CHECK(y.at({2, i}) == x.at({i, 2, i + 1}));
}

TEST_CASE("a diagonal's gradient comes back to the diagonal, for views too") {
  Tape tape;
  const Var x = tape.leaf(nine);
  tape.backward(diagonal(x, -1), Tensor::from<double>({10, 20}, {2}));
  CHECK(equal(tape.grad(x), {0, 0, 0, 10, 0, 0, 0, 20, 0}));
  tape.backward(diagonal(x, 1, 1, 0), Tensor::from<double>({10, 20}, {2}));
  CHECK(equal(tape.grad(x), {0, 0, 0, 10, 0, 0, 0, 20, 0}));
}

TEST_CASE("triangles and diagonals have second derivatives") {
  Tape tape;
  const Var x = tape.leaf(nine);
  const Var y = tril(x) * triu(x, -1) * x;  // x^3 on the diagonal and the one below
  tape.backward(sum(y) + sum(diagonal(x, 1) * square(diagonal(x, 1))), {.create_graph = true});
  CHECK(equal(tape.grad(x), {3, 12, 0, 48, 75, 108, 0, 192, 243}));
  tape.backward(sum(tape.grad_var(x)));
  CHECK(equal(tape.grad(x), {6, 12, 0, 24, 30, 36, 0, 48, 54}));
}

TEST_CASE("errors of triangles name the operation and the shape") {
  CHECK_THROWS_WITH_AS(tril(Tensor::zeros({3})), doctest::Contains("[tril] the input has shape [3]"), ShapeError);
  CHECK_THROWS_WITH_AS(triu(Tensor::zeros({})), doctest::Contains("[triu] the input has shape []"), ShapeError);
  CHECK_THROWS_AS(tril(Var()), ValueError);
  CHECK_THROWS_AS(triu(Var()), ValueError);
  CHECK_THROWS_WITH_AS(diagonal(nine, 0, 1, -1), doctest::Contains("[diagonal] axis 1 stands twice for shape [3, 3]"),
                       IndexError);
  CHECK_THROWS_WITH_AS(diagonal(nine, 0, 0, 2), doctest::Contains("[diagonal] axis 2"), IndexError);
  CHECK_THROWS_AS(diagonal(Tensor::zeros({3})), IndexError);
  CHECK_THROWS_AS(diagonal(Var()), ValueError);
}
