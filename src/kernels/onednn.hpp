#pragma once
#include <cstdint>

namespace weft::kernels::onednn {

/// A matrix in memory: element (i, j) stands at data[i * row + j * column].
struct Matrix {
  const float* data;
  std::int64_t row, column;

  Matrix from_row(std::int64_t i) const { return {data + i * row, row, column}; }
  Matrix transposed() const { return {data, column, row}; }
};

/// c [m, n] (+)= a [m, k] b [k, n]. All sizes positive; of a's and b's strides one is 1 and the other at least the size it
/// spans; c's columns are dense, its rows have any pitch.
struct Product {
  std::int64_t m, n, k;
  Matrix a, b;
  float* c;
  std::int64_t c_row;
  bool accumulate;
};

/// On this many threads. Throws LibraryError with oneDNN's status.
void multiply(const Product& product, int threads);

/// Whether products [m, k] times [k, n] with a transposed first operand are small enough that oneDNN doesn't pack them but
/// walks across the operands as they stand. Only its AVX2 kernels do.
bool unpacked(std::int64_t m, std::int64_t n);

/// Whether this thread is inside oneDNN: what it allocates there isn't ours.
bool inside();

}  // namespace weft::kernels::onednn
