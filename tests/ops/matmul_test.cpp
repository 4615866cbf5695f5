#include "weft/ops/matmul.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

bool equal(const Var& x, std::initializer_list<double> values) {
  return largest_difference(x.value().to(f64), Tensor::from<double>(values, x.shape())) == 0;
}

}  // namespace

TEST_CASE("a product and its gradients by hand") {
  for (const DType type : {f32, f64})
    for (const bool create_graph : {false, true}) {
      Tape tape;
      const Var a = tape.leaf(Tensor::from<double>({1, 2, 3, 4}, {2, 2}).to(type));
      const Var b = tape.leaf(Tensor::from<double>({5, 6, 7, 8}, {2, 2}).to(type));
      const Var c = matmul(a, b);
      CHECK(largest_difference(c.value(), Tensor::from<double>({19, 22, 43, 50}, {2, 2})) == 0);
      tape.backward(c, Tensor::from<double>({1, 0, 0, 2}, {2, 2}).to(type), {.create_graph = create_graph});
      CHECK(largest_difference(tape.grad(a), Tensor::from<double>({5, 7, 12, 16}, {2, 2})) == 0);
      CHECK(largest_difference(tape.grad(b), Tensor::from<double>({1, 6, 2, 8}, {2, 2})) == 0);
    }
}

TEST_CASE("a matrix shared by a batch gets the sum of its gradients") {
  for (const bool create_graph : {false, true}) {
    const Tensor a = uniform({3, 4, 5}, -1, 1, 1), g = uniform({3, 4, 2}, -1, 1, 2);
    Tape tape;
    const Var b = tape.leaf(uniform({5, 2}, -1, 1, 3));
    tape.backward(matmul(a, b), g, {.create_graph = create_graph});
    Tensor expected = Tensor::zeros({5, 2}, f64);
    for (std::int64_t i = 0; i < 3; ++i) expected = (matmul(a.select(0, i).transpose(0, 1), g.select(0, i)) + expected).value();
    CHECK(largest_difference(tape.grad(b), expected) < 1e-14);
  }
}

TEST_CASE("linear by hand, with and without its bias, for a vector too") {
  const Tensor weight = Tensor::from<double>({1, 2, 3, 4, 5, 6}, {3, 2}), bias = Tensor::from<double>({10, 20, 30}, {3});
  const Tensor x = Tensor::from<double>({1, -1}, {2});
  CHECK(largest_difference(linear(x, weight, bias).value(), Tensor::from<double>({9, 19, 29}, {3})) == 0);
  CHECK(largest_difference(linear(x, weight).value(), Tensor::from<double>({-1, -1, -1}, {3})) == 0);
  for (const bool create_graph : {false, true}) {
    Tape tape;
    const Var in = tape.leaf(x), w = tape.leaf(weight), b = tape.leaf(bias);
    tape.backward(linear(in, w, b), Tensor::from<double>({1, 0, 2}, {3}), {.create_graph = create_graph});
    CHECK(largest_difference(tape.grad(in), Tensor::from<double>({11, 14}, {2})) == 0);
    CHECK(largest_difference(tape.grad(w), Tensor::from<double>({1, -1, 0, 0, 2, -2}, {3, 2})) == 0);
    CHECK(largest_difference(tape.grad(b), Tensor::from<double>({1, 0, 2}, {3})) == 0);
  }
}

TEST_CASE("sizes of 0 give zeros of the right shape, forward and backward") {
  for (const DType type : {f32, f64})
    for (const bool create_graph : {false, true}) {
      Tape tape;
      const Var a = tape.leaf(Tensor::zeros({2, 0, 3}, type)), b = tape.leaf(Tensor::ones({3, 4}, type));
      const Var none = tape.leaf(Tensor::zeros({2, 0}, type)), rows = tape.leaf(Tensor::zeros({0, 4}, type));
      CHECK(matmul(a, b).shape() == Shape{2, 0, 4});
      CHECK(linear(none, Tensor::zeros({5, 0}, type)).shape() == Shape{2, 5});
      CHECK(linear(Tensor::zeros({0, 3}, type), Tensor::zeros({5, 3}, type)).shape() == Shape{0, 5});
      const Var sums = matmul(none, rows);
      CHECK(largest(sums.value()) == 0);
      tape.backward(sum(sums) + sum(matmul(a, b)), {.create_graph = create_graph});
      CHECK(tape.grad(a).shape() == Shape{2, 0, 3});
      CHECK(tape.grad(none).shape() == Shape{2, 0});
      CHECK(tape.grad(rows).shape() == Shape{0, 4});
      CHECK(largest(tape.grad(b)) == 0);
    }
}

