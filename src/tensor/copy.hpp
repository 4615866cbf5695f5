#pragma once
#include <optional>

#include "weft/tensor/tensor.hpp"

namespace weft {

/// Copies and converts element by element; shapes are equal. Reads and writes whatever the strides say.
/// Floats become integers towards zero; NaN and what doesn't fit throw ValueError before anything is written.
void copy_elements(const Tensor& from, Tensor& to);

/// Strides that show `from`'s elements in the shape `to` without a copy, where that is possible. Equal counts.
std::optional<Strides> strides_of_reshape(const Shape& from, const Strides& strides, const Shape& to);

/// One element read and written as a double.
double element_as_double(DType dtype, const std::byte* element);
void store_double(DType dtype, std::byte* element, double value);

/// A tensor without dimensions.
Tensor scalar_tensor(double value, DType dtype);

/// Calls `function.template operator()<T>()` with the C++ type of `dtype`.
template <class Function>
decltype(auto) dispatch(DType dtype, Function&& function) {
  switch (dtype) {
    case DType::f32: return function.template operator()<float>();
    case DType::f64: return function.template operator()<double>();
    case DType::i32: return function.template operator()<std::int32_t>();
    case DType::i64: return function.template operator()<std::int64_t>();
    case DType::boolean: break;
  }
  return function.template operator()<bool>();
}

}  // namespace weft
