#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

// Updates by running statistics of the gradient: one pass over the elements, in place. All tensors of a call are dense, of one
// shape and one floating dtype. Where a divisor is 0 (eps 0, no gradient so far) the quotient is 0.

struct RmspropStep {
  double lr, alpha, eps, momentum, weight_decay;
};
/// `momentum_buffer` is undefined where momentum is 0, `grad_avg` where the mean isn't taken off the squares.
void rmsprop(Tensor& value, const Tensor& grad, Tensor& square_avg, Tensor& momentum_buffer, Tensor& grad_avg,
             const RmspropStep& step);

struct AdagradStep {
  double lr, eps, weight_decay;
};
void adagrad(Tensor& value, const Tensor& grad, Tensor& sum, const AdagradStep& step);

struct AdadeltaStep {
  double lr, rho, eps, weight_decay;
};
void adadelta(Tensor& value, const Tensor& grad, Tensor& square_avg, Tensor& acc_delta, const AdadeltaStep& step);

struct NadamStep {
  double grad_rate, mean_rate;  ///< what the gradient and its running mean are multiplied with
  double beta1, beta2, eps, weight_decay;
  double square_correction;  ///< 1 - beta2^t
};
void nadam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const NadamStep& step);

struct LionStep {
  double lr, beta1, beta2, weight_decay;
};
void lion(Tensor& value, const Tensor& grad, Tensor& exp_avg, const LionStep& step);

struct LambStep {
  double beta1, beta2, eps, weight_decay;
  double mean_correction, square_correction;  ///< 1 - beta^t
};
/// Leaves the value as it is: the direction in which it is to go takes the gradient's place.
void lamb_direction(Tensor& value, Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const LambStep& step);

namespace reference {
void rmsprop(Tensor& value, const Tensor& grad, Tensor& square_avg, Tensor& momentum_buffer, Tensor& grad_avg,
             const RmspropStep& step);
void adagrad(Tensor& value, const Tensor& grad, Tensor& sum, const AdagradStep& step);
void adadelta(Tensor& value, const Tensor& grad, Tensor& square_avg, Tensor& acc_delta, const AdadeltaStep& step);
void nadam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const NadamStep& step);
void lion(Tensor& value, const Tensor& grad, Tensor& exp_avg, const LionStep& step);
void lamb_direction(Tensor& value, Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const LambStep& step);
}  // namespace reference

}  // namespace weft::kernels