TEST_CASE("NaN and infinity come through products of every size") {
  for (const std::int64_t n : {2, 40})
    for (const double bad : {quiet_nan, inf}) {
      Tensor a = Tensor::zeros({n, n});
      a.slice(0, 1, 2).slice(1, 0, 1).fill(bad);
      const Tensor y = matmul(a, Tensor::ones({n, n})).value(), z = matmul(a, Tensor::zeros({n, n})).value(),
                   w = linear(Tensor::ones({n, n}), a, Tensor::zeros({n})).value();
      for (std::int64_t j = 0; j < n; ++j) {
        CHECK(y.at({0, j}) == 0);
        CHECK_FALSE(std::isfinite(y.at({1, j})));
        CHECK(std::isnan(z.at({1, j})));
        CHECK_FALSE(std::isfinite(w.at({j, 1})));
        CHECK(w.at({j, 0}) == 0);
      }
    }
}

TEST_CASE("what can't be multiplied is refused with both shapes") {
  const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({4, 5});
  CHECK_THROWS_WITH_AS(matmul(a, b), doctest::Contains("[matmul] 3 columns of shape [2, 3] meet 4 rows of shape [4, 5]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(matmul(a, Tensor::zeros({3})), doctest::Contains("[2, 3] and [3]"), ShapeError);
  CHECK_THROWS_WITH_AS(matmul(a, Tensor::zeros({3, 2}, f64)), doctest::Contains("f64[3, 2]"), DTypeError);
  CHECK_THROWS_AS(matmul(Tensor::zeros({2, 2}, i64), Tensor::zeros({2, 2}, i64)), DTypeError);
  CHECK_THROWS_WITH_AS(matmul(Tensor::zeros({2, 2, 3}), Tensor::zeros({3, 3, 2})), doctest::Contains("[matmul]"), ShapeError);
  CHECK_THROWS_WITH_AS(linear(a, b), doctest::Contains("[linear] input [2, 3] doesn't fit weight [4, 5]"), ShapeError);
  CHECK_THROWS_WITH_AS(linear(a, Tensor::zeros({4, 3}), Tensor::zeros({3})), doctest::Contains("bias f32[3]"), ShapeError);
  CHECK_THROWS_AS(linear(a, Tensor::zeros({4, 3}, f64)), DTypeError);
  CHECK_THROWS_AS(linear(a, Tensor::zeros({4, 3}), Tensor::zeros({4}, f64)), ShapeError);
  CHECK_THROWS_AS(linear(Tensor::zeros({}), Tensor::zeros({4, 3})), ShapeError);
}

TEST_CASE("products of vectors and of batches have the values that they should") {
  const Tensor a = Tensor::from<float>({1, 2, 3}, {3}), b = Tensor::from<float>({4, 5, -6}, {3});
  CHECK(dot(a, b).item() == -4);
  CHECK(dot(Tensor::zeros({0}), Tensor::zeros({0})).item() == 0);
  CHECK(equal(outer(a, b.slice(0, 0, 2)), {4, 5, 8, 10, 12, 15}));
  CHECK(equal(outer(Tensor::from<std::int64_t>({2, 3}, {2}), Tensor::from<std::int64_t>({5}, {1})), {10, 15}));
  const Tensor matrix = Tensor::from<float>({1, 0, 2, -1, 3, 1}, {2, 3});
  CHECK(equal(mv(matrix, a), {7, 8}));
  CHECK(equal(mv(Tensor::zeros({2, 0}), Tensor::zeros({0})), {0, 0}));
  CHECK(equal(bmm(Tensor::from<float>({1, 2, 3, 4}, {2, 1, 2}), Tensor::from<float>({5, 6, 7, 8}, {2, 2, 1})), {17, 53}));
}

TEST_CASE("products refuse what doesn't fit, by their own names") {
  const Tensor vector = Tensor::zeros({3}), matrix = Tensor::zeros({2, 3}), batch = Tensor::zeros({2, 3, 4});
  CHECK_THROWS_WITH_AS(bmm(batch, Tensor::zeros({1, 4, 5})),
                       doctest::Contains("[bmm] operands have shapes [2, 3, 4] and [1, 4, 5]"), ShapeError);
  CHECK_THROWS_WITH_AS(bmm(batch, batch), doctest::Contains("[bmm]"), ShapeError);
  CHECK_THROWS_AS(bmm(matrix, batch), ShapeError);
  CHECK_THROWS_WITH_AS(bmm(batch, Tensor::zeros({2, 4, 3}, f64)), doctest::Contains("[bmm] operands f32[2, 3, 4]"), DTypeError);
  CHECK_THROWS_AS(bmm(Var(), batch), ValueError);
  CHECK_THROWS_WITH_AS(mv(matrix, Tensor::zeros({2})), doctest::Contains("[mv] operands have shapes [2, 3] and [2]"),
                       ShapeError);
  CHECK_THROWS_AS(mv(vector, matrix), ShapeError);
  CHECK_THROWS_AS(mv(matrix, vector.to(i64)), DTypeError);
  CHECK_THROWS_AS(mv(matrix, Var()), ValueError);
  CHECK_THROWS_WITH_AS(dot(vector, Tensor::zeros({4})), doctest::Contains("[dot] operands have shapes [3] and [4]"),
                       ShapeError);
  CHECK_THROWS_AS(dot(matrix, matrix), ShapeError);
  CHECK_THROWS_AS(dot(vector, vector.to(f64)), DTypeError);
  CHECK_THROWS_AS(dot(Var(), vector), ValueError);
  CHECK_THROWS_WITH_AS(outer(vector, matrix), doctest::Contains("[outer] operands have shapes [3] and [2, 3]"), ShapeError);
  CHECK_THROWS_AS(outer(Tensor::zeros({}), vector), ShapeError);
  CHECK_THROWS_AS(outer(vector, vector.to(f64)), DTypeError);
  CHECK_THROWS_AS(outer(vector, Var()), ValueError);
  const Tensor long_one = Tensor::zeros({1}).expand({std::int64_t{1} << 32});
  CHECK_THROWS_WITH_AS(outer(long_one, long_one), doctest::Contains("[outer] a result of shape"), ShapeError);
}

TEST_CASE("a batch of matrices that is multiplied many times has its gradient by one product, whatever the rows") {
  for (const DType type : {f32, f64}) {
    const Tensor matrices = test::uniform({2, 3, 4}, -1, 1, 1, type);
    Tensor expected = Tensor::zeros({2, 3, 4}, type);
    Tape tape;
    const Var b = tape.leaf(matrices);
    Var total = Var::scalar(0, type);
    for (const std::int64_t rows : {1, 5, 0, 2}) {
      const Tensor a = test::uniform({2, rows, 3}, -1, 1, 2 + static_cast<std::uint64_t>(rows), type);
      const Tensor weights = test::uniform({2, rows, 4}, -1, 1, 9 + static_cast<std::uint64_t>(rows), type);
      total = total + sum(matmul(a, b) * weights);
      expected.copy_from((Var(expected) + matmul(transpose(Var(a), 1, 2), weights)).value());
    }
    total = total + sum(b);  // beside the products
    tape.backward(total);
    CHECK(test::largest_difference(tape.grad(b), (Var(expected) + 1.0).value()) <= (type == f32 ? 1e-6 : 1e-14));
  }
}

TEST_CASE("a product that was put off notices that its operand was changed meanwhile") {
  for (const Shape& shape : {Shape{2, 2}, Shape{3, 2, 2}}) {
    Tensor values = uniform(shape, -1, 1, 1, f64);
    Tape tape;
    const Var b = tape.leaf(uniform(shape, -1, 1, 2, f64)), a = tape.leaf(values);
    tape.on_gradient(a, [&](const Var&) {
      values.fill(7);
      return Var();
    });
    const Var c = matmul(a, b);
    try {
      tape.backward(sum(c));
      // a's hook ran after the product was done: what it changed was used up.
      CHECK(largest_difference(
                tape.grad(b),
                matmul(transpose(Var(uniform(shape, -1, 1, 1, f64)), -1, -2), Var(Tensor::ones(shape, f64))).value()) <= 1e-14);
    } catch (const TapeError& error) {
      CHECK(std::string(error.what()).find("'matmul' had saved") != std::string::npos);
    }
  }
}
