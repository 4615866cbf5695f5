#pragma once
#include <algorithm>

#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

// What LSTM, GRU and plain RNN share on their way over a sequence. B rows, T steps, H units, I inputs.

/// What a run keeps for its backward pass; time first, so that a step is one block of memory.
/// The state before the first step stands where the direction begins: states [T+1, B, H] hold step t at t+1 (forward) or
/// at t (reverse).
struct RecurrentTrace {
  Tensor input;   ///< [T, B, I]; zeros where a row has ended
  Tensor hidden;  ///< [T+1, B, H]
  Tensor active;  ///< bool [T, B]; undefined where all rows have T steps
  bool reverse = false;

  std::int64_t steps() const { return input.size(0); }
  std::int64_t rows() const { return input.size(1); }
  std::int64_t units() const { return hidden.size(2); }
  /// The time of the s-th step that is taken; where among the states that step finds the old one and puts the new one.
  std::int64_t time(std::int64_t s) const { return reverse ? steps() - 1 - s : s; }
  std::int64_t before(std::int64_t t) const { return reverse ? t + 1 : t; }
  std::int64_t after(std::int64_t t) const { return reverse ? t : t + 1; }
  /// Whether each row goes on at time t; null where all do.
  const bool* flags(std::int64_t t) const { return active.defined() ? active.data<bool>() + t * rows() : nullptr; }
  bool any_rests(std::int64_t t) const;

  Tensor input_rows() const { return input.reshape({steps() * rows(), input.size(2)}); }  ///< [T B, I]
  Tensor first(const Tensor& states) const { return states.select(0, reverse ? steps() : 0); }
  Tensor last(const Tensor& states) const { return states.select(0, reverse ? 0 : steps()); }
  Tensor states_before(const Tensor& states) const;  ///< [T, B, H]: what each step started from
  Tensor states_after(const Tensor& states) const;   ///< [T, B, H]: what each step gave
};

/// Fills a trace for x [B, T, I], h0 [B, H] and lengths i64 [B] (undefined: all T). The steps' states are left open.
void begin(RecurrentTrace& trace, const Tensor& x, const Tensor& h0, const Tensor& lengths, bool reverse);
/// Room for further states, with the first one in its place.
Tensor states_from(const RecurrentTrace& trace, const Tensor& first);

Tensor copy_or_zeros(const Tensor& x, const Shape& shape, DType dtype);

/// Row t of a dense [T, ...] tensor as raw elements.
template <class T>
T* row_of(Tensor& x, std::int64_t t) {
  return x.mutable_data<T>() + t * (x.numel() / std::max<std::int64_t>(x.size(0), 1));
}
template <class T>
const T* row_of(const Tensor& x, std::int64_t t) {
  return x.data<T>() + t * (x.numel() / std::max<std::int64_t>(x.size(0), 1));
}

/// Calls function.operator()<float or double>().
template <class Function>
void by_dtype(DType dtype, Function&& function) {
  dtype == f32 ? function.template operator()<float>() : function.template operator()<double>();
}

}  // namespace weft::kernels
