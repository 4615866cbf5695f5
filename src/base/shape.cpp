#include "weft/base/shape.hpp"

#include <algorithm>
#include <string_view>

#include "base/fail.hpp"

namespace weft {
namespace {

constexpr std::int64_t max_numel = std::int64_t{1} << 62;

// For two shapes that don't broadcast.
const char* remedy_of(const Shape& a, const Shape& b, std::string_view op) {
  if (op == "mul" && a.rank() >= 2 && b.rank() >= 2 && a.size(-1) == b.size(-2)) return "the product of matrices is matmul";
  return "sizes must be equal or one of them 1, counted from the last axis: reshape or unsqueeze an operand";
}

}  // namespace

Shape::Shape(std::span<const std::int64_t> sizes) {
  check<ShapeError>(sizes.size() <= max_rank, "shape", "[{}] has {} dimensions; at most {} are supported",
                    fmt::join(sizes, ", "), sizes.size(), max_rank);
  rank_ = static_cast<int>(sizes.size());
  std::int64_t nonzero = 1;  // the product without zeros must fit too: strides are made of it
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    check<ShapeError>(sizes[i] >= 0, "shape", "[{}] has a negative size", fmt::join(sizes, ", "));
    sizes_[i] = sizes[i];
    if (sizes[i] == 0) {
      numel_ = 0;
    } else {
      check<ShapeError>(!__builtin_mul_overflow(nonzero, sizes[i], &nonzero) && nonzero <= max_numel, "shape",
                        "the product of [{}] is too large for a tensor", fmt::join(sizes, ", "));
    }
  }
  if (numel_ != 0) numel_ = nonzero;
}

void Shape::fail_axis(int axis, const char* op) const {
  fail<IndexError>(op, "axis {} is out of range for shape {} (rank {})", axis, *this, rank_);
}

Shape Shape::with(int axis, std::int64_t size) const {
  std::array<std::int64_t, max_rank> sizes = sizes_;
  sizes[static_cast<std::size_t>(this->axis(axis))] = size;
  return Shape(std::span(sizes.data(), static_cast<std::size_t>(rank_)));
}

Shape Shape::with_inserted(int axis, std::int64_t size) const {
  check<IndexError>(axis >= -rank_ - 1 && axis <= rank_, "shape", "axis {} is out of range for inserting into {}", axis, *this);
  check<ShapeError>(rank_ < max_rank, "shape", "{} already has the {} dimensions a tensor may have", *this, max_rank);
  const auto at = static_cast<std::size_t>(axis < 0 ? axis + rank_ + 1 : axis);
  std::array<std::int64_t, max_rank> sizes = sizes_;
  std::copy_backward(sizes.begin() + static_cast<std::ptrdiff_t>(at), sizes.begin() + rank_, sizes.begin() + rank_ + 1);
  sizes[at] = size;
  return Shape(std::span(sizes.data(), static_cast<std::size_t>(rank_ + 1)));
}

Shape Shape::without(int axis) const {
  const auto at = this->axis(axis);
  std::array<std::int64_t, max_rank> sizes = sizes_;
  std::copy(sizes.begin() + at + 1, sizes.begin() + rank_, sizes.begin() + at);
  return Shape(std::span(sizes.data(), static_cast<std::size_t>(rank_ - 1)));
}

Shape Shape::swapped(int a, int b) const {
  Shape result = *this;
  std::swap(result.sizes_[static_cast<std::size_t>(axis(a))], result.sizes_[static_cast<std::size_t>(axis(b))]);
  return result;
}

void Shape::dense_strides(Strides& strides) const {
  std::int64_t step = 1;
  for (int i = rank_ - 1; i >= 0; --i) {
    strides[static_cast<std::size_t>(i)] = step;
    step *= std::max<std::int64_t>(sizes_[static_cast<std::size_t>(i)], 1);
  }
}

std::string Shape::str() const { return fmt::format("[{}]", fmt::join(begin(), end(), ", ")); }

Shape broadcast(const Shape& a, const Shape& b, const char* op) {
  if (a == b) return a;
  const int rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, max_rank> sizes{};
  for (int i = 1; i <= rank; ++i) {
    const std::int64_t m = i <= a.rank() ? a[a.rank() - i] : 1;
    const std::int64_t n = i <= b.rank() ? b[b.rank() - i] : 1;
    if (m != n && m != 1 && n != 1) [[unlikely]]
      fail<ShapeError>(op, "shapes {} and {} don't broadcast: {} against {} at axis -{}; {}", a, b, m, n, i,
                       remedy_of(a, b, op));
    sizes[static_cast<std::size_t>(rank - i)] = m == 1 ? n : m;
  }
  return Shape(std::span(sizes.data(), static_cast<std::size_t>(rank)));
}

}  // namespace weft
