#include "kernels/recurrent.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"

namespace weft::kernels {
namespace {

// active[t, b] = t < lengths[b]; undefined where every row reaches `steps`.
Tensor active_rows(const Tensor& lengths, std::int64_t steps) {
  if (!lengths.defined()) return {};
  const std::int64_t rows = lengths.numel();
  const std::int64_t* length = lengths.data<std::int64_t>();
  bool all = true;
  for (std::int64_t b = 0; b < rows; ++b) all = all && length[b] == steps;
  if (all) return {};
  Tensor active = Tensor::empty({steps, rows}, boolean);
  bool* flags = active.mutable_data<bool>();
  for (std::int64_t t = 0; t < steps; ++t)
    for (std::int64_t b = 0; b < rows; ++b) flags[t * rows + b] = t < length[b];
  return active;
}

// [B, T, I] -> [T, B, I]; what stands behind a row's end is replaced by zeros, whatever it is.
Tensor time_major(const Tensor& x, const Tensor& active) {
  const std::int64_t rows = x.size(0), steps = x.size(1), width = x.size(2);
  Tensor result = Tensor::empty({steps, rows, width}, x.dtype());
  if (!active.defined()) {
    copy_into(x.transpose(0, 1), result);
    return result;
  }
  by_dtype(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = result.mutable_data<T>();
    const bool* flags = active.data<bool>();
    const std::int64_t row = x.stride(0), step = x.stride(1), column = x.stride(2);
    parallel_chunks(steps * rows, rows_per_chunk(width), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* source = from + i % rows * row + i / rows * step;
        for (std::int64_t j = 0; j < width; ++j) to[i * width + j] = flags[i] ? source[j * column] : T{0};
      }
    });
  });
  return result;
}

}  // namespace

bool RecurrentTrace::any_rests(std::int64_t t) const {
  const bool* row = flags(t);
  return row != nullptr && std::find(row, row + rows(), false) != row + rows();
}

Tensor RecurrentTrace::states_before(const Tensor& states) const {
  return reverse ? states.slice(0, 1, steps() + 1) : states.slice(0, 0, steps());
}

Tensor RecurrentTrace::states_after(const Tensor& states) const {
  return reverse ? states.slice(0, 0, steps()) : states.slice(0, 1, steps() + 1);
}

void begin(RecurrentTrace& trace, const Tensor& x, const Tensor& h0, const Tensor& lengths, bool reverse) {
  trace.reverse = reverse;
  trace.active = active_rows(lengths, x.size(1));
  trace.input = time_major(x, trace.active);
  trace.hidden = states_from(trace, h0);
}

Tensor states_from(const RecurrentTrace& trace, const Tensor& first) {
  Tensor states = Tensor::empty({trace.steps() + 1, trace.rows(), first.size(1)}, first.dtype());
  copy_into(first, trace.first(states));
  return states;
}

Tensor copy_or_zeros(const Tensor& x, const Shape& shape, DType dtype) {
  return x.defined() ? x.clone() : Tensor::zeros(shape, dtype);
}

}  // namespace weft::kernels
