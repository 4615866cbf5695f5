#include "weft/ops/matmul.hpp"

#include <doctest/doctest.h>

#include "support/random.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::test;

namespace {

bool equal(const Var& x, std::initializer_list<double> values) {
  return largest_difference(x.value().to(f64), Tensor::from<double>(values, x.shape())) == 0;
}

}  // namespace

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
