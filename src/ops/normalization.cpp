#include "weft/ops/normalization.hpp"

#include <limits>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/layer_norm.hpp"
#include "ops/guarded.hpp"
#include "weft/autograd/recompute.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft {

using kernels::Binary;

namespace {

void check_input(const char* op, const Var& x, double eps) {
  check<ValueError>(x.defined(), op, "the input is undefined");
  check<DTypeError>(is_floating(x.dtype()), op, "the input is {}; f32 or f64 is needed", x.value());
  check<ValueError>(eps >= 0, op, "eps is {}; it must not be negative", eps);
}

// A parameter has one element for each of `axis`.
void check_parameter(const char* op, const char* name, const Tensor& parameter, const Var& x, int axis) {
  if (!parameter.defined()) return;
  check<ShapeError>(parameter.shape() == Shape{x.size(axis)}, op,
                    "{} {} doesn't fit input {}: one element for each {} is needed", name, parameter, x.value(),
                    axis < 0 ? "of the last dimension" : "channel");
  check<DTypeError>(parameter.dtype() == x.dtype(), op, "{} {} and input {} differ in type", name, parameter, x.value());
}

void check_last(const char* op, const Var& x, const Var& weight, const Var& bias) {
  check<ShapeError>(x.rank() >= 1, op, "the input has no dimension to normalise over");
  check_parameter(op, "weight", weight.value(), x, -1);
  check_parameter(op, "bias", bias.value(), x, -1);
}

void check_channels(const char* op, const Var& x, const Var& weight, const Var& bias) {
  check<ShapeError>(x.rank() >= 2, op, "input {}: [N, C, ...] is needed", x.shape());
  check_parameter(op, "weight", weight.value(), x, 1);
  check_parameter(op, "bias", bias.value(), x, 1);
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

// layer_norm, with the mean and the variance of each row beside it.
struct Normalized {
  Var y;
  Tensor mean, variance;
};

Normalized normalize(const char* op, const Var& x, const Var& weight, const Var& bias, double eps) {
  const std::int64_t n = x.shape().back(), rows = x.shape().without(-1).numel();
  const auto dense_or_none = [](const Var& v) { return v.defined() ? kernels::dense(v.value()) : Tensor(); };
  const auto result =
      kernels::layer_norm(kernels::dense(x.value()).reshape({rows, n}), dense_or_none(weight), dense_or_none(bias), eps);
  Var y = record(op, result.y.reshape(x.shape()), {&x, &weight, &bias},
                 [x = Saved(x), weight = Saved(weight, weight.defined()), mean = result.mean, inverse = result.inverse, rows, n,
                  eps](Sink& s) {
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
  return {std::move(y), result.mean, result.variance};
}

// A parameter [C] as it broadcasts to x [N, C, ...].
Var by_channel(const Var& parameter, const Var& x) {
  Shape shape{parameter.numel()};
  for (int i = 2; i < x.rank(); ++i) shape = shape.with_inserted(-1, 1);
  return reshape(parameter, shape);
}

Var scaled_by_channel(Var y, const Var& weight, const Var& bias) {
  if (weight.defined()) y = y * by_channel(weight, y);
  if (bias.defined()) y = y + by_channel(bias, y);
  return y;
}

// running = (1 - momentum) running + momentum batch
void move_towards(Tensor& running, const Tensor& batch, double momentum) {
  if (!running.defined()) return;
  running.copy_from(
      kernels::add(kernels::binary(Binary::mul, running, 1 - momentum), kernels::binary(Binary::mul, batch, momentum)));
}

// Each channel as a row [C, n], normalised by its own statistics.
Var by_batch(const Var& x, Tensor& running_mean, Tensor& running_var, const BatchNormOptions& o) {
  std::int64_t n = x.size(0);
  for (int i = 2; i < x.rank(); ++i) n *= x.size(i);
  check<ValueError>(n != 1, "batch_norm", "input {} has one value a channel; training needs more", x.shape());
  const Var turned = transpose(x, 0, 1);
  const Normalized rows = normalize("batch_norm", reshape(turned, {x.size(1), n}), {}, {}, o.eps);
  if (Tape::recording() != nullptr && !recomputing() && n > 0) {
    const double unbiased = static_cast<double>(n) / static_cast<double>(n - 1);
    move_towards(running_mean, rows.mean, o.momentum);
    move_towards(running_var, kernels::binary(Binary::mul, rows.variance, unbiased), o.momentum);
  }
  return transpose(reshape(rows.y, turned.shape()), 0, 1);
}

}  // namespace

Var layer_norm(const Var& x, const Var& weight, const Var& bias, double eps) {
  check_input("layer_norm", x, eps);
  check_last("layer_norm", x, weight, bias);
  return normalize("layer_norm", x, weight, bias, eps).y;
}

Var rms_norm(const Var& x, const Var& weight, std::optional<double> eps) {
  check_input("rms_norm", x, eps.value_or(0));
  check_last("rms_norm", x, weight, {});
  const double smallest =
      x.dtype() == f32 ? double{std::numeric_limits<float>::epsilon()} : std::numeric_limits<double>::epsilon();
  const Var y = x * pow(mean(square(x), {-1}, true) + eps.value_or(smallest), -0.5);
  return weight.defined() ? y * weight : y;
}

Var batch_norm(const Var& x, Tensor running_mean, Tensor running_var, const Var& weight, const Var& bias,
               const BatchNormOptions& o) {
  constexpr const char* op = "batch_norm";
  check_input(op, x, o.eps);
  check_channels(op, x, weight, bias);
  check_parameter(op, "running_mean", running_mean, x, 1);
  check_parameter(op, "running_var", running_var, x, 1);
  check<ValueError>(o.momentum >= 0 && o.momentum <= 1, op, "momentum is {}; it must be in [0, 1]", o.momentum);
  if (o.training) return scaled_by_channel(by_batch(x, running_mean, running_var, o), weight, bias);
  check<ValueError>(running_mean.defined() && running_var.defined(), op,
                    "without running_mean and running_var there is nothing to normalise by; set training");
  const Var inverse = kernels::unary(kernels::Unary::rsqrt, kernels::binary(Binary::add, running_var, o.eps));
  return scaled_by_channel(x - by_channel(running_mean, x), weight.defined() ? weight * inverse : inverse, bias);
}

Var group_norm(const Var& x, std::int64_t num_groups, const Var& weight, const Var& bias, double eps) {
  constexpr const char* op = "group_norm";
  check_input(op, x, eps);
  check_channels(op, x, weight, bias);
  check<ValueError>(num_groups >= 1 && num_groups <= std::max<std::int64_t>(x.size(1), 1) && x.size(1) % num_groups == 0, op,
                    "{} groups don't divide the {} channels of input {}", num_groups, x.size(1), x.shape());
  std::int64_t n = x.size(1) / num_groups;
  for (int i = 2; i < x.rank(); ++i) n *= x.size(i);
  const Var rows = reshape(x, {x.size(0) * num_groups, n});
  return scaled_by_channel(reshape(normalize(op, rows, {}, {}, eps).y, x.shape()), weight, bias);
}

}  // namespace weft
