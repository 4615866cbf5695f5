#pragma once
#include <array>
#include <initializer_list>
#include <span>

#include "weft/autograd/var.hpp"

namespace weft {

/// What a reduction over some axes does to a shape.
struct AxesPlan {
  std::array<int, max_rank> axes{};  ///< sorted
  std::size_t count = 0;
  Shape kept;    ///< with size 1 where it is reduced
  Shape result;  ///< the same, or without those axes
  bool keepdim = false;
  std::int64_t reduced = 1;  ///< elements that become one

  std::span<const int> span() const { return {axes.data(), count}; }
};

/// Throws IndexError naming `op` for an axis out of range or named twice, ValueError where x is undefined.
AxesPlan plan_axes(const char* op, const Var& x, std::span<const int> axes, bool keepdim);

/// 0 .. rank - 1
std::span<const int> all_axes(const Var& x);
inline std::span<const int> to_span(std::initializer_list<int> axes) { return {axes.begin(), axes.size()}; }

/// The same elements with or without the dimensions of size 1.
Var with_shape(const Var& x, const Shape& shape);

/// The elements that become one next to each other: [results, reduced].
Var in_rows(const Var& x, const AxesPlan& plan);

/// Throws DTypeError unless x, which is defined, is f32 or f64.
void check_floating(const char* op, const Var& x);

}  // namespace weft
