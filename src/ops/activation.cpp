#include "weft/ops/activation.hpp"

#include <numbers>

#include "base/fail.hpp"
#include "ops/fused_rule.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft {

using kernels::Binary;
using kernels::Unary;

namespace {

// For an operation that is made of others, whose names a message would have.
void check_floating(const char* op, const Var& x) {
  check<ValueError>(x.defined(), op, "the operand is undefined; it needs a value");
  check<DTypeError>(is_floating(x.dtype()), op, "the operand is {}; f32 or f64 is needed", x);
}

}  // namespace

Var relu(const Var& x) {
  const Tensor y = kernels::unary(Unary::relu, x.value());
  return record("relu", y, {&x}, [y = Saved(y)](Sink& s) {
    if (s.recording())
      s.add(0, masked_fill(s.grad(), kernels::binary(Binary::le, y.value(), 0.0), 0));
    else
      s.add(0, kernels::binary(Binary::relu_grad, s.grad().value(), y.value(), "backward"));
  });
}

Var gelu(const Var& x, GeluApproximation approximation) {
  check_floating("gelu", x);
  if (approximation == GeluApproximation::none) {
    // Phi(x) + x phi(x); phi guards infinite x
    return record("gelu", kernels::unary(Unary::gelu, x.value()), {&x}, [x = Saved(x)](Sink& s) {
      fused_rule(s, Binary::gelu_grad, x.get(), [](const Var& in) {
        const Var phi = exp(square(in) * -0.5) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
        return (erf(in * (1 / std::numbers::sqrt2)) + 1) * 0.5 + guarded_mul(phi, in);
      });
    });
  }
  // (1 + t) / 2 + x (1 - t^2) u' / 2, t = tanh(u), u = sqrt(2 / pi) (x + 0.044715 x^3)
  return record("gelu", kernels::unary(Unary::gelu_tanh, x.value()), {&x}, [x = Saved(x)](Sink& s) {
    fused_rule(s, Binary::gelu_tanh_grad, x.get(), [](const Var& in) {
      constexpr double root = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
      const Var cubic = square(in) * 0.044715, t = tanh(in * (cubic + 1) * root);
      return (t + 1) * 0.5 + guarded_mul(1 - square(t), in * (cubic * 3 + 1) * (root / 2));
    });
  });
}

// s + x s (1 - s), s = sigmoid(x)
Var silu(const Var& x) {
  return record("silu", kernels::unary(Unary::silu, x.value()), {&x}, [x = Saved(x)](Sink& s) {
    fused_rule(s, Binary::silu_grad, x.get(), [](const Var& in) {
      const Var gate = sigmoid(in);
      return gate + guarded_mul(gate * (1 - gate), in);
    });
  });
}

// t + x s (1 - t^2), t = tanh(softplus(x)), s = sigmoid(x)
Var mish(const Var& x) {
  return record("mish", kernels::unary(Unary::mish, x.value()), {&x}, [x = Saved(x)](Sink& s) {
    const Var in = x.get(), t = tanh(softplus(in));
    s.add(0, guarded_mul(s.grad(), t + guarded_mul(sigmoid(in) * (1 - square(t)), in)));
  });
}

Var leaky_relu(const Var& x, double negative_slope) {
  return record("leaky_relu", kernels::binary(Binary::leaky_relu, x.value(), negative_slope), {&x},
                [x = Saved(x), negative_slope](Sink& s) {
                  const Tensor positive = kernels::binary(Binary::gt, x.value(), 0.0);
                  s.add(0, where(positive, s.grad(), s.grad() * negative_slope));
                });
}

Var elu(const Var& x, double alpha) {
  return record("elu", kernels::binary(Binary::elu, x.value(), alpha), {&x}, [x = Saved(x), alpha](Sink& s) {
    const Tensor positive = kernels::binary(Binary::gt, x.value(), 0.0);
    s.add(0, where(positive, s.grad(), guarded_mul(s.grad(), exp(x.get()) * alpha)));
  });
}

Var hardtanh(const Var& x, double min, double max) {
  check<ValueError>(!(min > max), "hardtanh", "min {} is above max {}", min, max);
  check_floating("hardtanh", x);
  Tensor y = kernels::binary(Binary::minimum, kernels::binary(Binary::maximum, x.value(), min), max);
  return record("hardtanh", std::move(y), {&x}, [x = Saved(x), min, max](Sink& s) {
    const Var above_min = masked_fill(s.grad(), kernels::binary(Binary::le, x.value(), min), 0);
    s.add(0, masked_fill(above_min, kernels::binary(Binary::ge, x.value(), max), 0));
  });
}

// dx = g sigmoid(beta x)
Var softplus(const Var& x, double beta, double threshold) {
  check_floating("softplus", x);
  check<ValueError>(beta != 0, "softplus", "beta is 0");
  Tensor y;
  if (beta == 1) {
    y = kernels::binary(Binary::softplus, x.value(), threshold);
  } else {
    const Tensor z = kernels::binary(Binary::mul, x.value(), beta);
    y = kernels::binary(Binary::div, kernels::binary(Binary::softplus, z, threshold), beta);
    y = kernels::where(kernels::binary(Binary::gt, z, threshold), x.value(), y, "softplus");  // x itself, if z overflows
  }
  return record("softplus", std::move(y), {&x}, [x = Saved(x), beta, threshold](Sink& s) {
    const Var z = beta == 1 ? x.get() : x.get() * beta;
    const Tensor linear = kernels::binary(Binary::gt, z.value(), threshold);
    s.add(0, where(linear, s.grad(), guarded_mul(s.grad(), sigmoid(z))));
  });
}

// dx = g sigmoid(-x)
Var logsigmoid(const Var& x) {
  return record("logsigmoid", kernels::unary(Unary::logsigmoid, x.value()), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, guarded_mul(s.grad(), sigmoid(-x.get()))); });
}

// dx = g / (1 + |x|)^2
Var softsign(const Var& x) {
  return record("softsign", kernels::unary(Unary::softsign, x.value()), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, guarded_mul(s.grad(), square(reciprocal(abs(x.get()) + 1)))); });
}

}  // namespace weft
