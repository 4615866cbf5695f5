#include <bit>
#include <cmath>
#include <limits>

#include "kernels/elementwise.hpp"
#include "kernels/elementwise_rows.hpp"
#include "kernels/isa_support.hpp"

namespace weft {
namespace {

using kernels::Unary;

// Every 4,999th of the floats with absolute value below 2^64, all exponents and both signs.
Tensor sweep() {
  constexpr std::uint32_t end = 0x5f800000u, step = 4999;
  constexpr auto n = static_cast<std::int64_t>((end + step - 1) / step);
  Tensor x = Tensor::empty({2 * n});
  auto* to = x.mutable_data<float>();
  for (std::int64_t i = 0; i < n; ++i) {
    to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(i) * step);
    to[n + i] = -to[i];
  }
  return x;
}

// Distance from `expected` in units of the last place of a float.
double ulps(float value, double expected) {
  const auto nearest = static_cast<float>(expected);
  const float size = std::max(std::abs(nearest), std::numeric_limits<float>::min());
  const double ulp = static_cast<double>(std::nextafter(size, std::numeric_limits<float>::infinity()) - size);
  return std::abs(static_cast<double>(value) - expected) / ulp;
}

bool same_or_both_nan(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

struct Bound {
  Unary function;
  double ulps;       // where `limit` doesn't apply
  double limit = 0;  // results smaller than this may be off by as much
};

TEST_CASE("vector functions are exact to a few units in the last place on every instruction set") {
  const Tensor x = sweep(), wide = x.to(f64);
  constexpr double smallest = 1.2e-38;  // denormal results may be 0
  for (const Bound bound : {Bound{Unary::exp, 2, smallest},
                            {Unary::log, 2},
                            {Unary::tanh, 2},
                            {Unary::sigmoid, 3, smallest},
                            {Unary::erf, 2},
                            {Unary::sqrt, 0.5},
                            {Unary::reciprocal, 0.5},
                            {Unary::rsqrt, 1.5},
                            {Unary::log1p, 3},
                            {Unary::expm1, 2},
                            {Unary::floor, 0},
                            {Unary::ceil, 0},
                            {Unary::round, 0},
                            {Unary::silu, 4, 100 * smallest},
                            {Unary::mish, 6, 100 * smallest},
                            {Unary::softsign, 1.5},
                            {Unary::logsigmoid, 4, smallest}}) {
    const Tensor expected = kernels::reference::unary(bound.function, wide);
    test::on_each_isa([&] {
      const Tensor y = kernels::unary(bound.function, x);
      double worst = 0;
      float at = 0;
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        const float value = y.data<float>()[i];
        const double wanted = expected.data<double>()[i];
        if (same_or_both_nan(value, static_cast<float>(wanted)) || std::abs(wanted) < bound.limit) continue;
        const double error = ulps(value, wanted);
        if (error > worst || std::isnan(error)) {
          worst = error;
          at = x.data<float>()[i];
        }
      }
      INFO("function ", static_cast<int>(bound.function), " at ", at);
      CHECK(worst <= bound.ulps);
    });
  }
}

TEST_CASE("gelu and its derivatives keep their digits on the negative side") {
  const Tensor x = sweep(), wide = x.to(f64);
  for (const Unary function : {Unary::gelu, Unary::gelu_tanh}) {
    const Tensor expected = kernels::reference::unary(function, wide);
    test::on_each_isa([&] {
      const Tensor y = kernels::unary(function, x);
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        const auto value = static_cast<double>(y.data<float>()[i]), wanted = expected.data<double>()[i];
        if (!(std::abs(value - wanted) <= 2e-5 * std::abs(wanted) + 1e-36)) ++wrong;
      }
      CHECK(wrong == 0);
    });
  }
  for (const auto function : {kernels::Binary::gelu_grad, kernels::Binary::gelu_tanh_grad}) {
    const Tensor expected = kernels::reference::binary(function, Tensor::full({}, 0.75, f64), wide, "gelu");
    test::on_each_isa([&] {
      const Tensor y = kernels::binary(function, Tensor::full({1}, 0.75), x, "gelu");
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        const auto value = static_cast<double>(y.data<float>()[i]), wanted = expected.data<double>()[i];
        if (!(std::abs(value - wanted) <= 2e-5 * std::abs(wanted) + 2e-7)) ++wrong;
      }
      CHECK(wrong == 0);
    });
  }
}

