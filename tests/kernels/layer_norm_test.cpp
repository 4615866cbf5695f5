#include "kernels/layer_norm.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/isa_support.hpp"
#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
constexpr std::int64_t sizes[] = {1, 2, 7, 8, 9, 31, 32, 33, 1000};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

// Largest difference where the largest value wanted is `scale` or more.
void check_close(const Tensor& got, const Tensor& wanted, double tolerance) {
  const double difference = largest_difference(got, wanted), scale = std::max(1.0, largest(wanted));
  CHECK_MESSAGE(difference <= tolerance * scale, got.describe(), " differs by ", difference, " of ", scale);
}

}  // namespace

TEST_CASE("layer norm and its gradients are the reference's") {
  for (const DType type : {f32, f64})
    for (const std::int64_t rows : {1, 3, 64, 65, 200})
      for (const std::int64_t n : sizes) {
        INFO(rows, " rows of ", n, ", ", name_of(type));
        const double tolerance = type == f32 ? 3e-6 : 1e-12;
        const Tensor x = uniform({rows, n}, -2, 2, 1, type), g = uniform({rows, n}, -1, 1, 2, type);
        for (const bool parameters : {true, false}) {
          const Tensor weight = parameters ? uniform({n}, 0.5, 2, 3, type) : Tensor();
          const Tensor bias = parameters ? uniform({n}, -1, 1, 4, type) : Tensor();
          const kernels::LayerNorm expected = kernels::reference::layer_norm(x, weight, bias, 1e-5);
          const auto gradients =
              kernels::reference::layer_norm_backward(g, x, weight, expected.mean, expected.inverse, true, true);
          on_each_isa([&] {
            const kernels::LayerNorm y = kernels::layer_norm(x, weight, bias, 1e-5);
            check_close(y.y, expected.y, tolerance);
            check_close(y.mean, expected.mean, tolerance);
            check_close(y.variance, expected.variance, tolerance);
            check_close(y.inverse, expected.inverse, tolerance);
            const auto back = kernels::layer_norm_backward(g, x, weight, expected.mean, expected.inverse, true, parameters);
            check_close(back.x, gradients.x, tolerance * 10);
            CHECK(back.weight.defined() == parameters);
            if (!parameters) return;
            check_close(back.weight, gradients.weight, tolerance);
            check_close(back.bias, gradients.bias, tolerance);
          });
        }
      }
}

TEST_CASE("a large offset costs no digits but the input's own") {
  for (const double offset : {0.0, 1e2, 1e4, 1e6}) {
    CAPTURE(offset);
    Tensor wide = uniform({5, 100}, -1, 1, 1);
    for (std::int64_t i = 0; i < wide.numel(); ++i) wide.mutable_data<double>()[i] += offset;
    const Tensor x = wide.to(f32), g = uniform({5, 100}, -1, 1, 2, f32);
    const auto expected = kernels::reference::layer_norm(x.to(f64), {}, {}, 1e-5);
    const auto gradient =
        kernels::reference::layer_norm_backward(g.to(f64), x.to(f64), {}, expected.mean, expected.inverse, true, false);
    on_each_isa([&] {
      const auto y = kernels::layer_norm(x, {}, {}, 1e-5);
      const double bound = 1e-6 + 8 * 0x1p-24 * offset / 0.577;
      CHECK(largest_difference(y.y, expected.y) <= bound);
      const auto dx = kernels::layer_norm_backward(g, x, {}, y.mean, y.inverse, true, false).x;
      CHECK(largest_difference(dx, gradient.x) <= bound * largest(gradient.x) + 1e-5);
    });
  }
}

TEST_CASE("a constant row gives the bias to the last bit") {
  for (const DType type : {f32, f64})
    for (const double value : {0.0, 0.1, -1e4 / 3, 1e18 / 7})
      for (const std::int64_t n : sizes) {
        const Tensor weight = uniform({n}, 0.5, 2, 3, type), bias = uniform({n}, -1, 1, 4, type);
        for (const double eps : {1e-12, 1e-5, 1e-3})
          on_each_isa([&] {
            const Tensor x = Tensor::full({2, n}, value, type);
            CHECK(same_bits(kernels::layer_norm(x, weight, bias, eps).y.select(0, 1).contiguous(), bias));
            CHECK(largest(kernels::layer_norm(x, {}, {}, eps).y) == 0);
          });
      }
}

