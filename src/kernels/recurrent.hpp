#pragma once
#include <algorithm>
#include <cstdint>

#include "kernels/recurrent_cell.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

// What LSTM, GRU and plain RNN share on their way over a sequence. B rows, T steps, H units, I inputs; P steps of all rows.

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

/// What a run keeps for its backward pass.
/// States [P + B, H]: what each step of each row started from, packed, then the last ones in sorted order. So a row's new state
/// goes to where its next step looks for it, or to the end.
struct RecurrentTrace {
  Packing packing;
  Tensor input;   ///< [P, I]
  Tensor hidden;  ///< [P + B, H]
  bool reverse = false;

  std::int64_t steps() const { return packing.steps(); }
  std::int64_t units() const { return hidden.size(1); }
  /// The time of the s-th step that is taken.
  std::int64_t time(std::int64_t s) const { return reverse ? steps() - 1 - s : s; }

  Tensor states_before(const Tensor& states) const { return states.slice(0, 0, packing.total()); }  ///< [P, H]
  Tensor first(const Tensor& states) const;  ///< [B, H]: from before each row's first step
  Tensor last(const Tensor& states) const;   ///< [B, H]: from after each row's last step

  /// Where among states the rows of step t have what they give.
  template <class T>
  StateRows<T> after(T* states, std::int64_t t) const {
    const std::int64_t n = units(), next = reverse ? t - 1 : t + 1;
    const std::int64_t going_on = std::min(packing.rows(t), packing.rows(next));
    return {states + (going_on == 0 ? 0 : packing.start(next) * n), going_on, states + (packing.total() + going_on) * n};
  }
};

/// Fills a trace for x [B, T, I], h0 [B, H] and lengths i64 [B] (undefined: all T). The steps' states are left open.
void begin(RecurrentTrace& trace, const Tensor& x, const Tensor& h0, const Tensor& lengths, bool reverse);
/// Room for further states, with the first ones [B, H] in their places.
Tensor states_from(const RecurrentTrace& trace, const Tensor& first);

/// [B, T, H] with zeros behind each row's end, the rest open.
Tensor empty_output(const RecurrentTrace& trace);

/// Gradients [B, H] of the last states, sorted; zeros where undefined.
Tensor sorted_or_zeros(const RecurrentTrace& trace, const Tensor& x, DType dtype);

/// Row `row` of a dense matrix.
template <class T>
T* row_of(Tensor& x, std::int64_t row) {
  return x.mutable_data<T>() + row * x.size(1);
}
template <class T>
const T* row_of(const Tensor& x, std::int64_t row) {
  return x.data<T>() + row * x.size(1);
}

/// Calls function.operator()<float or double>().
template <class Function>
void by_dtype(DType dtype, Function&& function) {
  dtype == f32 ? function.template operator()<float>() : function.template operator()<double>();
}

}  // namespace weft::kernels
