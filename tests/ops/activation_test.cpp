#include "weft/ops/activation.hpp"

#include <doctest/doctest.h>

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

const std::vector<std::pair<const char*, Function>> activations = {
    {"relu", relu},
    {"gelu", [](const Var& x) { return gelu(x); }},
    {"gelu tanh", [](const Var& x) { return gelu(x, GeluApproximation::tanh); }},
    {"silu", silu},
    {"mish", mish},
    {"leaky_relu", [](const Var& x) { return leaky_relu(x); }},
    {"elu", [](const Var& x) { return elu(x); }},
    {"hardtanh", [](const Var& x) { return hardtanh(x); }},
    {"softplus", [](const Var& x) { return softplus(x); }},
    {"softplus beta", [](const Var& x) { return softplus(x, 2, 3); }},
    {"logsigmoid", logsigmoid},
    {"softsign", softsign},
};

TEST_CASE("activations that a mask took away leave no trace in a gradient") {
  for (const auto& entry : activations) {
    const auto& name = entry.first;
    const auto& f = entry.second;
    INFO("function: ", std::string(name));
    check_masked(f);
  }
}

// Finite rows: PyTorch 1.13.
TEST_CASE("activations: values and derivatives at special points") {
  const Point points[] = {
      {relu, 0, 0, 0},
      {relu, -inf, 0, 0},
      {relu, nan, nan, 1},
      {activations[1].second, inf, inf, 1},
      {activations[1].second, -inf, 0, 0},
      {activations[1].second, nan, nan, nan},
      {activations[2].second, inf, inf, 1},
      {activations[2].second, -inf, 0, 0},
      {silu, -30, -2.8072868906517896e-12, -2.713710660963134e-12},
      {silu, -1.3, -0.2784145220446738, -0.004622854252336919},
      {silu, 0, 0, 0.5},
      {silu, 0.7, 0.46773144051771626, 0.8233867834733425},
      {silu, 40, 40, 1},
      {silu, inf, inf, 1},
      {silu, -inf, 0, 0},
      {silu, nan, nan, nan},
      {mish, -30, -2.807286890651921e-12, -2.713710660963392e-12},
      {mish, -1.3, -0.3073824647494959, -0.02640096215980155},
      {mish, 0, 0, 0.6},
      {mish, 0.7, 0.5611483776438518, 0.9687948682001859},
      {mish, 40, 40, 1},
      {mish, inf, inf, 1},
      {mish, -inf, 0, 0},
      {mish, nan, nan, nan},
      {[](const Var& x) { return leaky_relu(x, 0.2); }, -30, -6, 0.2},
      {[](const Var& x) { return leaky_relu(x, 0.2); }, 0, 0, 0.2},
      {[](const Var& x) { return leaky_relu(x, 0.2); }, 40, 40, 1},
      {[](const Var& x) { return leaky_relu(x); }, -2, -0.02, 0.01},
      {[](const Var& x) { return leaky_relu(x); }, -inf, -inf, 0.01},
      {[](const Var& x) { return leaky_relu(x); }, nan, nan, 0.01},
      {[](const Var& x) { return elu(x, 1.5); }, -30, -1.4999999999998597, 1.4036434453260263e-13},
      {[](const Var& x) { return elu(x, 1.5); }, -1.3, -1.0912023104489812, 0.4087976895510189},
      {[](const Var& x) { return elu(x, 1.5); }, 0, 0, 1.5},
      {[](const Var& x) { return elu(x, 1.5); }, 0.7, 0.7, 1},
      {[](const Var& x) { return elu(x); }, -1e-300, -1e-300, 1},
      {[](const Var& x) { return elu(x); }, -inf, -1, 0},
      {[](const Var& x) { return elu(x); }, inf, inf, 1},
      {[](const Var& x) { return elu(x); }, nan, nan, nan},
      {[](const Var& x) { return hardtanh(x, -0.5, 1); }, -30, -0.5, 0},
      {[](const Var& x) { return hardtanh(x, -0.5, 1); }, -0.5, -0.5, 0},
      {[](const Var& x) { return hardtanh(x, -0.5, 1); }, 0.7, 0.7, 1},
      {[](const Var& x) { return hardtanh(x, -0.5, 1); }, 1, 1, 0},
      {[](const Var& x) { return hardtanh(x); }, inf, 1, 0},
      {[](const Var& x) { return hardtanh(x); }, -inf, -1, 0},
      {[](const Var& x) { return hardtanh(x); }, nan, nan, 1},
      {[](const Var& x) { return softplus(x, 2, 3); }, -30, 4.37825538134826e-27, 8.75651076269652e-27},
      {[](const Var& x) { return softplus(x, 2, 3); }, -1.3, 0.03582234598383491, 0.06913842034334682},
      {[](const Var& x) { return softplus(x, 2, 3); }, 0, 0.34657359027997264, 0.5},
      {[](const Var& x) { return softplus(x, 2, 3); }, 1, 1.0634640055214863, 0.8807970779778824},
      {[](const Var& x) { return softplus(x, 2, 3); }, 1.5, 1.524293675786871,
       0.9525741268224334},  // linear above the threshold alone
      {[](const Var& x) { return softplus(x, 2, 3); }, 1.75, 1.75, 1},
      {[](const Var& x) { return softplus(x); }, 1e300, 1e300, 1},
      {[](const Var& x) { return softplus(x, 1, inf); }, 1000, 1000, 1},
      {[](const Var& x) { return softplus(x); }, inf, inf, 1},
      {[](const Var& x) { return softplus(x); }, -inf, 0, 0},
      {[](const Var& x) { return softplus(x); }, nan, nan, nan},
      {logsigmoid, -30, -30.000000000000092, 0.9999999999999064},
      {logsigmoid, 0, -0.6931471805599453, 0.5},
      {logsigmoid, 0.7, -0.4031860488854579, 0.33181222783183395},
      {logsigmoid, 40, -4.248354255291589e-18, 4.248354255291589e-18},
      {logsigmoid, -1e300, -1e300, 1},
      {logsigmoid, inf, 0, 0},
      {logsigmoid, -inf, -inf, 1},
      {logsigmoid, nan, nan, nan},
      {softsign, -1.3, -0.5652173913043479, 0.1890359168241966},
      {softsign, 0, 0, 1},
      {softsign, 40, 0.975609756097561, 0.0005948839976204663},
      {softsign, inf, 1, 0},
      {softsign, -inf, -1, 0},
      {softsign, nan, nan, nan},
  };
  check_points(points);
}

