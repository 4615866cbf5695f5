#pragma once
#include <algorithm>
#include <cstdint>

#include "kernels/packing.hpp"
#include "kernels/recurrent_cell.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

// What LSTM, GRU and plain RNN share on their way over a sequence. B rows, T steps, H units, I inputs; P steps of all rows.

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
