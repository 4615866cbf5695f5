#include "kernels/packing.hpp"

#include <cstring>

#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "kernels/rows.hpp"

namespace weft::kernels {
namespace {

Tensor integers(std::int64_t count) { return Tensor::empty({count}, i64); }

}  // namespace

Packing::Packing(const Tensor& lengths, std::int64_t batch, std::int64_t steps)
    : starts_(integers(steps + 1)), order_(integers(batch)), places_(integers(batch)) {
  const std::int64_t* length = lengths.defined() ? lengths.data<std::int64_t>() : nullptr;
  const auto steps_of = [&](std::int64_t row) { return length == nullptr ? steps : length[row]; };
  // A counting sort: `next` has how many rows have each length, then where the next one of that length goes.
  Tensor counts = Tensor::zeros({steps + 1}, i64);
  auto* const next = counts.mutable_data<std::int64_t>();
  auto *const starts = starts_.mutable_data<std::int64_t>(), *const order = order_.mutable_data<std::int64_t>();
  for (std::int64_t row = 0; row < batch; ++row) ++next[steps_of(row)];
  starts[0] = 0;
  std::int64_t longer = batch;
  for (std::int64_t t = 0; t <= steps; ++t) {
    longer -= next[t];
    next[t] = longer;
    if (t < steps) starts[t + 1] = starts[t] + longer;
  }
  for (std::int64_t row = 0; row < batch; ++row) {
    const std::int64_t place = next[steps_of(row)]++;
    order[place] = row;
    places_.mutable_data<std::int64_t>()[row] = place;
  }
  if (is_full()) return;
  rows_ = integers(total());
  auto* packed = rows_.mutable_data<std::int64_t>();
  for (std::int64_t t = 0; t < steps; ++t)
    for (std::int64_t place = 0; place < rows(t); ++place) *packed++ = order[place] * steps + t;
}

Tensor Packing::pack(const Tensor& x) const {
  const std::int64_t n = x.size(2);
  if (!is_full()) return gather_rows(dense(x).reshape({batch() * steps(), n}), rows_, "pack");
  return x.transpose(0, 1).clone().reshape({total(), n});
}

Tensor Packing::unpack(const Tensor& packed) const {
  const std::int64_t n = packed.size(1);
  if (is_full()) return packed.reshape({steps(), batch(), n}).transpose(0, 1);
  Tensor result = Tensor::zeros({batch() * steps(), n}, packed.dtype());
  put_rows(result, rows_, packed);
  return result.reshape({batch(), steps(), n});
}

Tensor Packing::sort(const Tensor& x) const { return gather_rows(x, order_, "sort"); }
Tensor Packing::unsort(const Tensor& sorted) const { return gather_rows(sorted, places_, "unsort"); }

Tensor Packing::active() const {
  if (is_full()) return {};
  Tensor result = Tensor::zeros({steps(), batch()}, boolean);
  bool* flags = result.mutable_data<bool>();
  for (std::int64_t t = 0; t < steps(); ++t)
    for (std::int64_t place = 0; place < rows(t); ++place) flags[t * batch() + order()[place]] = true;
  return result;
}

Tensor Packing::first_rows(bool reverse) const {
  Tensor result = integers(batch());
  auto* const first = result.mutable_data<std::int64_t>();
  std::int64_t place = batch();
  for (std::int64_t t = -1; t < steps(); ++t)  // places rows(t + 1) .. place - 1 have t + 1 steps
    for (const std::int64_t begin = rows(t + 1); place > begin;) {
      --place;
      first[order()[place]] = place + (t < 0 ? total() : reverse ? start(t) : 0);
    }
  return result;
}

void put_rows(Tensor& target, const Tensor& index, const Tensor& x) {
  const Tensor source = dense(x);
  const std::int64_t* place = index.data<std::int64_t>();
  const std::size_t row = static_cast<std::size_t>(target.size(1)) * size_of(target.dtype());
  std::byte* to = target.mutable_raw();
  const std::byte* from = source.raw();
  parallel_chunks(index.numel(), rows_per_chunk(target.size(1)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      std::memcpy(to + static_cast<std::size_t>(place[i]) * row, from + static_cast<std::size_t>(i) * row, row);
  });
}

}  // namespace weft::kernels
