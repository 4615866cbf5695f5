#pragma once
#include <cstdint>

#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// How the rows of a batch lie together without the steps that they don't have: sorted by falling length, time first. At each
/// step the rows that go on are the first of the sorted batch, so its work is one block of memory, and none is done on padding.
class Packing {
 public:
  Packing() = default;
  /// lengths i64 [batch]; undefined: all rows have `steps`.
  Packing(const Tensor& lengths, std::int64_t batch, std::int64_t steps);

  std::int64_t batch() const { return order_.numel(); }
  std::int64_t steps() const { return starts_.numel() - 1; }
  std::int64_t total() const { return start(steps()); }  ///< P
  /// The first packed row of step t; how many rows step t has: 0 before the first step and behind the last.
  std::int64_t start(std::int64_t t) const { return starts_.data<std::int64_t>()[t]; }
  std::int64_t rows(std::int64_t t) const { return t < 0 || t >= steps() ? 0 : start(t + 1) - start(t); }
  /// Which row of the batch stands at each place of the sorted one.
  const std::int64_t* order() const { return order_.data<std::int64_t>(); }
  /// Whether all rows have all steps; they then stand as in the batch.
  bool is_full() const { return total() == batch() * steps(); }

  /// A copy [B, T, n] -> [P, n]; what stands behind a row's end is not read.
  Tensor pack(const Tensor& x) const;
  /// [P, n] -> [B, T, n], zeros behind a row's end; a view where the rows are full.
  Tensor unpack(const Tensor& packed) const;
  /// Rows [B, n] of the batch as a sorted copy, and back.
  Tensor sort(const Tensor& x) const;
  Tensor unsort(const Tensor& sorted) const;
  /// The rows of step t of a packed tensor.
  Tensor step(const Tensor& packed, std::int64_t t) const { return packed.slice(0, start(t), start(t + 1)); }
  /// bool [T, B]: whether each row goes on; undefined where all do.
  Tensor active() const;
  /// i64 [B]: the packed row of each row's first step, or of its last one; of a row without steps, P + its place.
  Tensor first_rows(bool reverse) const;

 private:
  Tensor starts_;  // i64 [T + 1]
  Tensor order_;   // i64 [B]: place -> row of the batch
  Tensor places_;  // i64 [B]: row of the batch -> place
  Tensor rows_;    // i64 [P]: packed row -> its row of [B T]; undefined where all rows are full
};

/// target[index[i]] = x[i] for the rows of matrices, no index (i64) twice. target: dense, of x's dtype.
void put_rows(Tensor& target, const Tensor& index, const Tensor& x);

}  // namespace weft::kernels
