#include "ops/outcome.hpp"

#include <cmath>
#include <limits>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"

namespace weft::test {

Outcome run(const Case& row, DType dtype) {
  Generator generator(1);
  Tape tape(generator);
  std::vector<Var> leaves;
  for (const Tensor& input : row.inputs) leaves.push_back(tape.leaf(same_layout(same_layout(input, f32), dtype)));
  const Var output = row.function(leaves);
  Outcome outcome{output.value().clone(), {}};
  if (output.requires_grad()) tape.backward(output, uniform(output.shape(), -1, 1, 7, f32).to(dtype));
  for (const Var& leaf : leaves) outcome.gradients.push_back(tape.grad(leaf).clone());
  return outcome;
}

double error_of(const Tensor& single, const Tensor& wide) {
  if (single.shape() != wide.shape()) return std::numeric_limits<double>::infinity();
  const double difference = largest_difference(single, wide);
  if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
  return difference == 0 ? 0 : difference / largest(wide);
}

}  // namespace weft::test
