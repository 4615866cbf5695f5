#pragma once
#include <cstdint>

#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

enum class Triangle : std::uint8_t { lower, upper };

/// A dense copy of x [..., rows, columns] of any dtype with zeros above (lower) or below (upper) the given diagonal: element
/// [i, j] stands on diagonal j - i.
Tensor triangle(Triangle part, const Tensor& x, std::int64_t diagonal);

namespace reference {
Tensor triangle(Triangle part, const Tensor& x, std::int64_t diagonal);
}

}  // namespace weft::kernels
