#include "kernels/reduce.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/elementwise.hpp"
#include "kernels/isa_support.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/base/threads.hpp"

namespace weft {
namespace {

using kernels::Reduction;

constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();

Tensor random(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed);
  Tensor x = Tensor::empty(shape);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.mutable_data<float>()[i] = static_cast<float>(6 * generator.uniform() - 3);
  return x;
}

Tensor reduce(Reduction reduction, const Tensor& x, std::initializer_list<int> axes, bool keepdim = true) {
  return kernels::reduce(reduction, x, std::span<const int>(axes.begin(), axes.size()), keepdim);
}

// The f32 result against the f64 reference, relative to the sum of absolute values.
void check_reduction(Reduction reduction, const Tensor& x, std::span<const int> axes) {
  const Tensor got = kernels::reduce(reduction, x, axes);
  const Tensor wanted = kernels::reference::reduce(reduction, x.to(f64), axes);
  const Tensor scale = kernels::reference::reduce(Reduction::sum, kernels::unary(kernels::Unary::abs, x.to(f64)), axes);
  REQUIRE(got.shape() == wanted.shape());
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < got.numel(); ++i) {
    const double size = reduction == Reduction::sum ? scale.data<double>()[i] : 4.0;
    if (!(std::abs(static_cast<double>(got.data<float>()[i]) - wanted.data<double>()[i]) <= 5e-7 * size)) ++wrong;
  }
  CHECK(wrong == 0);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

TEST_CASE("reductions match the reference on every instruction set, for all axes, shapes and views") {
  const std::vector<Tensor> inputs = {random({7}, 1),
                                      random({1}, 2),
                                      random({3, 1}, 3),
                                      random({5, 67}, 4),
                                      random({67, 5}, 5),
                                      random({131, 300}, 6),
                                      random({2, 40000}, 7),
                                      random({40000, 2}, 8),
                                      random({3, 5, 17}, 9),
                                      random({3, 5, 17}, 10).permute({2, 0, 1}),
                                      random({3, 18, 4}, 11).slice(1, 1, 18).flip(2),
                                      random({4, 1, 6}, 12).expand({4, 3, 6}),
                                      random({2, 3, 2, 9}, 13)};
  test::on_each_isa([&] {
    for (const Tensor& x : inputs) {
      for (unsigned chosen = 0; chosen < 1u << x.rank(); ++chosen) {
        std::vector<int> axes;
        for (int axis = 0; axis < x.rank(); ++axis)
          if ((chosen & 1u << axis) != 0) axes.push_back(axis);
        INFO("input ", x.describe(), ", axes ", chosen);
        for (const Reduction reduction : {Reduction::sum, Reduction::max, Reduction::min, Reduction::logsumexp})
          check_reduction(reduction, x, axes);
      }
    }
  });
}

TEST_CASE("sums of many elements keep their digits") {
  const Tensor x = Tensor::full({1000003}, 0.1), columns = Tensor::full({100003, 3}, 0.1);
  const double tenth = static_cast<double>(0.1f);
  test::on_each_isa([&] {
    CHECK(reduce(Reduction::sum, x, {0}).item() == doctest::Approx(1000003 * tenth).epsilon(1e-6));
    CHECK(reduce(Reduction::sum, columns, {0}).at({0, 2}) == doctest::Approx(100003 * tenth).epsilon(1e-6));
  });
}

TEST_CASE("reductions of nothing, of infinities and of NaN") {
  CHECK(reduce(Reduction::sum, Tensor::zeros({0, 3}), {0}, false).at({2}) == 0);
  CHECK(reduce(Reduction::logsumexp, Tensor::zeros({2, 0}), {1}, false).at({1}) == -static_cast<double>(inf));
  CHECK(reduce(Reduction::max, Tensor::zeros({0, 3}), {1}).shape() == Shape{0, 1});
  test::on_each_isa([&] {
    for (const std::int64_t n : {1, 5, 16, 67}) {
      for (const std::int64_t place : {std::int64_t{0}, n / 2, n - 1}) {
        Tensor x = random({n, 4}, 1);
        x.mutable_data<float>()[place * 4 + 1] = nan;
        x.mutable_data<float>()[place * 4 + 2] = inf;
        for (const Tensor& view : {x, x.transpose(0, 1).contiguous().transpose(0, 1)}) {
          for (const Reduction reduction : {Reduction::sum, Reduction::max, Reduction::logsumexp}) {
            const Tensor y = reduce(reduction, view, {0}, false);
            CHECK(std::isfinite(y.at({0})));
            CHECK(std::isnan(y.at({1})));
            CHECK(y.at({2}) == static_cast<double>(inf));
            CHECK(std::isfinite(y.at({3})));
          }
          const Tensor least = reduce(Reduction::min, kernels::unary(kernels::Unary::neg, view), {0}, false);
          CHECK(std::isfinite(least.at({0})));
          CHECK(std::isnan(least.at({1})));
          CHECK(least.at({2}) == -static_cast<double>(inf));
        }
      }
      CHECK(reduce(Reduction::logsumexp, Tensor::full({n}, -static_cast<double>(inf)), {0}).item() ==
            -static_cast<double>(inf));
      CHECK(reduce(Reduction::max, Tensor::full({n}, -static_cast<double>(inf)), {0}).item() == -static_cast<double>(inf));
      CHECK(reduce(Reduction::logsumexp, Tensor::full({n}, 1e30), {0}).item() == doctest::Approx(1e30));
    }
  });
}

TEST_CASE("products and norms are held in f64") {
  const Tensor x = Tensor::from<float>({1e30f, 1e30f, 1e-30f, 2e-30f}, {4});
  CHECK(reduce(Reduction::prod, x, {0}).item() == doctest::Approx(2));
  CHECK(reduce(Reduction::norm, x, {0}).item() == doctest::Approx(std::sqrt(2.0) * 1e30));
  CHECK(reduce(Reduction::prod, Tensor::zeros({0, 2}), {0}).at({0, 1}) == 1);
  CHECK(reduce(Reduction::norm, Tensor::zeros({0, 2}), {0}).at({0, 1}) == 0);
  CHECK(reduce(Reduction::max, Tensor::zeros({0}, boolean), {0}).item() == 0);
  CHECK(reduce(Reduction::min, Tensor::zeros({0}, boolean), {0}).item() == 1);
  CHECK_THROWS_AS(reduce(Reduction::norm, Tensor::zeros({2}, i64), {0}), DTypeError);
}

TEST_CASE("integers and bool add up to i64") {
  const Tensor big = Tensor::full({4}, 2147483647, i32);
  CHECK(reduce(Reduction::sum, big, {0}).dtype() == i64);
  CHECK(reduce(Reduction::sum, big, {0}).item() == 4 * 2147483647.0);
  CHECK(reduce(Reduction::sum, Tensor::full({5}, 1, boolean), {0}).item() == 5);
  CHECK(reduce(Reduction::max, Tensor::from<std::int64_t>({-3, -7}, {2}), {0}).item() == -3);
  CHECK_THROWS_AS(reduce(Reduction::logsumexp, big, {0}), DTypeError);
}

TEST_CASE("sum_to adds over what was broadcast") {
  const Tensor x = random({2, 3, 4}, 1);
  CHECK(kernels::sum_to(x, {2, 3, 4}).is_same(x));
  for (const Shape& shape : {Shape{}, {4}, {1}, {3, 1}, {3, 4}, {2, 1, 4}, {1, 3, 1}}) {
    const Tensor y = kernels::sum_to(x, shape);
    CHECK(y.shape() == shape);
    CHECK(reduce(Reduction::sum, y.reshape({y.numel()}), {0}).item() ==
          doctest::Approx(kernels::sum_to(x, {}).item()).epsilon(1e-5));
  }
  CHECK(kernels::sum_to(Tensor::zeros({0, 3}), {3}).at({1}) == 0);
  CHECK(kernels::sum_to(x.to(f64), {3, 1}).shape() == Shape{3, 1});
  CHECK_THROWS_AS(kernels::sum_to(x, {2, 4}), ShapeError);
  CHECK_THROWS_AS(kernels::sum_to(x, {1, 2, 3, 4}), ShapeError);
}

TEST_CASE("argmax finds the first maximum") {
  const Tensor x = Tensor::from<float>({1, 5, 5, 2, nan, 9, -inf, nan, -inf, -inf, -inf, -inf}, {3, 4});
  const Tensor rows = kernels::argmax(x, -1), columns = kernels::argmax(x.transpose(0, 1), 0);
  CHECK(rows.shape() == Shape{3});
  CHECK(rows.at({0}) == 1);
  CHECK(rows.at({1}) == 0);
  CHECK(rows.at({2}) == 0);
  CHECK(same_bits(rows, columns));
  CHECK(kernels::argmax(Tensor::from<std::int64_t>({3, 8, 8}, {3}), 0).item() == 1);
  CHECK_THROWS_AS(kernels::argmax(Tensor::zeros({2, 0}), 1), ValueError);
  CHECK_THROWS_AS(kernels::argmax(x, 2), IndexError);
  CHECK(kernels::argmin(x, 1).at({0}) == 0);
  CHECK(kernels::argmin(x, 1).at({1}) == 0);
  CHECK(kernels::argmin(x.flip(1), 1).at({1}) == 0);
  CHECK_THROWS_AS(kernels::argmin(Tensor::zeros({2, 0}), 1), ValueError);
}

TEST_CASE("the same bits for any number of threads") {
  const Tensor x = random({700, 301}, 1);
  const int threads = num_threads();
  std::vector<std::vector<Tensor>> results;
  for (const int n : {1, 2, 3, 7}) {
    set_num_threads(n);
    results.push_back({reduce(Reduction::sum, x, {0}), reduce(Reduction::sum, x, {1}), reduce(Reduction::sum, x, {0, 1}),
                       reduce(Reduction::logsumexp, x, {1}), reduce(Reduction::sum, x.transpose(0, 1), {0})});
  }
  set_num_threads(threads);
  for (const auto& result : results)
    for (std::size_t i = 0; i < result.size(); ++i) CHECK(same_bits(result[i], results[0][i]));
}

}  // namespace
}  // namespace weft
