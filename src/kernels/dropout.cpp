#include "kernels/dropout.hpp"

#include <array>

#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "weft/base/random.hpp"

// Highway includes this file once for each instruction set.
#ifndef WEFT_DROPOUT_PLAIN_ROW
#define WEFT_DROPOUT_PLAIN_ROW
namespace weft::kernels {

// Columns of one row from `first`, a multiple of 4, on: y = x scale where the draw is at least `threshold`, otherwise 0.
template <class T>
void plain_row(const T* x, T* y, std::int64_t columns, std::int64_t first, std::uint32_t row, std::uint64_t seed,
               std::uint64_t position, std::uint32_t threshold, T scale) {
  for (std::int64_t j = 0; j < columns; ++j) {
    const auto words = philox({static_cast<std::uint32_t>((first + j) / 4), row, static_cast<std::uint32_t>(position),
                               static_cast<std::uint32_t>(position >> 32)},
                              {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    y[j] = words[static_cast<std::size_t>(j % 4)] >= threshold ? x[j] * scale : T{0};
  }
}

}  // namespace weft::kernels
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dropout.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The same, four columns to a counter.
void DropoutRow(const float* x, float* y, std::int64_t columns, std::int64_t first, std::uint32_t row, std::uint64_t seed,
                std::uint64_t position, std::uint32_t threshold, float scale) {
#if HWY_TARGET == HWY_SCALAR
  plain_row(x, y, columns, first, row, seed, position, threshold, scale);
#else
  // A counter's four words stand in the low halves of one lane of four vectors; the high halves hold what products leave. Two
  // groups of counters at once, since a round waits for the products of the one before.
  constexpr std::size_t groups = 2;
  const hn::ScalableTag<std::uint64_t> wide;
  const hn::Repartition<std::uint32_t, decltype(wide)> words;
  const hn::Repartition<float, decltype(wide)> floats;
  const auto counters = static_cast<std::int64_t>(hn::Lanes(wide)), per_vector = 2 * counters, per_group = 4 * counters;
  const std::int64_t step = static_cast<std::int64_t>(groups) * per_group;
  const auto low_half = hn::Set(wide, 0xFFFFFFFF), row_word = hn::Set(wide, row);
  const auto position_low = hn::Set(wide, position & 0xFFFFFFFF), position_high = hn::Set(wide, position >> 32);
  const auto multiplier_0 = hn::Set(words, 0xD2511F53), multiplier_1 = hn::Set(words, 0xCD9E8D57);
  const auto least = hn::Set(words, threshold);
  const auto factor = hn::Set(floats, scale);
  HWY_ALIGN std::uint64_t drawn[groups * 2 * hn::MaxLanes(wide)];
  const auto* draws = reinterpret_cast<const std::uint32_t*>(drawn);
  for (std::int64_t start = 0; start < columns; start += step) {
    hn::Vec<decltype(wide)> w0[groups], w1[groups], w2[groups], w3[groups];
    for (std::size_t g = 0; g < groups; ++g) {
      w0[g] = hn::Iota(wide, static_cast<std::uint64_t>((first + start) / 4 + static_cast<std::int64_t>(g) * counters));
      w1[g] = row_word;
      w2[g] = position_low;
      w3[g] = position_high;
    }
    auto key_0 = static_cast<std::uint32_t>(seed), key_1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const auto now_0 = hn::Set(wide, key_0), now_1 = hn::Set(wide, key_1);
      for (std::size_t g = 0; g < groups; ++g) {
        const auto p0 = hn::MulEven(hn::BitCast(words, w0[g]), multiplier_0);
        const auto p1 = hn::MulEven(hn::BitCast(words, w2[g]), multiplier_1);
        w0[g] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), w1[g]), now_0);
        w2[g] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), w3[g]), now_1);
        w1[g] = p1;
        w3[g] = p0;
      }
      key_0 += 0x9E3779B9;
      key_1 += 0xBB67AE85;
    }
    // In memory: the four words of the first counter, of the second, ...
    for (std::size_t g = 0; g < groups; ++g)
      hn::StoreInterleaved2(hn::Or(hn::And(w0[g], low_half), hn::ShiftLeft<32>(w1[g])),
                            hn::Or(hn::And(w2[g], low_half), hn::ShiftLeft<32>(w3[g])), wide,
                            drawn + g * 2 * static_cast<std::size_t>(counters));
    if (start + step <= columns) {
      for (std::int64_t j = 0; j < step; j += per_vector) {
        const auto drop = hn::RebindMask(floats, hn::Lt(hn::Load(words, draws + j), least));
        hn::StoreU(hn::IfThenZeroElse(drop, hn::Mul(hn::LoadU(floats, x + start + j), factor)), floats, y + start + j);
      }
    } else {
      for (std::int64_t j = start; j < columns; ++j) y[j] = draws[j - start] >= threshold ? x[j] * scale : 0.0f;
    }
  }
#endif
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(DropoutRow);

namespace {

template <class T, class Row>
Tensor run(const Tensor& x, const DropoutDraw& draw, const Row& row) {
  const Tensor from = dense(x);
  Tensor result = from.empty_like();
  if (x.numel() == 0) return result;
  const std::int64_t columns = x.rank() == 0 ? 1 : x.shape().back();
  const auto threshold = static_cast<std::uint32_t>(draw.p * 0x1p32);
  const T scale = static_cast<T>(1 / (1 - draw.p));
  const T* source = from.data<T>();
  T* target = result.mutable_data<T>();
  parallel_chunks(x.numel() / columns, rows_per_chunk(4 * columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r)
      row(source + r * columns, target + r * columns, columns, 0, static_cast<std::uint32_t>(draw.first_row + r), draw.seed,
          draw.position, threshold, scale);
  });
  return result;
}

}  // namespace

Tensor dropout(const Tensor& x, const DropoutDraw& draw) {
  return x.dtype() == f32 ? run<float>(x, draw, HWY_DYNAMIC_DISPATCH(DropoutRow)) : reference::dropout(x, draw);
}

void dropout_columns(float* row, std::int64_t columns, std::int64_t number, std::int64_t first, const DropoutDraw& draw) {
  HWY_DYNAMIC_DISPATCH(DropoutRow)
  (row, row, columns, first, static_cast<std::uint32_t>(draw.first_row + number), draw.seed, draw.position,
   static_cast<std::uint32_t>(draw.p * 0x1p32), static_cast<float>(1 / (1 - draw.p)));
}

namespace reference {

Tensor dropout(const Tensor& x, const DropoutDraw& draw) {
  return x.dtype() == f32 ? run<float>(x, draw, plain_row<float>) : run<double>(x, draw, plain_row<double>);
}

}  // namespace reference
}  // namespace weft::kernels
#endif
