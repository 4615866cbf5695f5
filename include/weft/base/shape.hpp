#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace weft {

/// Most dimensions a tensor may have.
inline constexpr int max_rank = 8;

/// Distance in elements between neighbours along each dimension.
using Strides = std::array<std::int64_t, max_rank>;

/// Sizes of a tensor's dimensions, outermost first; held inline. Size 0 is allowed.
/// Throws ShapeError for more than 8 dimensions, a negative size, or a product beyond 2^62.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return rank_; }
  std::int64_t numel() const { return numel_; }
  /// Size of dimension `i`, 0 <= i < rank (not checked; `size` is).
  std::int64_t operator[](int i) const { return sizes_[static_cast<std::size_t>(i)]; }
  /// Size of an axis; negative axes count from the end. Throws IndexError.
  std::int64_t size(int axis) const { return sizes_[static_cast<std::size_t>(this->axis(axis))]; }
  /// The axis in 0..rank-1 that `axis` (possibly negative) means. Throws IndexError naming `op`.
  int axis(int axis, const char* op = "shape") const {
    if (axis < -rank_ || axis >= rank_) [[unlikely]]
      fail_axis(axis, op);
    return axis < 0 ? axis + rank_ : axis;
  }

  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }
  std::int64_t back() const { return sizes_[static_cast<std::size_t>(rank_ - 1)]; }

  /// A copy with one dimension changed, added before `axis` or taken out.
  Shape with(int axis, std::int64_t size) const;
  Shape with_inserted(int axis, std::int64_t size) const;
  Shape without(int axis) const;
  /// A copy with two dimensions exchanged.
  Shape swapped(int a, int b) const;

  /// Row-major strides of a dense tensor of this shape.
  Strides dense_strides() const {
    Strides strides{};
    dense_strides(strides);
    return strides;
  }
  /// The same where they are to stand: copied just after they were made, they would be waited for.
  void dense_strides(Strides& strides) const;

  bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (int i = 0; i < rank_; ++i)
      if ((*this)[i] != other[i]) return false;
    return true;
  }
  /// "[2, 3]"
  std::string str() const;

 private:
  [[noreturn]] void fail_axis(int axis, const char* op) const;

  std::array<std::int64_t, max_rank> sizes_{};
  int rank_ = 0;
  std::int64_t numel_ = 1;
};

/// The shape that both broadcast to as in NumPy (trailing dimensions aligned, 1 stretches).
/// Throws ShapeError naming `op` and both shapes.
Shape broadcast(const Shape& a, const Shape& b, const char* op);

}  // namespace weft