TEST_CASE("functions with a parameter keep their digits, and NaN and infinities come through") {
  using kernels::Binary;
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Tensor x = sweep(), wide = x.to(f64), edges = Tensor::from<float>({nan, inf, -inf, 0, -0.0f, -1e30f, 1e30f, 20}, {8});
  for (const auto& [function, parameter] :
       {std::pair{Binary::softplus, 20.0}, {Binary::elu, 0.75}, {Binary::leaky_relu, 0.25}}) {
    const Tensor expected = kernels::reference::binary(function, wide, Tensor::full({}, parameter, f64), "f");
    const Tensor at_edges = kernels::reference::binary(function, edges, Tensor::full({}, parameter), "f");
    test::on_each_isa([&, function = function, parameter = parameter] {
      const Tensor y = kernels::binary(function, x, parameter), z = kernels::binary(function, edges, parameter);
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        const double wanted = expected.data<double>()[i];
        if (std::abs(wanted) >= 1.2e-38 && !(ulps(y.data<float>()[i], wanted) <= 4)) ++wrong;
      }
      INFO(kernels::name_of(function));
      CHECK(wrong == 0);
      for (std::int64_t i = 0; i < edges.numel(); ++i) CHECK(same_or_both_nan(z.data<float>()[i], at_edges.data<float>()[i]));
    });
  }
}

TEST_CASE("vector functions at the edges") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  struct Row {
    Unary function;
    float of_inf, of_minus_inf, of_zero, of_minus_zero, of_large, of_minus_large;
  };
  const float large = 3e38f, root = std::sqrt(large);
  const Row rows[] = {
      {Unary::neg, -inf, inf, -0.0f, 0, -large, large},
      {Unary::exp, inf, 0, 1, 1, inf, 0},
      {Unary::log, inf, nan, -inf, -inf, std::log(large), nan},
      {Unary::sqrt, inf, nan, 0, -0.0f, root, nan},
      {Unary::square, inf, inf, 0, 0, inf, inf},
      {Unary::abs, inf, inf, 0, 0, large, large},
      {Unary::tanh, 1, -1, 0, -0.0f, 1, -1},
      {Unary::sigmoid, 1, 0, 0.5f, 0.5f, 1, 0},
      {Unary::relu, inf, 0, 0, -0.0f, large, 0},
      {Unary::gelu, inf, 0, 0, -0.0f, large, 0},
      {Unary::gelu_tanh, inf, 0, 0, -0.0f, large, 0},
      {Unary::sign, 1, -1, 0, -0.0f, 1, -1},
      {Unary::erf, 1, -1, 0, -0.0f, 1, -1},
      {Unary::reciprocal, 0, -0.0f, inf, -inf, 1 / large, -1 / large},
      {Unary::rsqrt, 0, nan, inf, -inf, 1 / root, nan},
      {Unary::log1p, inf, nan, 0, -0.0f, std::log(large), nan},
      {Unary::expm1, inf, -1, 0, -0.0f, inf, -1},
      {Unary::floor, inf, -inf, 0, -0.0f, large, -large},
      {Unary::ceil, inf, -inf, 0, -0.0f, large, -large},
      {Unary::round, inf, -inf, 0, -0.0f, large, -large},
      {Unary::silu, inf, 0, 0, -0.0f, large, 0},
      {Unary::mish, inf, 0, 0, -0.0f, large, 0},
      {Unary::softsign, 1, -1, 0, -0.0f, 1, -1},
      {Unary::logsigmoid, 0, -inf, -std::log(2.0f), -std::log(2.0f), 0, -large},
  };
  const Tensor x = Tensor::from<float>({nan, inf, -inf, 0.0f, -0.0f, large, -large}, {7});
  test::on_each_isa([&] {
    for (const Row& row : rows) {
      const Tensor y = kernels::unary(row.function, x);
      const float wanted[] = {nan,          row.of_inf,        row.of_minus_inf, row.of_zero, row.of_minus_zero,
                              row.of_large, row.of_minus_large};
      for (std::int64_t i = 0; i < 7; ++i) {
        INFO("function ", static_cast<int>(row.function), " of ", x.data<float>()[i], " is ", y.data<float>()[i]);
        const bool close = std::abs(y.data<float>()[i] - wanted[i]) <= 1e-6f * std::abs(wanted[i]);
        CHECK((same_or_both_nan(y.data<float>()[i], wanted[i]) || close));
      }
    }
  });
}

TEST_CASE("a result doesn't depend on its place in the row") {
  const Tensor x = sweep().slice(0, 100000, 100067);
  test::on_each_isa([&] {
    for (const Unary function : {Unary::exp, Unary::log, Unary::tanh, Unary::sigmoid, Unary::erf, Unary::gelu, Unary::log1p,
                                 Unary::expm1, Unary::silu, Unary::mish, Unary::logsigmoid}) {
      const Tensor all = kernels::unary(function, x);
      for (std::int64_t start = 0; start < 20; ++start) {
        for (std::int64_t length : {1, 3, 4, 7, 8, 9, 16, 31}) {
          const Tensor part = kernels::unary(function, x.slice(0, start, start + length));
          for (std::int64_t i = 0; i < length; ++i)
            if (!same_or_both_nan(part.data<float>()[i], all.data<float>()[start + i])) FAIL("differs");
        }
      }
    }
  });
}

}  // namespace
}  // namespace weft
