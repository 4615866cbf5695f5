#include "kernels/rows.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/fail.hpp"
#include "base/place.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {
namespace {

std::string remedy_of(std::int64_t index, std::int64_t rows, std::string_view op) {
  if (rows == 0) return "";
  if (index < 0) return fmt::format(": use 0 to {}, negative ones don't count from the end", rows - 1);
  if (op == "embedding") return fmt::format(": use ids 0 to {}, or a table with more rows (num_embeddings)", rows - 1);
  return fmt::format(": use 0 to {}", rows - 1);
}

// The index as dense i64, every element within 0..limit-1.
Tensor checked(const Tensor& index, std::int64_t limit, const char* op) {
  check<DTypeError>(is_integer(index.dtype()), op, "the index is {}; it must be i32 or i64", index);
  Tensor wide = index.to(i64).contiguous();
  const auto* first = wide.data<std::int64_t>();
  const auto* end = first + wide.numel();
  const auto* wrong = std::find_if(first, end, [limit](std::int64_t i) { return i < 0 || i >= limit; });
  if (wrong != end)
    fail<IndexError>(op, "index {} at {} of {} is out of range; there are {} rows{}", *wrong,
                     place_of(index.shape(), wrong - first), index, limit, remedy_of(*wrong, limit, op));
  return wide;
}

Shape gathered_shape(const Tensor& table, const Tensor& index, const char* op) {
  check<ShapeError>(table.rank() >= 1, op, "the table {} has no rows", table);
  const int rank = index.rank() + table.rank() - 1;
  check<ShapeError>(rank <= max_rank, op, "rows of {} by an index {} would have {} dimensions; at most {} are supported", table,
                    index, rank, max_rank);
  std::array<std::int64_t, max_rank> sizes{};
  std::copy(table.shape().begin() + 1, table.shape().end(),
            std::copy(index.shape().begin(), index.shape().end(), sizes.begin()));
  return Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(rank)));
}

// Elements of one row of `table`.
std::int64_t columns_of(const Tensor& table) {
  std::int64_t columns = 1;
  for (int i = 1; i < table.rank(); ++i) columns *= table.shape()[i];
  return columns;
}

void check_scatter(const Tensor& target, const Tensor& index, const Tensor& rows, const char* op) {
  check<DTypeError>(is_floating(target.dtype()) && target.dtype() == rows.dtype(), op, "rows {} can't be added to {}", rows,
                    target);
  check<ShapeError>(target.is_contiguous() && rows.shape() == gathered_shape(target, index, op), op,
                    "rows {} by an index {} don't fit the dense {}", rows, index, target);
}

}  // namespace

Tensor gather_rows(const Tensor& table, const Tensor& index, const char* op) {
  Tensor result = Tensor::empty(gathered_shape(table, index, op), table.dtype());
  const Tensor wide = checked(index, table.shape()[0], op);
  // Rows that are dense in themselves may stand at any pitch; others are copied together first.
  const bool dense_rows = table.shape()[0] == 0 || table.select(0, 0).is_contiguous();
  const Tensor source = dense_rows ? table : dense(table);
  const std::int64_t pitch = source.stride(0), columns = columns_of(table);
  dispatch(table.dtype(), [&]<class T>() {
    const T* from = source.data<T>();
    const auto* row = wide.data<std::int64_t>();
    T* to = result.mutable_data<T>();
    parallel_chunks(wide.numel(), rows_per_chunk(columns), [&](std::int64_t begin, std::int64_t end) {
      if (columns == 1) {
        for (std::int64_t k = begin; k < end; ++k) to[k] = from[row[k] * pitch];
      } else {
        for (std::int64_t k = begin; k < end; ++k) std::copy_n(from + row[k] * pitch, columns, to + k * columns);
      }
    });
  });
  return result;
}

void scatter_add_rows(Tensor& target, const Tensor& index, const Tensor& rows, const char* op) {
  check_scatter(target, index, rows, op);
  const Tensor wide = checked(index, target.shape()[0], op);
  const Tensor source = dense(rows);
  const std::int64_t columns = columns_of(target), count = wide.numel();
  // Each thread has columns of its own and walks all rows in order. A block is a whole number of cache lines.
  constexpr std::int64_t line = 16;
  const bool small = count * columns <= elements_per_chunk;
  const std::int64_t blocks = small ? 1 : num_threads();
  const std::int64_t width = std::max(line, ((columns + blocks - 1) / blocks + line - 1) / line * line);
  const auto add = [&]<class T>() {
    const T* from = source.data<T>();
    const auto* row = wide.data<std::int64_t>();
    T* to = target.mutable_data<T>();
    parallel_chunks(columns, width, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t k = 0; k < count; ++k) {
        T* sum = to + row[k] * columns;
        const T* part = from + k * columns;
        for (std::int64_t c = begin; c < end; ++c) sum[c] += part[c];
      }
    });
  };
  if (target.dtype() == f64) return add.operator()<double>();
  add.operator()<float>();
}

Tensor scatter_rows(const Tensor& rows, const Tensor& index, std::int64_t count, const char* op) {
  check<ShapeError>(rows.rank() >= index.rank(), op, "rows {} are not one for each index of {}", rows, index);
  std::array<std::int64_t, max_rank> sizes{count};
  check<ShapeError>(rows.rank() - index.rank() < max_rank, op, "rows {} have too many dimensions", rows);
  const auto end = std::copy(rows.shape().begin() + index.rank(), rows.shape().end(), sizes.begin() + 1);
  Tensor target = Tensor::zeros(Shape(std::span<const std::int64_t>(sizes.begin(), end)), rows.dtype());
  scatter_add_rows(target, index, rows, op);
  return target;
}

void check_index(const Tensor& index, std::int64_t limit, const char* op) { checked(index, limit, op); }

namespace reference {

Tensor gather_rows(const Tensor& table, const Tensor& index, const char* op) {
  Tensor result = Tensor::empty(gathered_shape(table, index, op), table.dtype());
  const Tensor wide = checked(index, table.shape()[0], op);
  const Tensor source = table.contiguous();
  const std::int64_t columns = columns_of(table);
  dispatch(table.dtype(), [&]<class T>() {
    T* to = result.mutable_data<T>();
    for (std::int64_t k = 0; k < wide.numel(); ++k)
      for (std::int64_t c = 0; c < columns; ++c)
        to[k * columns + c] = source.data<T>()[wide.data<std::int64_t>()[k] * columns + c];
  });
  return result;
}

void scatter_add_rows(Tensor& target, const Tensor& index, const Tensor& rows, const char* op) {
  check_scatter(target, index, rows, op);
  const Tensor wide = checked(index, target.shape()[0], op);
  const Tensor source = rows.contiguous();
  const std::int64_t columns = columns_of(target);
  const auto add = [&]<class T>() {
    T* to = target.mutable_data<T>();
    for (std::int64_t k = 0; k < wide.numel(); ++k)
      for (std::int64_t c = 0; c < columns; ++c)
        to[wide.data<std::int64_t>()[k] * columns + c] += source.data<T>()[k * columns + c];
  };
  if (target.dtype() == f64) return add.operator()<double>();
  add.operator()<float>();
}

}  // namespace reference

}  // namespace weft::kernels
