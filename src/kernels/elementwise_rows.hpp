#pragma once
#include <array>
#include <cstdint>

#include "kernels/elementwise.hpp"

namespace weft::kernels {

inline constexpr std::size_t unary_functions = static_cast<std::size_t>(Unary::logsigmoid) + 1;
inline constexpr std::size_t binary_functions = static_cast<std::size_t>(Binary::ge) + 1;

const char* name_of(Unary function);
const char* name_of(Binary function);

/// One row of work in plain C++: n results next to each other, from operands that step by so many elements.
using UnaryRow = void (*)(void* out, const void* x, std::int64_t n, std::int64_t step);
using BinaryRow = void (*)(void* out, const void* a, const void* b, std::int64_t n, std::int64_t step_a, std::int64_t step_b);

/// Null where the function doesn't take the dtype.
UnaryRow plain_row(Unary function, DType type);
BinaryRow plain_row(Binary function, DType type);

/// One row of work in vectors, f32, dense; `y` may be `x` or `a`. Where an operand is one number for the whole row,
/// the pointer points at it.
using UnaryVector = void (*)(const float* x, float* y, std::size_t n);
using BinaryVector = void (*)(const float* a, const float* b, float* y, std::size_t n);
enum class Sides { both, left_number, right_number };

/// The vector rows of one instruction set; null where there is none.
struct VectorRows {
  std::array<UnaryVector, unary_functions> unary;
  std::array<std::array<BinaryVector, binary_functions>, 3> binary;

  UnaryVector row(Unary function) const { return unary[static_cast<std::size_t>(function)]; }
  BinaryVector row(Binary function, Sides sides) const {
    return binary[static_cast<std::size_t>(sides)][static_cast<std::size_t>(function)];
  }
};

/// Those of the instruction set in use.
const VectorRows& vector_rows();

}  // namespace weft::kernels
