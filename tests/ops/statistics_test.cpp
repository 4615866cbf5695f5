#include "weft/ops/statistics.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ops/derivatives.hpp"
#include "support/random.hpp"
#include "weft/autograd/grad.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

using namespace test;

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

const Tensor table = Tensor::from<double>({1.5, -2, 0.5, 3, 0.25, 4, -1, 2}, {2, 4});

// f's value, and its derivative where the k-th result counts k times, as PyTorch 1.13 has them.
void check_golden(const Function& f, const std::vector<double>& values, const std::vector<double>& derivatives) {
  Tape tape;
  const Var leaf = tape.leaf(table), y = f(leaf);
  REQUIRE(y.numel() == static_cast<std::int64_t>(values.size()));
  Tensor weights = y.value().clone();
  for (std::int64_t k = 0; k < weights.numel(); ++k) {
    CHECK(weights.data<double>()[k] == doctest::Approx(values[static_cast<std::size_t>(k)]).epsilon(1e-14));
    weights.mutable_data<double>()[k] = static_cast<double>(k + 1);
  }
  tape.backward(y, weights);
  const Tensor g = tape.grad(leaf).contiguous();
  for (std::int64_t i = 0; i < 8; ++i)
    CHECK(g.data<double>()[i] == doctest::Approx(derivatives[static_cast<std::size_t>(i)]).epsilon(1e-14));
}

TEST_CASE("variance and standard deviation are PyTorch's") {
  check_golden([](const Var& x) { return var(x, {1}); }, {4.416666666666667, 4.723958333333333},
               {0.5, -1.8333333333333333, -0.16666666666666666, 1.5, -1.4166666666666665, 3.583333333333333, -3.083333333333333,
                0.9166666666666666});
  check_golden([](const Var& x) { return var(x, {0}, {.correction = 0}); }, {0.390625, 9, 0.5625, 0.25},
               {0.625, -6, 2.25, 2, -0.625, 6, -2.25, -2});
  check_golden([](const Var& x) { return weft::std(x, {1}, {.correction = 2, .keepdim = true}); },
               {2.57390753524675, 2.661942429880857},
               {0.14569287935358963, -0.5342072242964953, -0.04856429311786321, 0.43707863806076885, -0.3991446201364901,
                1.0096010979922985, -0.8687265261794196, 0.2582700483236112});
  check_golden([](const Var& x) { return weft::std(x); }, {2.0019521722558706},
               {0.03344949327077479, -0.2163067231510103, -0.037909425706878094, 0.1404878717372541, -0.05574915545129131,
                0.211846790714907, -0.14494780417335743, 0.06912895275960124});
}

TEST_CASE("variance of few, of equal and of large numbers") {
  for (const DType type : {f32, f64}) {
    const auto of = [type](std::initializer_list<double> values) {
      return Tensor::from<double>(values, {static_cast<std::int64_t>(values.size())}).to(type);
    };
    CHECK(std::isnan(var(of({})).item()));
    CHECK(std::isnan(var(of({5})).item()));
    CHECK(var(of({5}), {.correction = 0}).item() == 0);
    CHECK(var(of({1, 2}), {.correction = 2}).item() == inf);
    CHECK(std::isnan(var(of({1, nan, 3})).item()));
    CHECK(std::isnan(weft::std(of({1, inf})).item()));
    CHECK(var(Tensor::zeros({2, 0}, type), {1}).shape() == Shape{2});
    CHECK(var(Tensor::zeros({2, 3}, type), {1}, {.keepdim = true}).shape() == Shape{2, 1});
    CHECK(var(of({1e6, 1e6 + 1, 1e6 + 2})).item() == doctest::Approx(1));  // far from 0
    const Tensor equal = of({2, 2, 2});
    const Tensor g = gradient([](const Var& x) { return weft::std(x); }, equal);
    for (const std::int64_t i : {0, 1, 2}) CHECK(g.at({i}) == 0);
    CHECK(all_finite(second_gradient([](const Var& x) { return weft::std(x); }, equal)));
  }
}

TEST_CASE("the standard deviation of equal numbers has derivatives of 0, second ones too") {
  Tape tape;
  const Var x = tape.leaf(Tensor::full({1, 3}, 2, f64));
  const Var slope = grad(sum(weft::std(x, {1})), {x}, {.create_graph = true})[0];
  CHECK(largest(slope.value()) == 0);
  CHECK(largest(grad(select(select(slope, 0, 0), 0, 1), {x})[0].value()) == 0);
}

