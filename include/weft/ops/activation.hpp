#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"

namespace weft {

// Activation functions of each element, f32 or f64 (relu: integers too); sigmoid and tanh stand in elementwise.hpp.
// NaN in gives NaN out; at -inf and inf they have their limits. Throw DTypeError naming the function and the input.

/// max(x, 0); the derivative at 0 is 0.
Var relu(const Var& x);

enum class GeluApproximation : std::uint8_t { none, tanh };
/// x Phi(x), Phi the normal distribution (Hendrycks and Gimpel 2016), exactly or by its approximation with tanh.
Var gelu(const Var& x, GeluApproximation approximation = GeluApproximation::none);

/// x sigmoid(x), also called swish (Elfwing et al. 2017).
Var silu(const Var& x);
/// x tanh(softplus(x)) (Misra 2019).
Var mish(const Var& x);
/// x above 0, negative_slope x elsewhere, 0 included.
Var leaky_relu(const Var& x, double negative_slope = 0.01);
/// x above 0, alpha (e^x - 1) elsewhere (Clevert et al. 2015).
Var elu(const Var& x, double alpha = 1);
/// x kept within [min, max]; the derivative at both bounds is 0. Throws ValueError for min > max.
Var hardtanh(const Var& x, double min = -1, double max = 1);

/// log(1 + e^(beta x)) / beta without overflow; x itself where beta x is above `threshold`. Throws ValueError for beta 0.
Var softplus(const Var& x, double beta = 1, double threshold = 20);
/// log(sigmoid(x)) without overflow.
Var logsigmoid(const Var& x);
/// x / (1 + |x|)
Var softsign(const Var& x);

}  // namespace weft
