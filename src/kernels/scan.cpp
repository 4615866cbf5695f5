#include "kernels/scan.hpp"

#include <type_traits>

#include "kernels/reduce_split.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {

Tensor cumsum(const Tensor& x, int axis) {
  axis = x.shape().axis(axis, "cumsum");
  Tensor out = Tensor::empty(x.shape(), is_floating(x.dtype()) ? x.dtype() : i64);
  if (out.numel() == 0) return out;
  const int axes[] = {axis};
  const Split from = split(x, axes, false), to = split(out, axes, false);
  const std::int64_t n = x.shape()[axis], step = x.stride(axis), step_out = out.stride(axis);
  dispatch(x.dtype(), [&]<class T>() {
    using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;
    using Result = std::conditional_t<std::is_floating_point_v<T>, T, std::int64_t>;
    const auto* first = x.data<T>();
    auto* first_out = out.mutable_data<Result>();
    parallel_chunks(from.kept.count, rows_per_chunk(n), [&](std::int64_t begin, std::int64_t end) {
      std::int64_t place = 0;  // of the row in the dense result
      each(from.kept, begin, end, [&](std::int64_t i, std::int64_t at) {
        each(to.kept, i, i + 1, [&](std::int64_t, std::int64_t at_out) { place = at_out; });
        Sum total = 0;
        for (std::int64_t k = 0; k < n; ++k) {
          total += static_cast<Sum>(first[at + k * step]);
          first_out[place + k * step_out] = static_cast<Result>(total);
        }
      });
    });
  });
  return out;
}

}  // namespace weft::kernels
