#include "weft/nn/gated_fusion.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

namespace {

double product(const Tensor& weight, std::int64_t row, const std::vector<double>& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += weight.at({row, static_cast<std::int64_t>(i)}) * x[i];
  return sum;
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("gated fusion is the formula by plain loops, of two inputs and of three") {
  const Tensor a = uniform({2, 3, 4}, -1, 1, 1), b = uniform({2, 3, 2}, -1, 1, 2), c = uniform({2, 3, 3}, -1, 1, 3);
  nn::GatedFusion two({.in_features = {4, 2}, .out_features = 5}, {.seed = 1}),
      three({.in_features = {4, 2, 3}, .out_features = 5}, {.seed = 2});
  two.to(f64), three.to(f64);
  const Tensor of_two = two(Var(a), Var(b)).value(), of_three = three(std::array<Var, 3>{a, b, c}).value();
  CHECK(two.gates.size() == 1);
  CHECK(three.gates.size() == 3);
  for (std::int64_t r = 0; r < 2; ++r)
    for (std::int64_t t = 0; t < 3; ++t) {
      std::vector<std::vector<double>> x(3);
      for (std::size_t i = 0; i < 3; ++i) {
        const Tensor& from = i == 0 ? a : i == 1 ? b : c;
        for (std::int64_t j = 0; j < from.size(2); ++j) x[i].push_back(from.at({r, t, j}));
      }
      std::vector<double> both = x[0];
      both.insert(both.end(), x[1].begin(), x[1].end());
      std::vector<double> all = both;
      all.insert(all.end(), x[2].begin(), x[2].end());
      for (std::int64_t o = 0; o < 5; ++o) {
        const double z = sigmoid_of(product(two.gates[0].weight->value(), o, both));
        const double expected = z * std::tanh(product(two.inputs[0].weight->value(), o, x[0])) +
                                (1 - z) * std::tanh(product(two.inputs[1].weight->value(), o, x[1]));
        CHECK(of_two.at({r, t, o}) == doctest::Approx(expected).epsilon(1e-13));
        double total = 0;
        for (std::size_t i = 0; i < 3; ++i)
          total += sigmoid_of(product(three.gates[i].weight->value(), o, all)) *
                   std::tanh(product(three.inputs[i].weight->value(), o, x[i]));
        CHECK(of_three.at({r, t, o}) == doctest::Approx(total).epsilon(1e-13));
      }
    }
}

TEST_CASE("gradients of gated fusion to second order") {
  nn::GatedFusion two({.in_features = {4, 2}, .out_features = 3}), three({.in_features = {2, 1, 3}, .out_features = 3});
  two.to(f64), three.to(f64);
  const Tensor a = uniform({2, 4}, -1, 1, 1), b = uniform({2, 2}, -1, 1, 2);
  const Tensor c = uniform({2, 1}, -1, 1, 3), d = uniform({2, 3}, -1, 1, 4);
  const auto check = [](nn::ModuleBase& module, const auto& output) {
    const auto loss = [&] { return sum(square(output())); };
    gradcheck_parameters(loss, module.parameters()).require();
    gradgradcheck_parameters(loss, module.parameters(), {.rtol = 1e-4, .directions = 3}).require();
    module.zero_grad();
  };
  check(two, [&] { return two(Var(a), Var(b)); });
  check(three, [&] { return three(std::array<Var, 3>{b, c, d}); });
  gradgradcheck([&](const std::vector<Var>& in) { return two(in[0], in[1]); }, {a, b}).require();
}

TEST_CASE("gated fusion that can't be is refused") {
  CHECK_THROWS_WITH_AS(nn::GatedFusion({.in_features = {4}, .out_features = 3}), doctest::Contains("1 kinds of input"),
                       ValueError);
  CHECK_THROWS_WITH_AS(nn::GatedFusion({.in_features = {4, 0}, .out_features = 3}), doctest::Contains("a size of 0"),
                       ValueError);
  CHECK_THROWS_AS(nn::GatedFusion({.in_features = {4, 2}, .out_features = 0}), ValueError);
  nn::GatedFusion fusion({.in_features = {4, 2}, .out_features = 3});
  const Var a = Tensor::zeros({2, 4}), b = Tensor::zeros({2, 2});
  CHECK_THROWS_WITH_AS(fusion(b, a), doctest::Contains("input 0, f32[2, 2], is not [..., 4]"), ShapeError);
  CHECK_THROWS_WITH_AS(fusion(a, Var(Tensor::zeros({3, 2}))), doctest::Contains("f32[2, 4] and f32[3, 2]"), ShapeError);
  CHECK_THROWS_AS(fusion(a, Var(Tensor::zeros({1, 2}))), ShapeError);  // nothing broadcasts
  CHECK_THROWS_AS(fusion(std::array<Var, 3>{a, b, b}), ValueError);
  CHECK_THROWS_AS(fusion(a, Var()), Error);
  CHECK_THROWS_WITH_AS(fusion(a, Var(Tensor::zeros({2, 2}, f64))),
                       "[GatedFusion] input 1, f64[2, 2], and the module's weights f32[3, 4] differ in dtype", DTypeError);
  CHECK(fusion(Var(Tensor::zeros({0, 4})), Var(Tensor::zeros({0, 2}))).shape() == Shape{0, 3});
}

TEST_CASE("an undefined input of gated fusion is named") {
  nn::GatedFusion fusion({.in_features = {4, 2}, .out_features = 5});
  CHECK_THROWS_WITH_AS(fusion(Var(Tensor::zeros({3, 4})), Var()), "[GatedFusion] input 1 of 2 is undefined", ValueError);
  CHECK_THROWS_WITH_AS(fusion(Var(), Var(Tensor::zeros({3, 2}))), "[GatedFusion] input 0 of 2 is undefined", ValueError);
}