TEST_CASE("activations in f32 neither overflow nor lose small results") {
  const Tensor x = Tensor::from<float>({-100, -1e-6f, 1e-6f, 100, 3e38f}, {5});
  const Tensor log_gate = logsigmoid(x).value(), plus = softplus(x).value(), kept = elu(x).value();
  CHECK(log_gate.at({0}) == -100);
  CHECK(log_gate.at({3}) == doctest::Approx(-3.8e-44).epsilon(1));  // denormal, or 0
  CHECK(log_gate.at({4}) == 0);
  CHECK(plus.at({3}) == 100);
  CHECK(plus.at({4}) == static_cast<double>(3e38f));
  CHECK(plus.at({1}) == doctest::Approx(0.6931466805600703).epsilon(1e-7));
  CHECK(kept.at({0}) == -1);
  CHECK(std::abs(kept.at({1}) / -9.999995e-7 - 1) < 1e-7);
  for (const auto& entry : activations) {
    const auto& name = entry.first;
    const auto& f = entry.second;
    INFO("function: ", std::string(name));
    CHECK(all_finite(f(x).value()));
    CHECK(all_finite(gradient(f, x)));
    CHECK(all_finite(second_gradient(f, x.slice(0, 0, 4))));
    CHECK(std::isnan(f(Tensor::full({1}, nan)).item()));
  }
}

TEST_CASE("activations name wrong arguments") {
  const Tensor x = Tensor::zeros({2, 3});
  for (const auto& entry : activations) {
    const auto& name = entry.first;
    const auto& f = entry.second;
    INFO("function: ", std::string(name));
    CHECK_THROWS_AS(f(Var()), ValueError);
    CHECK_THROWS_AS(f(Tensor::zeros({2}, boolean)), DTypeError);
  }
  CHECK_THROWS_WITH_AS(silu(Tensor::zeros({2, 3}, i64)), "[silu] the operand is i64[2, 3]; f32 or f64 is needed", DTypeError);
  CHECK_THROWS_WITH_AS(mish(Tensor::zeros({4}, i32)), "[mish] the operand is i32[4]; f32 or f64 is needed", DTypeError);
  CHECK_THROWS_WITH_AS(elu(Tensor::zeros({4}, i32)), "[elu] elements of i32[4] are not supported", DTypeError);
  CHECK_THROWS_WITH_AS(leaky_relu(Tensor::zeros({4}, i32)), "[leaky_relu] elements of i32[4] are not supported", DTypeError);
  CHECK_THROWS_WITH_AS(softplus(Tensor::zeros({4}, i32)), "[softplus] the operand is i32[4]; f32 or f64 is needed", DTypeError);
  CHECK_THROWS_WITH_AS(softplus(Tensor::zeros({4}, i32), 2), doctest::Contains("[softplus]"), DTypeError);
  CHECK_THROWS_WITH_AS(softplus(Var(), 2), doctest::Contains("[softplus]"), ValueError);
  CHECK_THROWS_WITH_AS(gelu(Tensor::zeros({4}, i32), GeluApproximation::tanh), doctest::Contains("[gelu]"), DTypeError);
  CHECK_THROWS_WITH_AS(gelu(Var(), GeluApproximation::tanh), doctest::Contains("[gelu]"), ValueError);
  CHECK_THROWS_WITH_AS(softplus(x, 0), doctest::Contains("[softplus] beta is 0"), ValueError);
  CHECK_THROWS_WITH_AS(hardtanh(x, 1, 0), "[hardtanh] min 1 is above max 0", ValueError);
  CHECK_THROWS_WITH_AS(hardtanh(Tensor::zeros({4}, i64), -1, 1), "[hardtanh] the operand is i64[4]; f32 or f64 is needed",
                       DTypeError);
}

}  // namespace
}  // namespace weft
