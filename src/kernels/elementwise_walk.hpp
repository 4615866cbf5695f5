#pragma once
#include <algorithm>
#include <array>
#include <utility>

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
    const int rank = shape.rank();
    for (int d = 0; d < rank; ++d) {
      Offsets step{};
      for (std::size_t k = 0; k < N; ++k) {
        if (operands[k] == nullptr) continue;
        const int own = d - (rank - operands[k]->rank());
        if (own >= 0 && operands[k]->shape()[own] != 1) step[k] = operands[k]->strides()[static_cast<std::size_t>(own)];
      }
      add_dimension(shape[d], step);
    }
    finish();
  }

  /// Over one operand of this geometry.
  Walk(const Shape& shape, const Strides& strides) requires(N == 1) : count(shape.numel()) {
    for (int d = 0; d < shape.rank(); ++d) add_dimension(shape[d], {strides[static_cast<std::size_t>(d)]});
    finish();
  }

  const Offsets& inner_steps() const { return steps[inner]; }

  /// The same walk at the first index of dimension d.
  Walk without(std::size_t d) const {
    Walk rest = *this;
    rest.count /= sizes[d];
    for (std::size_t i = d; i < inner; ++i) {
      rest.sizes[i] = sizes[i + 1];
      rest.steps[i] = steps[i + 1];
    }
    if (inner == 0)
      rest.sizes[0] = 1;
    else
      --rest.inner;
    return rest;
  }

  /// Calls row(offsets, n) for the runs along the inner dimension that make up [begin, end) in row-major order.
  template <class Row>
  void range(std::int64_t begin, std::int64_t end, const Row& row) const {
    if (begin >= end) return;
    std::array<std::int64_t, max_rank> index{};
    Offsets offsets{};  // of the run's first element
    std::int64_t rest = begin / sizes[inner];
    for (std::size_t d = inner; d-- > 0 && rest > 0;) {
      index[d] = rest % sizes[d];
      rest /= sizes[d];
      move(offsets, d, index[d]);
    }
    const std::int64_t start = begin % sizes[inner];
    Offsets first = offsets;
    move(first, inner, start);
    const std::int64_t length = std::min(sizes[inner] - start, end - begin);
    row(std::as_const(first), length);
    for (begin += length; begin < end; begin += sizes[inner]) {
      for (std::size_t d = inner; d-- > 0;) {
        move(offsets, d, 1);
        if (++index[d] < sizes[d]) break;
        move(offsets, d, -sizes[d]);
        index[d] = 0;
      }
      row(std::as_const(offsets), std::min(sizes[inner], end - begin));
    }
  }

  /// The same over all elements, in fixed chunks on weft's threads.
  template <class Row>
  void all(const Row& row) const {
    if (count <= elements_per_chunk) return range(0, count, row);
    parallel_chunks(count, elements_per_chunk, [&](std::int64_t begin, std::int64_t end) { range(begin, end, row); });
  }

 private:
  // `inner` counts dimensions until finish().
  void add_dimension(std::int64_t size, const Offsets& step) {
    if (size == 1) return;
    bool runs_on = inner > 0;
    for (std::size_t k = 0; k < N; ++k) runs_on = runs_on && steps[inner - 1][k] == step[k] * size;
    if (!runs_on) sizes[inner++] = 1;
    sizes[inner - 1] *= size;
    steps[inner - 1] = step;
  }

  void finish() {
    if (inner == 0)
      sizes[0] = 1;
    else
      --inner;
  }

  void move(Offsets& offsets, std::size_t d, std::int64_t by) const {
    for (std::size_t k = 0; k < N; ++k) offsets[k] += steps[d][k] * by;
  }
};

}  // namespace weft::kernels
