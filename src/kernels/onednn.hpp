#pragma once
#include <cstdint>

namespace weft::kernels::onednn {

/// A batch of matrices in memory: element (b, i, j) stands at data[b * batch + i * row + j * column].
struct Operand {
  const float* data;
  std::int64_t batch, row, column;
};

/// c [batch, m, n] (+)= a [batch, m, k] b [batch, k, n] (+ bias [n] where it isn't null). All sizes positive; of a's and b's
/// row and column strides one is 1 and the other at least the size it spans; c's columns are dense, its rows have any pitch.
/// A batch stride of 0 repeats. Throws LibraryError with oneDNN's status.
struct Product {
  std::int64_t batch, m, n, k;
  Operand a, b;
  float* c;
  std::int64_t c_batch, c_row;
  const float* bias;
  bool accumulate;
};
void multiply(const Product& product);
/// The same on the calling thread alone.
void multiply_serial(const Product& product);

/// Whether this thread is inside oneDNN: what it allocates there isn't ours.
bool inside();

}  // namespace weft::kernels::onednn
