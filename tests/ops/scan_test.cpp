#include "weft/ops/scan.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ops/derivatives.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"

namespace weft {
namespace {

using namespace test;

TEST_CASE("running sums along each axis, and their gradients") {
  const Tensor x = Tensor::from<double>({1.5, -2, 0.5, 3, 0.25, 4, -1, 2}, {2, 4});
  const Tensor rows = cumsum(x, 1).value(), columns = cumsum(x, 0).value();
  const double along_rows[] = {1.5, -0.5, 0, 3, 0.25, 4.25, 3.25, 5.25}, along_columns[] = {1.5, -2, 0.5, 3, 1.75, 2, -0.5, 5};
  for (std::int64_t i = 0; i < 8; ++i) {
    CHECK(rows.data<double>()[i] == along_rows[i]);
    CHECK(columns.data<double>()[i] == along_columns[i]);
    CHECK(cumsum(x.flip(0), -1).value().at({i / 4, i % 4}) == along_rows[(i + 4) % 8]);
    CHECK(cumsum(x.transpose(0, 1), 1).value().at({i % 4, i / 4}) == along_columns[i]);
  }
  const Tensor g = gradient([](const Var& in) { return cumsum(in, 1); }, x);
  for (std::int64_t i = 0; i < 4; ++i) CHECK(g.at({1, i}) == static_cast<double>(4 - i));
  CHECK(all_finite(second_gradient([](const Var& in) { return cumsum(in, 1); }, x)));
}

TEST_CASE("running sums of nothing, of one, of integers, of NaN and of many") {
  CHECK(cumsum(Tensor::zeros({2, 0}), 1).shape() == Shape{2, 0});
  CHECK(cumsum(Tensor::full({}, 3), 0).item() == 3);
  CHECK(cumsum(Tensor::full({}, 3), -1).shape() == Shape{});
  const Tensor counted = cumsum(Tensor::ones({4}, boolean), 0).value();
  CHECK(counted.dtype() == i64);
  CHECK(counted.at({3}) == 4);
  CHECK(cumsum(Tensor::full({2}, 2147483647, i32), 0).value().at({1}) == 4294967294.0);
  const Tensor special = cumsum(Tensor::from<float>({1, NAN, 2}, {3}), 0).value();
  CHECK(special.at({0}) == 1);
  CHECK(std::isnan(special.at({1})));
  CHECK(std::isnan(special.at({2})));
  const Tensor many = cumsum(Tensor::full({100003}, 0.1), 0).value();
  CHECK(many.at({100002}) == doctest::Approx(100003 * static_cast<double>(0.1f)).epsilon(1e-6));
}

TEST_CASE("running sums have the same bits for any number of threads") {
  const Tensor x = cumsum(Tensor::full({300, 200}, 0.1), 1).value();
  const int threads = num_threads();
  set_num_threads(1);
  const Tensor one = cumsum(x, 0).value();
  set_num_threads(3);
  const Tensor three = cumsum(x, 0).value();
  set_num_threads(threads);
  for (std::int64_t i = 0; i < x.numel(); ++i)
    if (one.data<float>()[i] != three.data<float>()[i]) FAIL("differs at ", i);
}

TEST_CASE("cumsum names wrong arguments") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(cumsum(x, 2), doctest::Contains("[cumsum]"), IndexError);
  CHECK_THROWS_WITH_AS(cumsum(x, -3), doctest::Contains("[2, 3]"), IndexError);
  CHECK_THROWS_AS(cumsum(Tensor::zeros({}), 1), IndexError);
  CHECK_THROWS_AS(cumsum(Var(), 0), ValueError);
}

}  // namespace
}  // namespace weft
