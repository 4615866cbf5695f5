#include "weft/ops/normalization.hpp"

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/layer_norm.hpp"
#include "ops/guarded.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

void check_arguments(const Var& x, const Var& weight, const Var& bias, double eps) {
  check<DTypeError>(is_floating(x.dtype()), "layer_norm", "the input is {}; f32 or f64 is needed", x.value());
  check<ShapeError>(x.rank() >= 1, "layer_norm", "the input has no dimension to normalise over");
  check<ValueError>(eps >= 0, "layer_norm", "eps is {}; it must not be negative", eps);
  for (const Var* parameter : {&weight, &bias}) {
    if (!parameter->defined()) continue;
    check<ShapeError>(parameter->shape() == Shape{x.shape().back()} && parameter->dtype() == x.dtype(), "layer_norm",
                      "{} {} doesn't fit input {}: one element for each of the last dimension is needed",
                      parameter == &weight ? "weight" : "bias", parameter->value(), x.value());
  }
}

// n = (x - mean) inverse;  dx = inverse (dn - mean(dn) - n mean(dn n)),  dn = g weight
void composite(Sink& s, const Var& x, const Var& weight, double eps) {
  const Var g = s.grad();
  const Var centred = x - mean(x, {-1}, true);
  const Var inverse = pow(mean(square(centred), {-1}, true) + eps, -0.5);
  const Var normal = centred * inverse;
  const Var d = weight.defined() ? guarded_mul(g, weight) : g;
  if (s.wants(0)) {
    const Var dot = mean(guarded_mul(d, normal), {-1}, true);
    s.add(0, guarded_mul(d - mean(d, {-1}, true) - guarded_mul(dot, normal), inverse));
  }
  if (s.wants(1)) s.add(1, guarded_mul(g, normal));
  if (s.wants(2)) s.add(2, g);
}

}  // namespace

Var layer_norm(const Var& x, const Var& weight, const Var& bias, double eps) {
  check_arguments(x, weight, bias, eps);
  const std::int64_t n = x.shape().back(), rows = x.shape().without(-1).numel();
  const auto dense_or_none = [](const Var& v) { return v.defined() ? kernels::dense(v.value()) : Tensor(); };
  auto result =
      kernels::layer_norm(kernels::dense(x.value()).reshape({rows, n}), dense_or_none(weight), dense_or_none(bias), eps);
  return record("layer_norm", result.y.reshape(x.shape()), {&x, &weight, &bias},
                [x = Saved(x), weight = Saved(weight, weight.defined()), mean = std::move(result.mean),
                 inverse = std::move(result.inverse), rows, n, eps](Sink& s) {
                  const Var scale = weight.defined() ? weight.get() : Var();
                  if (s.recording()) return composite(s, x.get(), scale, eps);
                  auto gradients = kernels::layer_norm_backward(kernels::dense(s.grad().value()).reshape({rows, n}),
                                                                kernels::dense(x.value()).reshape({rows, n}),
                                                                scale.defined() ? kernels::dense(scale.value()) : Tensor(),
                                                                mean, inverse, s.wants(0), s.wants(1) || s.wants(2));
                  if (s.wants(0)) s.add(0, gradients.x.reshape(x.get().shape()));
                  if (s.wants(1)) s.add(1, gradients.weight);
                  if (s.wants(2)) s.add(2, gradients.bias);
                });
}

}  // namespace weft
