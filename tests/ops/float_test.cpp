#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "ops/cases.hpp"
#include "support/random.hpp"
#include "weft/autograd/tape.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// A case's output, and each input's gradient under a random cotangent.
struct Outcome {
  Tensor value;
  std::vector<Tensor> gradients;
};

Outcome run(const Case& row, DType dtype) {
  Generator generator(1);
  Tape tape(generator);
  std::vector<Var> leaves;
  // Both dtypes start from the same numbers: those of f32.
  for (const Tensor& input : row.inputs) leaves.push_back(tape.leaf(same_layout(same_layout(input, f32), dtype)));
  const Var output = row.function(leaves);
  Outcome outcome{output.value().clone(), {}};
  if (output.requires_grad()) tape.backward(output, uniform(output.shape(), -1, 1, 7, f32).to(dtype));
  for (const Var& leaf : leaves) outcome.gradients.push_back(tape.grad(leaf).clone());
  return outcome;
}

void compare(const char* what, const Tensor& single, const Tensor& wide, double tolerance) {
  CAPTURE(what);
  CHECK(single.dtype() == f32);
  REQUIRE(single.shape() == wide.shape());
  const double difference = largest_difference(single, wide);
  const bool close = difference <= tolerance * largest(wide);
  CHECK_MESSAGE(close, "differs by ", difference, " where the largest value is ", largest(wide));
}

}  // namespace

TEST_CASE("f32 values and gradients agree with f64") {
  for (const Case& row : cases()) {
    INFO(row.op, ": ", row.variant);
    try {
      const Outcome single = run(row, f32), wide = run(row, f64);
      compare("value", single.value, wide.value, row.f32_tolerance);
      for (std::size_t i = 0; i < wide.gradients.size(); ++i)
        compare(("gradient of input " + std::to_string(i)).c_str(), single.gradients[i], wide.gradients[i], row.f32_tolerance);
    } catch (const std::exception& error) {
      FAIL_CHECK(std::string(error.what()));
    }
  }
}
