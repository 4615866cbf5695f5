#include "weft/ops/triangle.hpp"

#include <algorithm>

#include "autograd/linear_maps.hpp"
#include "kernels/triangle.hpp"
#include "ops/sizes.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/shape.hpp"

namespace weft {

using kernels::Triangle;

namespace {

Var triangle(const char* op, Triangle part, const Var& x, std::int64_t diagonal) {
  check<ShapeError>(x.rank() >= 2, op, "the input has shape {}; two dimensions at least are needed", x.shape());
  return record(op, kernels::triangle(part, x.value(), diagonal), {&x},
                [op, part, diagonal](Sink& s) { s.add(0, triangle(op, part, s.grad(), diagonal)); });
}

// A diagonal's elements in a matrix's row-major order.
struct Line {
  std::int64_t row, column, length;

  Line(std::int64_t rows, std::int64_t columns, std::int64_t offset)
      : row(offset < 0 ? -std::max(offset, -rows) : 0),
        column(std::clamp<std::int64_t>(offset, 0, columns)),
        length(std::min(rows - row, columns - column)) {}

  Tensor places(std::int64_t columns) const {
    Tensor result = Tensor::empty({length}, i64);
    auto* place = result.mutable_data<std::int64_t>();
    for (std::int64_t i = 0; i < length; ++i) place[i] = (row + i) * columns + column + i;
    return result;
  }
};

// The other axes in their order, then `last`.
Shape with_last(const Shape& shape, int a, int b, std::int64_t last) {
  Sizes sizes;
  for (int i = 0; i < shape.rank(); ++i)
    if (i != a && i != b) sizes.append(shape[i], "diagonal");
  sizes.append(last, "diagonal");
  return sizes.shape("diagonal");
}

}  // namespace

Var tril(const Var& x, std::int64_t diagonal) { return triangle("tril", Triangle::lower, x, diagonal); }
Var triu(const Var& x, std::int64_t diagonal) { return triangle("triu", Triangle::upper, x, diagonal); }

Var diagonal(const Var& x, std::int64_t offset, int a, int b) {
  a = x.shape().axis(a, "diagonal");
  b = x.shape().axis(b, "diagonal");
  check<IndexError>(a != b, "diagonal", "axis {} stands twice for shape {}", a, x.shape());
  const Tensor& from = x.value();
  const Line line(x.size(a), x.size(b), offset);
  Strides strides{};
  std::size_t rest = 0;
  for (int i = 0; i < x.rank(); ++i)
    if (i != a && i != b) strides[rest++] = from.stride(i);
  strides[rest] = from.stride(a) + from.stride(b);
  const std::int64_t first = line.length > 0 ? line.row * from.stride(a) + line.column * from.stride(b) : 0;
  Tensor view = from.view(with_last(x.shape(), a, b, line.length), strides, first);
  return record("diagonal", std::move(view), {&x}, [line, a, b, shape = x.shape()](Sink& s) {
    // [..., length] -> [length, ...] -> [rows * columns, ...] -> [..., rows, columns] -> the axes in their places
    const Var g = s.grad();
    std::array<int, max_rank> order{};
    const auto rank = static_cast<std::size_t>(shape.rank());
    order[0] = static_cast<int>(rank) - 2;
    for (std::size_t i = 1; i + 1 < rank; ++i) order[i] = static_cast<int>(i) - 1;
    const Var lines = permute(g, std::span<const int>(order.data(), rank - 1));
    const Var flat = maps::scatter_rows(lines, line.places(shape[b]), shape[a] * shape[b]);
    Sizes sizes;
    sizes.append(shape[a], "diagonal");
    sizes.append(shape[b], "diagonal");
    for (int i = 1; i < lines.rank(); ++i) sizes.append(lines.size(i), "diagonal");
    for (int i = 0, next = 2; i < shape.rank(); ++i) order[static_cast<std::size_t>(i)] = i == a ? 0 : i == b ? 1 : next++;
    s.add(0, permute(reshape(flat, sizes.shape("diagonal")), std::span<const int>(order.data(), rank)));
  });
}

}  // namespace weft
