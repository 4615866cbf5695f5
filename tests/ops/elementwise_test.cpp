#include "weft/ops/elementwise.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "ops/derivatives.hpp"
#include "weft/base/error.hpp"

namespace weft {
namespace {

using namespace test;

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

const std::vector<std::pair<const char*, Function>> functions = {
    {"log", [](const Var& x) { return log(x); }},
    {"sqrt", [](const Var& x) { return sqrt(x); }},
    {"exp", [](const Var& x) { return exp(x); }},
    {"square", [](const Var& x) { return square(x); }},
    {"abs", [](const Var& x) { return abs(x); }},
    {"erf", [](const Var& x) { return erf(x); }},
    {"tanh", [](const Var& x) { return tanh(x); }},
    {"sigmoid", [](const Var& x) { return sigmoid(x); }},
    {"log1p", [](const Var& x) { return log1p(x); }},
    {"expm1", [](const Var& x) { return expm1(x); }},
    {"rsqrt", [](const Var& x) { return rsqrt(x); }},
    {"reciprocal", [](const Var& x) { return reciprocal(x); }},
    {"sin", [](const Var& x) { return sin(x); }},
    {"cos", [](const Var& x) { return cos(x); }},
    {"sign", [](const Var& x) { return sign(x); }},
    {"floor", [](const Var& x) { return floor(x); }},
    {"ceil", [](const Var& x) { return ceil(x); }},
    {"round", [](const Var& x) { return round(x); }},
    {"x * x", [](const Var& x) { return x * x; }},
    {"x / x", [](const Var& x) { return x / x; }},
    {"1 / x", [](const Var& x) { return 1 / x; }},
    {"x^x", [](const Var& x) { return pow(x, x); }},
    {"x^-0.5", [](const Var& x) { return pow(x, -0.5); }},
    {"maximum", [](const Var& x) { return maximum(x, -x); }},
    {"clamp", [](const Var& x) { return clamp(x, -1, 1); }},
    {"logsumexp", [](const Var& x) { return logsumexp(x, {}); }},
};

TEST_CASE("what a mask took away leaves no trace in a gradient") {
  for (const auto& entry : functions) {
    const auto& name = entry.first;
    const auto& f = entry.second;
    INFO("function: ", std::string(name));
    check_masked(f);
  }
  const Tensor keep = Tensor::from<bool>({true, false, false, false, false, false, false, false}, {8});
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({0.7, nan, inf, -inf, 0, 1e30, -1e30, -1}, {8}).to(type);
    // Nor in that of the other operand.
    const Function shared = [&](const Var& w) { return where(keep, Var(x) * w / (w * x), Var::scalar(0, type)); };
    CHECK(all_finite(gradient(shared, Tensor::full({1}, 2, type))));
  }
}

TEST_CASE("values and derivatives at special points") {
  const double root = std::sqrt(1e-300);
  const Point points[] = {
      {[](const Var& x) { return log(x); }, 0, -inf, inf},
      {[](const Var& x) { return log(x); }, -1, nan, -1},
      {[](const Var& x) { return log(x); }, 1e-300, std::log(1e-300), 1e300},
      {[](const Var& x) { return log(x); }, inf, inf, 0},
      {[](const Var& x) { return log(x); }, nan, nan, nan},
      {[](const Var& x) { return sqrt(x); }, 0, 0, inf},
      {[](const Var& x) { return sqrt(x); }, -1, nan, nan},
      {[](const Var& x) { return sqrt(x); }, 1e-300, root, 0.5 / root},
      {[](const Var& x) { return sqrt(x); }, inf, inf, 0},
      {[](const Var& x) { return 1 / x; }, 0, inf, -inf},
      {[](const Var& x) { return 1 / x; }, -2, -0.5, -0.25},
      {[](const Var& x) { return 1 / x; }, inf, 0, 0},
      {[](const Var& x) { return x / 0.0; }, 1, inf, inf},
      {[](const Var& x) { return pow(x, 0); }, 0, 1, 0},
      {[](const Var& x) { return pow(x, 0); }, nan, 1, 0},
      {[](const Var& x) { return pow(x, 1); }, 0, 0, 1},
      {[](const Var& x) { return pow(x, 2); }, -3, 9, -6},
      {[](const Var& x) { return pow(x, 0.5); }, 0, 0, inf},
      {[](const Var& x) { return pow(x, 0.5); }, -1, nan, nan},
      {[](const Var& x) { return pow(x, -1); }, 0, inf, -inf},
      {[](const Var& x) { return pow(x, Var::scalar(0, f64)); }, 0, 1, 0},
      {[](const Var& x) { return pow(Var::scalar(0, f64), x); }, 2, 0, 0},
      {[](const Var& x) { return pow(Var::scalar(0, f64), x); }, 0, 1, 0},
      {[](const Var& x) { return pow(Var::scalar(0, f64), x); }, -1, inf, -inf},
      {[](const Var& x) { return pow(Var::scalar(-2, f64), x); }, 2, 4, nan},
      {[](const Var& x) { return exp(x); }, -inf, 0, 0},
      {[](const Var& x) { return exp(x); }, 1000, inf, inf},
      {[](const Var& x) { return abs(x); }, 0, 0, 0},
      {[](const Var& x) { return abs(x); }, -0.0, 0, 0},
      {[](const Var& x) { return abs(x); }, -inf, inf, -1},
      {[](const Var& x) { return abs(x); }, nan, nan, nan},
      {[](const Var& x) { return tanh(x); }, inf, 1, 0},
      {[](const Var& x) { return tanh(x); }, nan, nan, nan},
      {[](const Var& x) { return sigmoid(x); }, -inf, 0, 0},
      {[](const Var& x) { return sigmoid(x); }, 1000, 1, 0},
      {[](const Var& x) { return sigmoid(x); }, nan, nan, nan},
      {[](const Var& x) { return maximum(x, Var::scalar(1, f64)); }, 1, 1, 0.5},
      {[](const Var& x) { return minimum(x, Var::scalar(1, f64)); }, 1, 1, 0.5},
      {[](const Var& x) { return maximum(x, x); }, 1, 1, 1},
      {[](const Var& x) { return maximum(x, Var::scalar(1, f64)); }, nan, nan, 1},
      {[](const Var& x) { return clamp(x, 0, 1); }, 0, 0, 1},
      {[](const Var& x) { return clamp(x, 0, 1); }, 1, 1, 1},
      {[](const Var& x) { return clamp(x, 0, 1); }, 1.5, 1, 0},
      {[](const Var& x) { return clamp(x, 0, 1); }, -inf, 0, 0},
      {[](const Var& x) { return clamp(x, 0, {}); }, inf, inf, 1},
      {[](const Var& x) { return clamp(x, {}, {}); }, 5, 5, 1},
      {[](const Var& x) { return clamp(x, 0, 1); }, nan, nan, 1},
      {[](const Var& x) { return log1p(x); }, -1, -inf, inf},
      {[](const Var& x) { return log1p(x); }, -2, nan, -1},
      {[](const Var& x) { return log1p(x); }, 1e-300, 1e-300, 1},
      {[](const Var& x) { return log1p(x); }, 1e-10, 9.9999999995e-11, 1 / (1 + 1e-10)},
      {[](const Var& x) { return log1p(x); }, inf, inf, 0},
      {[](const Var& x) { return log1p(x); }, nan, nan, nan},
      {[](const Var& x) { return expm1(x); }, 1e-300, 1e-300, 1},
      {[](const Var& x) { return expm1(x); }, -1e-10, -9.9999999995e-11, 1 - 1e-10},
      {[](const Var& x) { return expm1(x); }, -inf, -1, 0},
      {[](const Var& x) { return expm1(x); }, 1000, inf, inf},
      {[](const Var& x) { return expm1(x); }, nan, nan, nan},
      {[](const Var& x) { return rsqrt(x); }, 4, 0.5, -0.0625},
      {[](const Var& x) { return rsqrt(x); }, 0, inf, -inf},
      {[](const Var& x) { return rsqrt(x); }, -1, nan, nan},
      {[](const Var& x) { return rsqrt(x); }, inf, 0, 0},
      {[](const Var& x) { return reciprocal(x); }, -2, -0.5, -0.25},
      {[](const Var& x) { return reciprocal(x); }, 0, inf, -inf},
      {[](const Var& x) { return reciprocal(x); }, -inf, 0, 0},
      {[](const Var& x) { return reciprocal(x); }, nan, nan, nan},
      {[](const Var& x) { return sin(x); }, 0.5, 0.479425538604203, 0.8775825618903728},
      {[](const Var& x) { return sin(x); }, 1e15, std::sin(1e15), std::cos(1e15)},
      {[](const Var& x) { return sin(x); }, inf, nan, nan},
      {[](const Var& x) { return cos(x); }, 0.5, 0.8775825618903728, -0.479425538604203},
      {[](const Var& x) { return cos(x); }, -inf, nan, nan},
      {[](const Var& x) { return sign(x); }, -3, -1, 0},
      {[](const Var& x) { return sign(x); }, 0, 0, 0},
      {[](const Var& x) { return sign(x); }, inf, 1, 0},
      {[](const Var& x) { return sign(x); }, nan, nan, 0},
      {[](const Var& x) { return floor(x); }, -1.5, -2, 0},
      {[](const Var& x) { return floor(x); }, nan, nan, 0},
      {[](const Var& x) { return ceil(x); }, -1.5, -1, 0},
      {[](const Var& x) { return ceil(x); }, -inf, -inf, 0},
      {[](const Var& x) { return round(x); }, 2.5, 2, 0},
      {[](const Var& x) { return round(x); }, 3.5, 4, 0},
      {[](const Var& x) { return round(x); }, -0.5, 0, 0},
      {[](const Var& x) { return round(x); }, nan, nan, 0},
  };
  check_points(points);
}

TEST_CASE("singular functions in f32, in every lane: at 0, below it, and among the denormals") {
  struct Row {
    const char* what;
    Function function;
    double x, value, derivative;
  };
  const double tiny = static_cast<double>(1e-40f), least = static_cast<double>(1.4e-45f), root = std::sqrt(tiny);
  const Row rows[] = {
      {"log", [](const Var& x) { return log(x); }, 0, -inf, inf},
      {"log", [](const Var& x) { return log(x); }, -0.0, -inf, -inf},
      {"log", [](const Var& x) { return log(x); }, -1e-40, nan, -inf},
      {"log", [](const Var& x) { return log(x); }, -2, nan, -0.5},
      {"log", [](const Var& x) { return log(x); }, tiny, std::log(tiny), inf},
      {"log", [](const Var& x) { return log(x); }, least, std::log(least), inf},
      {"log", [](const Var& x) { return log(x); }, 1e38, std::log(1e38), 1e-38},
      {"sqrt", [](const Var& x) { return sqrt(x); }, 0, 0, inf},
      {"sqrt", [](const Var& x) { return sqrt(x); }, -2, nan, nan},
      {"sqrt", [](const Var& x) { return sqrt(x); }, -1e-40, nan, nan},
      {"sqrt", [](const Var& x) { return sqrt(x); }, tiny, root, 0.5 / root},
      {"sqrt", [](const Var& x) { return sqrt(x); }, 1e38, 1e19, 5e-20},
      {"1 / x", [](const Var& x) { return 1 / x; }, 0, inf, -inf},
      {"1 / x", [](const Var& x) { return 1 / x; }, -0.0, -inf, -inf},
      {"1 / x", [](const Var& x) { return 1 / x; }, tiny, inf, -inf},
      {"1 / x", [](const Var& x) { return 1 / x; }, -4, -0.25, -1.0 / 16},
      {"0 / x", [](const Var& x) { return 0 / x; }, 0, nan, nan},
      {"0 / x", [](const Var& x) { return 0 / x; }, tiny, 0, nan},
      {"x / 0", [](const Var& x) { return x / Var::scalar(0); }, tiny, inf, inf},
      {"x / 0", [](const Var& x) { return x / Var::scalar(0); }, 0, nan, inf},
      {"x / -2", [](const Var& x) { return x / -2; }, tiny, -tiny / 2, -0.5},
      {"x^0.5", [](const Var& x) { return pow(x, 0.5); }, 0, 0, inf},
      {"x^0.5", [](const Var& x) { return pow(x, 0.5); }, tiny, root, 0.5 / root},
      {"x^0.5", [](const Var& x) { return pow(x, 0.5); }, -2, nan, nan},
      {"x^-0.5", [](const Var& x) { return pow(x, -0.5); }, 0, inf, -inf},
      {"x^-0.5", [](const Var& x) { return pow(x, -0.5); }, tiny, 1 / root, -inf},
      {"x^-0.5", [](const Var& x) { return pow(x, -0.5); }, -2, nan, nan},
      {"x^-0.5", [](const Var& x) { return pow(x, -0.5); }, 4, 0.5, -1.0 / 16},
      {"x^2", [](const Var& x) { return pow(x, 2); }, tiny, 0, 2 * tiny},
      {"x^2", [](const Var& x) { return pow(x, 2); }, -3, 9, -6},
      {"x^0", [](const Var& x) { return pow(x, 0); }, -2, 1, 0},
      {"x^x", [](const Var& x) { return pow(x, x); }, 0, 1, 0},
      {"0^x", [](const Var& x) { return pow(Var::scalar(0), x); }, 2, 0, 0},
      {"0^x", [](const Var& x) { return pow(Var::scalar(0), x); }, 0, 1, 0},
      {"0^x", [](const Var& x) { return pow(Var::scalar(0), x); }, -1, inf, -inf},
      {"exp", [](const Var& x) { return exp(x); }, 89, inf, inf},
      {"exp", [](const Var& x) { return exp(x); }, -104, 0, 0},
      {"exp", [](const Var& x) { return exp(x); }, -inf, 0, 0},
  };
  // |got - wanted|, where a denormal may also be 0.
  const auto agree = [](double got, double wanted) {
    return got == wanted || (std::isnan(got) && std::isnan(wanted)) ||
           std::abs(got - wanted) <= 1e-5 * std::abs(wanted) + 3e-45;
  };
  for (const Row& row : rows) {
    const Tensor x = Tensor::full({21}, row.x), value = row.function(x).value(), derivative = gradient(row.function, x);
    INFO(row.what, " at ", row.x, ": value ", value.at({0}), ", derivative ", derivative.at({0}));
    for (std::int64_t i = 0; i < 21; ++i) {
      CHECK(agree(value.at({i}), row.value));
      CHECK(agree(derivative.at({i}), row.derivative));
    }
  }
}

TEST_CASE("operators take doubles on either side and tensors as constants") {
  const Tensor x = Tensor::from<float>({1, 2}, {2});
  CHECK((x + 1).value().at({1}) == 3);
  CHECK((1 + Var(x)).value().at({1}) == 3);
  CHECK((x - 1).value().at({1}) == 1);
  CHECK((1 - Var(x)).value().at({1}) == -1);
  CHECK((x * 3).value().at({1}) == 6);
  CHECK((3 * Var(x)).value().at({1}) == 6);
  CHECK((x / 4).value().at({1}) == 0.5);
  CHECK((4 / Var(x)).value().at({1}) == 2);
  CHECK((-Var(x)).value().at({1}) == -2);
  CHECK((x * x + x).value().dtype() == f32);
}

TEST_CASE("wrong arguments are named") {
  const Tensor x = Tensor::zeros({2, 3}), y = Tensor::zeros({2}), z = Tensor::zeros({2, 3}, f64);
  CHECK_THROWS_WITH_AS(Var(x) * y, doctest::Contains("[mul] shapes [2, 3] and [2] don't broadcast"), ShapeError);
  CHECK_THROWS_WITH_AS(Var(x) / z, doctest::Contains("[div] dtypes differ: f32[2, 3] and f64[2, 3]"), DTypeError);
  CHECK_THROWS_AS(exp(Tensor::zeros({1}, i64)), DTypeError);
  CHECK_THROWS_AS(where(x, x, x), DTypeError);
  CHECK_THROWS_AS(where(Tensor::zeros({4}, boolean), x, x), ShapeError);
  CHECK_THROWS_AS(maximum(x, z), DTypeError);
  Var (*const one_argument[])(const Var&) = {exp, expm1, log, log1p, sqrt,    rsqrt, reciprocal, square, abs,
                                             sin, cos,   erf, tanh,  sigmoid, sign,  floor,      ceil,   round};
  for (const auto function : one_argument) CHECK_THROWS_AS(function(Var()), ValueError);
  for (const auto function : {expm1, log1p, rsqrt, reciprocal, sin, cos, floor, ceil, round}) {
    for (const DType type : {i32, i64, boolean}) CHECK_THROWS_AS(function(Tensor::zeros({2}, type)), DTypeError);
  }
  CHECK_THROWS_WITH_AS(log1p(Tensor::zeros({2, 3}, i64)), "[log1p] the operand is i64[2, 3]; f32 or f64 is needed", DTypeError);
  CHECK_THROWS_AS(sign(Tensor::zeros({2}, boolean)), DTypeError);
  CHECK(sign(Tensor::from<std::int64_t>({-5, 0, 7}, {3})).value().at({0}) == -1);
  CHECK_THROWS_AS(Var(x) + Var(), ValueError);
  CHECK_THROWS_AS(Var() * 2, ValueError);
  CHECK_THROWS_AS(where(Tensor(), x, x), ValueError);
  CHECK_THROWS_AS(clamp(x, 1, 0), ValueError);
  CHECK_THROWS_AS(masked_fill(x, Tensor::zeros({2, 3}, i32), 0), DTypeError);
}

}  // namespace
}  // namespace weft
