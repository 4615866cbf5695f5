#pragma once
#include <vector>

#include "ops/cases.hpp"

namespace weft::test {

/// A case's output, and each input's gradient under a random cotangent.
struct Outcome {
  Tensor value;
  std::vector<Tensor> gradients;
};

/// Both dtypes start from the same numbers: those of f32.
Outcome run(const Case& row, DType dtype);

/// The largest difference as a part of the largest value of `wide`; infinite for another shape, or a NaN on one side alone.
double error_of(const Tensor& single, const Tensor& wide);

}  // namespace weft::test
