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
  bool second_order = true;     ///< false for operations whose backward pass can't be recorded: they say so
};

/// All cases, in the order of the families below; with the environment variable WEFT_CASES=NAME,... those of these operations
/// alone. Throws std::invalid_argument for a name that none has.
const std::vector<Case>& cases();

// A family of operations each, in a file cases_FAMILY.cpp.
void add_elementwise_cases(std::vector<Case>& to);
void add_activation_cases(std::vector<Case>& to);
void add_reduce_cases(std::vector<Case>& to);
void add_statistics_cases(std::vector<Case>& to);
void add_scan_cases(std::vector<Case>& to);
void add_sort_cases(std::vector<Case>& to);
void add_shape_cases(std::vector<Case>& to);
void add_arrange_cases(std::vector<Case>& to);
void add_triangle_cases(std::vector<Case>& to);
void add_index_cases(std::vector<Case>& to);
void add_dropout_cases(std::vector<Case>& to);
void add_matmul_cases(std::vector<Case>& to);
void add_einsum_cases(std::vector<Case>& to);
void add_softmax_cases(std::vector<Case>& to);
void add_entmax_cases(std::vector<Case>& to);
void add_attention_cases(std::vector<Case>& to);
void add_normalization_cases(std::vector<Case>& to);
void add_convolution_cases(std::vector<Case>& to);
void add_pooling_cases(std::vector<Case>& to);
void add_loss_cases(std::vector<Case>& to);
void add_recurrent_cases(std::vector<Case>& to);
void add_distance_loss_cases(std::vector<Case>& to);
void add_margin_loss_cases(std::vector<Case>& to);
void add_sequence_loss_cases(std::vector<Case>& to);

}  // namespace weft::test
