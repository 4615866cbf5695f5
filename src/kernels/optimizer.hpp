#pragma once
#include <cstdint>

#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

// One pass over the elements, in place. All tensors of a call are dense, of one shape and one floating dtype.

struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;     ///< AdamW: the decay shrinks the value and stays out of the moments
  std::int64_t step;  ///< number of this update, from 1
};
/// `max_exp_avg_sq` is undefined without AMSGrad.
void adam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, Tensor& max_exp_avg_sq, const AdamStep& step);
/// Only rows, along the first dimension, whose gradient isn't all zeros.
void adam_rows(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const AdamStep& step);

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov;
  bool first;  ///< the buffer becomes the gradient, without dampening
};
/// `momentum_buffer` is undefined where momentum is 0.
void sgd(Tensor& value, const Tensor& grad, Tensor& momentum_buffer, const SgdStep& step);

/// In double, so that squares of the largest float don't overflow. The same bits for any thread count.
double sum_of_squares(const Tensor& x);

namespace reference {
void adam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, Tensor& max_exp_avg_sq, const AdamStep& step);
void sgd(Tensor& value, const Tensor& grad, Tensor& momentum_buffer, const SgdStep& step);
double sum_of_squares(const Tensor& x);
}  // namespace reference

}  // namespace weft::kernels