TEST_CASE("a constant row without eps is an error that names it") {
  Tensor x = uniform({3, 4}, -1, 1, 1, f32);
  CHECK(std::isfinite(largest(kernels::layer_norm(x, {}, {}, 0).y)));
  x.select(0, 2).fill(0.1);
  for (const DType type : {f32, f64})
    CHECK_THROWS_WITH_AS(kernels::layer_norm(x.to(type), {}, {}, 0), doctest::Contains("row 2 is constant"), NumericError);
  CHECK_THROWS_AS(kernels::reference::layer_norm(x, {}, {}, 0), NumericError);
}

TEST_CASE("large elements don't overflow") {
  for (const double scale : {1e18, 1e30}) {
    const Tensor x = Tensor::from<double>({-scale, scale, -scale, scale}, {1, 4}).to(f32);
    on_each_isa([&] {
      const auto y = kernels::layer_norm(x, {}, {}, 1e-5);
      CHECK(y.y.at({0, 0}) == doctest::Approx(-1));
      CHECK(y.y.at({0, 1}) == doctest::Approx(1));
      const Tensor g = uniform({1, 4}, -1, 1, 1, f32);
      CHECK(largest(kernels::layer_norm_backward(g, x, {}, y.mean, y.inverse, true, false).x) <= 2 / scale);
    });
  }
}

TEST_CASE("NaN and infinity stay in their row; where no gradient comes in they reach none") {
  for (const double bad : {quiet_nan, inf, -inf}) {
    Tensor x = uniform({3, 9}, -1, 1, 1, f32), g = uniform({3, 9}, -1, 1, 2, f32);
    x.mutable_data<float>()[9 + 4] = static_cast<float>(bad);
    const auto y = kernels::layer_norm(x, {}, {}, 1e-5);
    CHECK(std::isfinite(largest(y.y.select(0, 0))));
    for (std::int64_t j = 0; j < 9; ++j) CHECK(std::isnan(y.y.at({1, j})));
    CHECK(std::isfinite(largest(y.y.select(0, 2))));
    auto back = kernels::layer_norm_backward(g, x, {}, y.mean, y.inverse, true, true);
    CHECK(std::isnan(back.x.at({1, 0})));
    CHECK(std::isnan(back.weight.at({0})));
    g.select(0, 1).fill(0);
    back = kernels::layer_norm_backward(g, x, {}, y.mean, y.inverse, true, true);
    CHECK(largest(back.x.select(0, 1)) == 0);
    CHECK(std::isfinite(largest(back.x)));
    CHECK(std::isfinite(largest(back.weight)));
  }
}

TEST_CASE("layer norm has the same bits for any number of threads") {
  const Tensor x = uniform({500, 100}, -2, 2, 1, f32), g = uniform({500, 100}, -1, 1, 2, f32),
               w = uniform({100}, 0.5, 2, 3, f32);
  const int threads = num_threads();
  std::vector<std::vector<Tensor>> results;
  for (const int n : {1, 2, 5}) {
    set_num_threads(n);
    const auto y = kernels::layer_norm(x, w, w, 1e-5);
    const auto back = kernels::layer_norm_backward(g, x, w, y.mean, y.inverse, true, true);
    results.push_back({y.y, back.x, back.weight.contiguous(), back.bias.contiguous()});
  }
  set_num_threads(threads);
  for (const auto& result : results)
    for (std::size_t i = 0; i < result.size(); ++i) CHECK(same_bits(result[i], results[0][i]));
}

TEST_CASE("rows and columns of none") {
  CHECK(kernels::layer_norm(Tensor::zeros({0, 4}), {}, {}, 1e-5).y.shape() == Shape{0, 4});
  CHECK(kernels::layer_norm(Tensor::zeros({4, 0}), {}, {}, 1e-5).y.shape() == Shape{4, 0});
  const auto back = kernels::layer_norm_backward(Tensor::zeros({0, 4}), Tensor::zeros({0, 4}), {}, Tensor::zeros({0}),
                                                 Tensor::zeros({0}), true, true);
  CHECK(back.x.shape() == Shape{0, 4});
  CHECK(largest(back.weight) == 0);
}
