#include "kernels/alignment.hpp"

#include <array>

#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"

namespace weft::kernels::alignment {

Tensor logsumexps_of(const Tensor& logits) {
  const std::array<int, 1> classes{logits.rank() - 1};
  const Tensor sums = reduce(Reduction::logsumexp, logits, classes, false);
  const Tensor nan = Tensor::full({}, std::numeric_limits<double>::quiet_NaN(), logits.dtype());
  return where(binary(Binary::eq, sums, std::numeric_limits<double>::infinity()), nan, sums, "logsumexp");
}

Tensor probabilities(const Tensor& logits, const Tensor& logsumexps) {
  return unary(Unary::exp, binary(Binary::sub, logits, logsumexps.unsqueeze(-1), "softmax"));
}

}  // namespace weft::kernels::alignment