TEST_CASE("norms are PyTorch's") {
  check_golden([](const Var& x) { return norm(x, 1, {1}); }, {7, 7.25}, {1, -1, 1, 1, 2, 2, -2, 2});
  check_golden([](const Var& x) { return norm(x, 2, {1}, true); }, {3.9370039370059056, 4.589389937671455},
               {0.3810003810005715, -0.508000508000762, 0.1270001270001905, 0.762000762001143, 0.10894694214056866,
                1.7431510742490985, -0.43578776856227464, 0.8715755371245493});
  check_golden([](const Var& x) { return norm(x, 3, {1}); }, {3.37665670834691, 4.179637358556487},
               {0.19733708035793632, -0.3508214761918868, 0.021926342261992925, 0.7893483214317453, 0.007155381739450442,
                1.831777725299313, -0.11448610783120707, 0.45794443132482826});
  check_golden([](const Var& x) { return norm(x, 0.5, {1}); }, {25.787262338175452, 24.149494936611664},
               {4.146264369941973, -3.5907702751760273, 7.181540550352055, 2.931851652578137, 19.65685424949238,
                4.914213562373095, -9.82842712474619, 6.949747468305832});
  check_golden([](const Var& x) { return norm(x, -1, {1}); }, {0.2857142857142857, 0.17391304347826086},
               {0.03628117913832199, -0.02040816326530612, 0.32653061224489793, 0.009070294784580497, 0.9678638941398865,
                0.0037807183364839316, -0.060491493383742906, 0.015122873345935726});
  check_golden([](const Var& x) { return norm(x, inf, {1}); }, {3, 4}, {0, 0, 0, 1, 0, 2, 0, 0});
  check_golden([](const Var& x) { return norm(x, -inf, {1}); }, {0.5, 0.25}, {0, 0, 1, 0, 2, 0, 0, 0});
  CHECK(norm(Tensor::from<float>({3, 0, -1}, {3}), 0).item() == 2);
  CHECK(norm(table).item() == doctest::Approx(std::sqrt(36.5625)));
}

TEST_CASE("norms of zeros, of nothing, of large and of special numbers") {
  for (const DType type : {f32, f64}) {
    for (const double p : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, inf, -inf, -1.0}) {
      INFO("p ", p);
      const Function f = [p](const Var& x) { return norm(x, p, {1}); };
      const Tensor x = Tensor::from<double>({0, 0, 0, 3, 0, -4}, {2, 3}).to(type);
      CHECK(f(x).value().at({0}) == 0);
      const Tensor g = gradient(f, x);
      for (const std::int64_t i : {0, 1, 2}) CHECK(g.at({0, i}) == 0);
      CHECK(all_finite(g));
      CHECK(all_finite(second_gradient(f, x)));
      if (p != 0) CHECK(std::isnan(norm(Tensor::from<double>({1, nan}, {2}).to(type), p).item()));
    }
    CHECK(norm(Tensor::zeros({0}, type)).item() == 0);
    CHECK(norm(Tensor::zeros({2, 0}, type), 1, {1}).value().at({1}) == 0);
    CHECK(norm(Tensor::zeros({0, 2}, type), inf, {1}).shape() == Shape{0});
    CHECK(norm(Tensor::from<double>({1, -inf}, {2}).to(type)).item() == inf);
  }
  CHECK(norm(Tensor::from<float>({3e30f, 4e30f}, {2})).item() == doctest::Approx(5e30).epsilon(1e-6));
  CHECK(norm(Tensor::from<float>({3e-30f, 4e-30f}, {2})).item() / 5e-30 == doctest::Approx(1).epsilon(1e-6));
  // Powers that f32 doesn't hold, for norms that it does: the gradient is there as well.
  for (const double p : {3.0, 7.5, -2.0, 0.5})
    for (const float scale : {1e-30f, 1e30f}) {
      Tape tape;
      const Var x = tape.leaf(Tensor::from<float>({3 * scale, -4 * scale}, {2}));
      const Var y = norm(x, p);
      tape.backward(y);
      const double expected = std::pow(std::pow(3, p) + std::pow(4, p), 1 / p);
      CHECK(y.item() / scale == doctest::Approx(expected).epsilon(1e-5));
      CHECK(tape.grad(x).at({0}) == doctest::Approx(std::pow(3 / expected, p - 1)).epsilon(1e-5));
      CHECK(tape.grad(x).at({1}) == doctest::Approx(-std::pow(4 / expected, p - 1)).epsilon(1e-5));
    }
}

TEST_CASE("variance and norms name wrong arguments") {
  const Tensor x = Tensor::zeros({2, 3}), n = Tensor::zeros({2, 3}, i64);
  CHECK_THROWS_WITH_AS(var(x, {1, -1}), doctest::Contains("[var] axis 1 stands twice for shape [2, 3]"), IndexError);
  CHECK_THROWS_WITH_AS(var(n), "[var] the input is i64[2, 3]; f32 or f64 is needed", DTypeError);
  CHECK_THROWS_AS(var(x, {2}), IndexError);
  CHECK_THROWS_AS(var(Var()), ValueError);
  CHECK_THROWS_WITH_AS(weft::std(x, {-3}), doctest::Contains("[std]"), IndexError);
  CHECK_THROWS_AS(weft::std(x, {0, 0}), IndexError);
  CHECK_THROWS_WITH_AS(weft::std(n), "[std] the input is i64[2, 3]; f32 or f64 is needed", DTypeError);
  CHECK_THROWS_AS(weft::std(Var(), {0}), ValueError);
  for (const double p : {0.0, 1.0, 2.0, 2.5, inf}) {
    CHECK_THROWS_WITH_AS(norm(x, p, {2}), doctest::Contains("[norm]"), IndexError);
    CHECK_THROWS_WITH_AS(norm(n, p), "[norm] the input is i64[2, 3]; f32 or f64 is needed", DTypeError);
    CHECK_THROWS_AS(norm(Var(), p), ValueError);
  }
  CHECK_THROWS_WITH_AS(norm(x, nan), doctest::Contains("[norm] p is NaN"), ValueError);
  CHECK_THROWS_WITH_AS(norm(Tensor::zeros({2, 0}), inf, {1}), "[norm] there is nothing to choose from in f32[2, 0]",
                       ValueError);
}

}  // namespace
}  // namespace weft
