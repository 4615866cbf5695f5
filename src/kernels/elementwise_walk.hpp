#pragma once
#include <algorithm>
#include <array>

#include "kernels/parallel.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// The order in which an element-wise loop visits N operands that broadcast to one shape: dimensions are merged where
/// every operand runs on from one into the next, so that most loops have one or two.
template <std::size_t N>
struct Walk {
  using Offsets = std::array<std::int64_t, N>;

  std::size_t inner = 0;  ///< the last dimension
  std::int64_t count = 0;
  std::array<std::int64_t, max_rank> sizes{};
  std::array<Offsets, max_rank> steps{};  ///< elements from one index to the next, for each operand

  /// A null operand is a scalar.
  Walk(const Shape& shape, const std::array<const Tensor*, N>& operands) : count(shape.numel()) {
    std::size_t rank = 0;
    for (int d = 0; d < shape.rank(); ++d) {
      if (shape[d] == 1) continue;
      Offsets step{};
      bool runs_on = rank > 0;
      for (std::size_t k = 0; k < N; ++k) {
        if (operands[k] != nullptr) {
          const int own = d - (shape.rank() - operands[k]->rank());
          if (own >= 0 && operands[k]->shape()[own] != 1) step[k] = operands[k]->strides()[static_cast<std::size_t>(own)];
        }
        runs_on = runs_on && steps[rank - 1][k] == step[k] * shape[d];
      }
      if (!runs_on) sizes[rank++] = 1;
      sizes[rank - 1] *= shape[d];
      steps[rank - 1] = step;
    }
    if (rank == 0) sizes[rank++] = 1;
    inner = rank - 1;
  }

  const Offsets& inner_steps() const { return steps[inner]; }

  /// Calls row(offsets, n) for the runs along the inner dimension that make up [begin, end) in row-major order.
  template <class Row>
  void range(std::int64_t begin, std::int64_t end, const Row& row) const {
    std::array<std::int64_t, max_rank> index{};
    Offsets offsets{};
    std::int64_t rest = begin;
    for (std::size_t d = inner + 1; d-- > 0 && rest > 0;) {
      index[d] = rest % sizes[d];
      rest /= sizes[d];
      move(offsets, d, index[d]);
    }
    while (begin < end) {
      const std::int64_t n = std::min(sizes[inner] - index[inner], end - begin);
      row(offsets, n);
      begin += n;
      move(offsets, inner, -index[inner]);
      index[inner] = 0;
      for (std::size_t d = inner; d-- > 0;) {
        move(offsets, d, 1);
        if (++index[d] < sizes[d]) break;
        move(offsets, d, -sizes[d]);
        index[d] = 0;
      }
    }
  }

  /// The same over all elements, in fixed chunks on weft's threads.
  template <class Row>
  void all(const Row& row) const {
    parallel_chunks(count, elements_per_chunk, [&](std::int64_t begin, std::int64_t end) { range(begin, end, row); });
  }

 private:
  void move(Offsets& offsets, std::size_t d, std::int64_t by) const {
    for (std::size_t k = 0; k < N; ++k) offsets[k] += steps[d][k] * by;
  }
};

}  // namespace weft::kernels
