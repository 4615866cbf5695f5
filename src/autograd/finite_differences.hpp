#pragma once
#include <functional>
#include <string>
#include <vector>

#include "weft/autograd/gradcheck.hpp"

namespace weft::detail {

using Tensors = std::vector<Tensor>;

/// A tensor that is perturbed (dense, seen by nobody else).
struct Variable {
  std::string name;
  Tensor value;
};

/// What is compared: values (dense f64) at the variables as they are now, and for cotangents of those values the gradient of
/// each variable.
struct Differentiable {
  std::vector<Variable> variables;
  std::vector<std::string> outputs;  // names that a report gives them; none: there is one alone
  std::function<Tensors()> evaluate;
  std::function<Tensors(const Tensors& cotangents)> differentiate;
};

/// What a report says where a function isn't one.
inline constexpr const char* not_repeatable =
    "two evaluations for the same inputs give different values; draw random numbers from the tape's generator, or make them "
    "outside";

/// The variable that is what s.grad() gives a rule.
inline constexpr const char* cotangent = "cotangent";

inline constexpr const char* no_variables = "there is nothing to compare: no inputs or parameters were given";

/// 0.5 to 1.5 in size with either sign: no element goes unseen, and no symmetry hides an error. A function of seed and stream.
Tensor random_signs(const Shape& shape, std::uint64_t seed, std::uint32_t stream);

bool same_bits(const Tensor& a, const Tensor& b);
/// Whether every element is 0 (f64).
bool is_zero(const Tensor& tensor);

/// Compares gradients with central differences and adds what it finds to the report. Throws ValueError for options that can't
/// be.
void compare_with_differences(const Differentiable& function, const GradcheckOptions& options, GradcheckReport& report);

}  // namespace weft::detail
