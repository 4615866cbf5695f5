#include "kernels/triangle.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {

Tensor triangle(Triangle part, const Tensor& x, std::int64_t diagonal) {
  Tensor result = x.empty_like();
  if (result.numel() == 0) return result;
  copy_into(x, result);
  const std::int64_t rows = x.size(-2), columns = x.size(-1);
  diagonal = std::clamp(diagonal, -rows, columns);
  const std::size_t size = size_of(x.dtype());
  std::byte* data = result.mutable_raw();
  parallel_chunks(x.numel() / columns, rows_per_chunk(columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t on = row % rows + diagonal;  // the column in which the diagonal crosses this row
      const std::int64_t from = part == Triangle::lower ? std::clamp<std::int64_t>(on + 1, 0, columns) : 0;
      const std::int64_t to = part == Triangle::lower ? columns : std::clamp<std::int64_t>(on, 0, columns);
      std::memset(data + static_cast<std::size_t>(row * columns + from) * size, 0, static_cast<std::size_t>(to - from) * size);
    }
  });
  return result;
}

namespace reference {

Tensor triangle(Triangle part, const Tensor& x, std::int64_t diagonal) {
  Tensor result = x.clone();
  const std::int64_t rows = x.size(-2), columns = x.size(-1);
  diagonal = std::clamp(diagonal, -rows, columns);
  dispatch(x.dtype(), [&]<class T>() {
    T* data = result.mutable_data<T>();
    for (std::int64_t k = 0; k < x.numel(); ++k) {
      const std::int64_t at = k % columns - k / columns % rows;
      if (part == Triangle::lower ? at > diagonal : at < diagonal) data[k] = T{};
    }
  });
  return result;
}

}  // namespace reference

}  // namespace weft::kernels
