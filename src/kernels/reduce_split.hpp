#pragma once
#include <algorithm>
#include <array>
#include <span>

#include "kernels/elementwise_walk.hpp"

namespace weft::kernels {

/// x's geometry in two parts: the kept dimensions, each of whose elements stands for all reduced ones.
struct Split {
  Walk<1> kept, reduced;
  Shape result;  ///< of the reduction, with the reduced dimensions at size 1 or without them
};

inline Split split(const Tensor& x, std::span<const int> axes, bool keepdim) {
  std::array<std::int64_t, max_rank> kept{}, reduced{}, result{};
  Strides kept_strides{}, reduced_strides{};
  std::size_t k = 0, r = 0, size = 0;
  for (int d = 0; d < x.rank(); ++d) {
    const std::int64_t stride = x.strides()[static_cast<std::size_t>(d)];
    if (std::find(axes.begin(), axes.end(), d) == axes.end()) {
      kept[k] = result[size++] = x.shape()[d];
      kept_strides[k++] = stride;
    } else {
      reduced[r] = x.shape()[d];
      reduced_strides[r++] = stride;
      if (keepdim) result[size++] = 1;
    }
  }
  const auto shape = [](const auto& sizes, std::size_t rank) {
    return Shape(std::span<const std::int64_t>(sizes.data(), rank));
  };
  return {Walk<1>(shape(kept, k), kept_strides), Walk<1>(shape(reduced, r), reduced_strides), shape(result, size)};
}

/// Calls body(i, offset) for each kept element i in [begin, end).
template <class Body>
void each(const Walk<1>& kept, std::int64_t begin, std::int64_t end, const Body& body) {
  std::int64_t i = begin;
  kept.range(begin, end, [&](const auto& at, std::int64_t n) {
    for (std::int64_t j = 0; j < n; ++j) body(i++, at[0] + j * kept.inner_steps()[0]);
  });
}

}  // namespace weft::kernels
