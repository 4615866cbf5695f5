#pragma once
#include <functional>
#include <string>
#include <vector>

#include "weft/autograd/var.hpp"

namespace weft::test {

/// One row's worth of work: an operation on given inputs. Inputs are f64; the f32 test converts them.
struct Case {
  std::string op;       ///< name as in the public header
  std::string variant;  ///< what is special: "scalar", "size 0", "repeated operand", ...
  std::function<Var(const std::vector<Var>&)> function;
  std::vector<Tensor> inputs;
  double f32_tolerance = 2e-5;  ///< of the largest value of the f64 result or gradient
};

/// All cases, in the order of the public headers.
const std::vector<Case>& cases();

}  // namespace weft::test
