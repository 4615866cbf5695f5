#include <algorithm>
#include <cmath>

#include "kernels/adaptive.hpp"

namespace weft::kernels::reference {
namespace {

// An element and its state as doubles; written back after the update.
struct Element {
  double value, grad, first, second, third;
};

double load(const Tensor& tensor, std::int64_t i) {
  if (!tensor.defined()) return 0;
  return tensor.dtype() == DType::f64 ? tensor.data<double>()[i] : static_cast<double>(tensor.data<float>()[i]);
}

void store(Tensor& tensor, std::int64_t i, double value) {
  if (!tensor.defined()) return;
  if (tensor.dtype() == DType::f64)
    tensor.mutable_data<double>()[i] = value;
  else
    tensor.mutable_data<float>()[i] = static_cast<float>(value);
}

template <class Update>
void each(Tensor& value, const Tensor& grad, Tensor& first, Tensor& second, Tensor& third, const Update& update) {
  for (std::int64_t i = 0; i < value.numel(); ++i) {
    Element e = {load(value, i), load(grad, i), load(first, i), load(second, i), load(third, i)};
    update(e);
    store(value, i, e.value);
    store(first, i, e.first);
    store(second, i, e.second);
    store(third, i, e.third);
  }
}

double quotient_or_0(double x, double divisor) { return divisor == 0 ? 0 : x / divisor; }

}  // namespace

void rmsprop(Tensor& value, const Tensor& grad, Tensor& square_avg, Tensor& momentum_buffer, Tensor& grad_avg,
             const RmspropStep& s) {
  each(value, grad, square_avg, momentum_buffer, grad_avg, [&](Element& e) {
    const double g = e.grad + s.weight_decay * e.value;
    e.first = s.alpha * e.first + (1 - s.alpha) * g * g;
    e.third = s.alpha * e.third + (1 - s.alpha) * g;
    const double variance = grad_avg.defined() ? std::max(e.first - e.third * e.third, 0.0) : e.first;
    e.second = s.momentum * e.second + quotient_or_0(g, std::sqrt(variance) + s.eps);
    e.value -= s.lr * e.second;
  });
}

void adagrad(Tensor& value, const Tensor& grad, Tensor& sum, const AdagradStep& s) {
  Tensor none;
  each(value, grad, sum, none, none, [&](Element& e) {
    const double g = e.grad + s.weight_decay * e.value;
    e.first += g * g;
    e.value -= s.lr * quotient_or_0(g, std::sqrt(e.first) + s.eps);
  });
}

void adadelta(Tensor& value, const Tensor& grad, Tensor& square_avg, Tensor& acc_delta, const AdadeltaStep& s) {
  Tensor none;
  each(value, grad, square_avg, acc_delta, none, [&](Element& e) {
    const double g = e.grad + s.weight_decay * e.value;
    e.first = s.rho * e.first + (1 - s.rho) * g * g;
    const double delta = quotient_or_0(std::sqrt(e.second + s.eps), std::sqrt(e.first + s.eps)) * g;
    e.second = s.rho * e.second + (1 - s.rho) * delta * delta;
    e.value -= s.lr * delta;
  });
}

void nadam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const NadamStep& s) {
  Tensor none;
  each(value, grad, exp_avg, exp_avg_sq, none, [&](Element& e) {
    const double g = e.grad + s.weight_decay * e.value;
    e.first = s.beta1 * e.first + (1 - s.beta1) * g;
    e.second = s.beta2 * e.second + (1 - s.beta2) * g * g;
    e.value -= quotient_or_0(s.grad_rate * g + s.mean_rate * e.first, std::sqrt(e.second / s.square_correction) + s.eps);
  });
}

void lion(Tensor& value, const Tensor& grad, Tensor& exp_avg, const LionStep& s) {
  Tensor none;
  each(value, grad, exp_avg, none, none, [&](Element& e) {
    const double c = s.beta1 * e.first + (1 - s.beta1) * e.grad;
    e.value = e.value * (1 - s.lr * s.weight_decay) - s.lr * (c > 0 ? 1 : c < 0 ? -1 : c);
    e.first = s.beta2 * e.first + (1 - s.beta2) * e.grad;
  });
}

void lamb_direction(Tensor& value, Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const LambStep& s) {
  each(value, grad, exp_avg, exp_avg_sq, grad, [&](Element& e) {
    e.first = s.beta1 * e.first + (1 - s.beta1) * e.grad;
    e.second = s.beta2 * e.second + (1 - s.beta2) * e.grad * e.grad;
    e.third = quotient_or_0(e.first / s.mean_correction, std::sqrt(e.second / s.square_correction) + s.eps) +
              s.weight_decay * e.value;
  });
}

}  // namespace weft::kernels::reference
