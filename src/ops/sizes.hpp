#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "base/fail.hpp"
#include "weft/base/shape.hpp"

namespace weft {

/// Sizes of a result that is being worked out. Products and sums that are too large stay the largest number, so that `shape`
/// refuses them.
class Sizes {
 public:
  static constexpr std::int64_t most_elements = std::int64_t{1} << 62;  // as in Shape

  static std::int64_t times(std::int64_t a, std::int64_t b) {
    std::int64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max() : product;
  }
  static std::int64_t plus(std::int64_t a, std::int64_t b) {
    std::int64_t total = 0;
    return __builtin_add_overflow(a, b, &total) ? std::numeric_limits<std::int64_t>::max() : total;
  }

  Sizes() = default;
  explicit Sizes(const Shape& shape) : rank_(shape.rank()) { std::copy(shape.begin(), shape.end(), sizes_.begin()); }

  std::int64_t& operator[](int axis) { return sizes_[static_cast<std::size_t>(axis)]; }
  int rank() const { return rank_; }
  /// One more dimension, behind the others.
  void append(std::int64_t size, const char* op) {
    check<ShapeError>(rank_ < max_rank, op, "the result would have more than the {} dimensions a tensor may have", max_rank);
    sizes_[static_cast<std::size_t>(rank_++)] = size;
  }
  /// Throws ShapeError naming `op` where a tensor can't have that many elements.
  Shape shape(const char* op) const {
    const std::span<const std::int64_t> sizes(sizes_.data(), static_cast<std::size_t>(rank_));
    std::int64_t product = 1;
    for (const std::int64_t size : sizes)
      check<ShapeError>(size == 0 || (!__builtin_mul_overflow(product, size, &product) && product <= most_elements), op,
                        "a result of shape [{}] is too large", fmt::join(sizes, ", "));
    return Shape(sizes);
  }

 private:
  std::array<std::int64_t, max_rank> sizes_{};
  int rank_ = 0;
};

}  // namespace weft
