#pragma once
#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/parallel.hpp"

namespace weft::kernels {

// What a step does to the rows of a batch, whatever the cell's formula. [rows, H] blocks are dense.

/// Where rows of H units lie: the first `split` dense from `first` on, the others from `rest` on.
template <class T>
struct StateRows {
  T* first;
  std::int64_t split;
  T* rest;

  T* row(std::int64_t r, std::int64_t units) const { return r < split ? first + r * units : rest + (r - split) * units; }
  operator StateRows<const T>() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<T>) {
    return {first, split, rest};
  }
};

/// Of one block.
template <class T>
StateRows<T> block_of(T* rows, std::int64_t count) {
  return {rows, count, nullptr};
}

/// The new state `h` from `h_before`. Rows whose `active` is false keep their state and give zero output; null: all go on.
template <class T>
struct StepRows {
  std::int64_t rows, units;
  const T* h_before;
  StateRows<T> h;
  T* output;  // null: not wanted
  std::int64_t output_row;
  const std::int64_t* output_order;  // which row of the output is whose; null: its own
  const bool* active;
};

/// Calls advance(r), which makes the state of row r, or rest(r) for what else a row that rests leaves behind.
/// `width`: elements that a row touches.
template <class T, class Advance, class Rest>
void step_rows(const StepRows<T>& step, std::int64_t width, const Advance& advance, const Rest& rest) {
  const std::int64_t n = step.units;
  parallel_chunks(step.rows, rows_per_chunk(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* h = step.h.row(r, n);
      const bool active = step.active == nullptr || step.active[r];
      if (active) {
        advance(r);
      } else {
        std::copy_n(step.h_before + r * n, n, h);
        rest(r);
      }
      if (step.output == nullptr) continue;
      T* output = step.output + (step.output_order == nullptr ? r : step.output_order[r]) * step.output_row;
      active ? static_cast<void>(std::copy_n(h, n, output)) : static_cast<void>(std::fill_n(output, n, T{0}));
    }
  });
}

/// dh of the new state, to which d_output is added. Rows that rested keep dh; of the others it is set to zero where
/// `clear_dh`, for a product to be added to.
template <class T>
struct StepRowsBack {
  std::int64_t rows, units;
  T* dh;
  const T* d_output;  // null: none
  std::int64_t d_output_row;
  const std::int64_t* output_order;  // which row of d_output is whose; null: its own
  const bool* active;
  bool clear_dh;
};

/// Calls retreat(r) with dh complete, or rest(r) for a row that rested.
template <class T, class Retreat, class Rest>
void step_rows_back(const StepRowsBack<T>& step, std::int64_t width, const Retreat& retreat, const Rest& rest) {
  const std::int64_t n = step.units;
  parallel_chunks(step.rows, rows_per_chunk(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      if (step.active != nullptr && !step.active[r]) {
        rest(r);
        continue;
      }
      T* dh = step.dh + r * n;
      if (step.d_output != nullptr) {
        const T* d_output = step.d_output + (step.output_order == nullptr ? r : step.output_order[r]) * step.d_output_row;
        for (std::int64_t j = 0; j < n; ++j) dh[j] += d_output[j];
      }
      retreat(r);
      if (step.clear_dh) std::fill_n(dh, n, T{0});
    }
  });
}

}  // namespace weft::kernels
