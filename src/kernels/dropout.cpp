#include "kernels/dropout.hpp"

#include <array>

#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "weft/base/random.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dropout.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

// Counters handled side by side, so that the compiler has independent rounds to vectorise.
constexpr int side_by_side = 16;

// One row: y = x scale where the draw is at least `threshold`.
void DropoutRow(const float* x, float* y, std::int64_t columns, std::uint32_t row, std::uint64_t seed, std::uint64_t position,
                std::uint32_t threshold, float scale) {
  for (std::int64_t start = 0; start < columns; start += 4 * side_by_side) {
    std::uint32_t word[4][side_by_side];
    for (int i = 0; i < side_by_side; ++i) {
      word[0][i] = static_cast<std::uint32_t>(start / 4 + i);
      word[1][i] = row;
      word[2][i] = static_cast<std::uint32_t>(position);
      word[3][i] = static_cast<std::uint32_t>(position >> 32);
    }
    auto key_0 = static_cast<std::uint32_t>(seed), key_1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < side_by_side; ++i) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * word[0][i], p1 = std::uint64_t{0xCD9E8D57} * word[2][i];
        word[0][i] = static_cast<std::uint32_t>(p1 >> 32) ^ word[1][i] ^ key_0;
        word[1][i] = static_cast<std::uint32_t>(p1);
        word[2][i] = static_cast<std::uint32_t>(p0 >> 32) ^ word[3][i] ^ key_1;
        word[3][i] = static_cast<std::uint32_t>(p0);
      }
      key_0 += 0x9E3779B9;
      key_1 += 0xBB67AE85;
    }
    const std::int64_t count = columns - start < 4 * side_by_side ? columns - start : 4 * side_by_side;
    for (std::int64_t j = 0; j < count; ++j) y[start + j] = word[j % 4][j / 4] >= threshold ? x[start + j] * scale : 0.0f;
  }
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(DropoutRow);

namespace {

struct PlainRow {
  template <class T>
  void operator()(const T* x, T* y, std::int64_t columns, std::uint32_t row, std::uint64_t seed, std::uint64_t position,
                  std::uint32_t threshold, T scale) const {
    for (std::int64_t j = 0; j < columns; ++j) {
      const auto words = philox({static_cast<std::uint32_t>(j / 4), row, static_cast<std::uint32_t>(position),
                                 static_cast<std::uint32_t>(position >> 32)},
                                {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
      y[j] = words[static_cast<std::size_t>(j % 4)] >= threshold ? x[j] * scale : T{0};
    }
  }
};

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
      row(source + r * columns, target + r * columns, columns, static_cast<std::uint32_t>(r), draw.seed, draw.position,
          threshold, scale);
  });
  return result;
}

}  // namespace

Tensor dropout(const Tensor& x, const DropoutDraw& draw) {
  return x.dtype() == f32 ? run<float>(x, draw, HWY_DYNAMIC_DISPATCH(DropoutRow)) : reference::dropout(x, draw);
}

namespace reference {

Tensor dropout(const Tensor& x, const DropoutDraw& draw) {
  return x.dtype() == f32 ? run<float>(x, draw, PlainRow{}) : run<double>(x, draw, PlainRow{});
}

}  // namespace reference
}  // namespace weft::kernels
#endif
