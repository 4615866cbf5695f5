#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// table [rows, ...] of any dtype, index i32 or i64 of any shape -> index shape + row shape.
/// Throws IndexError naming `op`, the place and the index where one is outside 0..rows-1.
Tensor gather_rows(const Tensor& table, const Tensor& index, const char* op);
/// target[index[k]] += rows[k]; in order of k, whatever the thread count. target [count, ...]: dense, f32 or f64.
void scatter_add_rows(Tensor& target, const Tensor& index, const Tensor& rows, const char* op);
/// The same into zeros [count, ...].
Tensor scatter_rows(const Tensor& rows, const Tensor& index, std::int64_t count, const char* op);
/// Throws IndexError naming `op` and the first index outside 0..limit-1, DTypeError where index isn't i32 or i64.
void check_index(const Tensor& index, std::int64_t limit, const char* op);

namespace reference {
Tensor gather_rows(const Tensor& table, const Tensor& index, const char* op);
void scatter_add_rows(Tensor& target, const Tensor& index, const Tensor& rows, const char* op);
}  // namespace reference

}  // namespace weft::kernels
