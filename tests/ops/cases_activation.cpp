#include "ops/unary_cases.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::test {

void add_activation_cases(std::vector<Case>& to) {
  constexpr Range real{-2, 2}, wide{-4, 4};
  add_unary(to, "relu", "", relu, real);
  add_unary(
      to, "gelu", "exact, ", [](const Var& x) { return gelu(x); }, wide);
  add_unary(
      to, "gelu", "tanh, ", [](const Var& x) { return gelu(x, GeluApproximation::tanh); }, wide);
  add_unary(to, "silu", "", silu, wide);
  add_unary(to, "mish", "", mish, wide);
  add_unary(
      to, "leaky_relu", "", [](const Var& x) { return leaky_relu(x); }, real);
  add_unary(
      to, "leaky_relu", "steep, ", [](const Var& x) { return leaky_relu(x, 0.75); }, real);
  add_unary(
      to, "elu", "", [](const Var& x) { return elu(x); }, real);
  add_unary(
      to, "elu", "alpha, ", [](const Var& x) { return elu(x, 1.7); }, real);
  add_unary(to, "hardtanh", "", [](const Var& x) { return hardtanh(x); }, {-2.03, 2.1});
  add_unary(to, "hardtanh", "bounds, ", [](const Var& x) { return hardtanh(x, 0, 1.57); }, {-2.03, 2.1});
  add_unary(
      to, "softplus", "", [](const Var& x) { return softplus(x); }, wide);
  add_unary(
      to, "softplus", "beta, ", [](const Var& x) { return softplus(x, 2.5); }, real);
  // Behind so low a threshold the function jumps: no value may be near 1.7 / 0.8.
  add_unary(to, "softplus", "threshold, ", [](const Var& x) { return softplus(x, 0.8, 1.7); }, {-4.02, 4.1});
  add_unary(to, "logsigmoid", "", logsigmoid, wide);
  add_unary(to, "softsign", "", softsign, real);
}

}  // namespace weft::test
