#include "kernels/pooling.hpp"

#include <cmath>

#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"

namespace weft::kernels {
namespace {

template <class Function>
void by_dtype(DType dtype, Function&& function) {
  dtype == f32 ? function.template operator()<float>() : function.template operator()<double>();
}

struct Range {
  std::int64_t begin, end;
};

// The rows or columns of window i that lie within the plane.
Range within(const Windows& w, std::size_t axis, std::int64_t i) {
  const std::int64_t start = i * w.stride[axis] - w.padding[axis];
  return {std::max<std::int64_t>(start, 0), std::min(start + w.kernel[axis], w.input[axis])};
}

// window(plane, k, rows, columns) for every window k of every plane, a plane's in order and by one thread.
template <class Window>
void each_window(const Windows& w, const Window& window) {
  const std::int64_t windows = w.output[0] * w.output[1];
  if (windows == 0) return;
  const std::int64_t rows = std::min(w.kernel[0], w.input[0]), columns = std::min(w.kernel[1], w.input[1]);
  parallel_chunks(w.planes, rows_per_chunk(windows * rows * columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane)
      for (std::int64_t i = 0; i < w.output[0]; ++i)
        for (std::int64_t j = 0; j < w.output[1]; ++j)
          window(plane, plane * windows + i * w.output[1] + j, within(w, 0, i), within(w, 1, j));
  });
}

template <class T>
T divisor(const Windows& w, const Range& rows, const Range& columns) {
  return static_cast<T>(w.count_padding ? w.kernel[0] * w.kernel[1] : (rows.end - rows.begin) * (columns.end - columns.begin));
}

// body(plane, first place of its indices) for all planes.
template <class Body>
void each_plane(std::int64_t planes, const Tensor& index, const Body& body) {
  const std::int64_t count = index.size(1);
  const std::int64_t* places = index.data<std::int64_t>();
  parallel_chunks(planes, rows_per_chunk(count), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane) body(plane, index.size(0) == 1 ? places : places + plane * count);
  });
}

}  // namespace

MaxPool max_pool(const Tensor& x, const Windows& w) {
  const Tensor source = dense(x);
  MaxPool result{Tensor::empty({w.planes, w.output[0], w.output[1]}, x.dtype()),
                 Tensor::empty({w.planes, w.output[0] * w.output[1]}, i64)};
  by_dtype(x.dtype(), [&]<class T>() {
    const T* from = source.data<T>();
    T* to = result.y.mutable_data<T>();
    auto* places = result.index.mutable_data<std::int64_t>();
    each_window(w, [&](std::int64_t plane, std::int64_t k, const Range& rows, const Range& columns) {
      const T* values = from + plane * w.input[0] * w.input[1];
      std::int64_t best = rows.begin * w.input[1] + columns.begin;
      for (std::int64_t i = rows.begin; i < rows.end; ++i)
        for (std::int64_t place = i * w.input[1] + columns.begin; place < i * w.input[1] + columns.end; ++place)
          if (values[place] > values[best] || std::isnan(values[place])) best = place;
      to[k] = values[best];
      places[k] = best;
    });
  });
  return result;
}

Tensor avg_pool(const Tensor& x, const Windows& w) {
  const Tensor source = dense(x);
  Tensor y = Tensor::empty({w.planes, w.output[0], w.output[1]}, x.dtype());
  by_dtype(x.dtype(), [&]<class T>() {
    const T* from = source.data<T>();
    T* to = y.mutable_data<T>();
    each_window(w, [&](std::int64_t plane, std::int64_t k, const Range& rows, const Range& columns) {
      double sum = 0;  // a window may be the whole image
      for (std::int64_t i = rows.begin; i < rows.end; ++i)
        for (std::int64_t j = columns.begin; j < columns.end; ++j)
          sum += static_cast<double>(from[(plane * w.input[0] + i) * w.input[1] + j]);
      to[k] = static_cast<T>(sum / divisor<double>(w, rows, columns));
    });
  });
  return y;
}

Tensor avg_pool_transposed(const Tensor& g, const Windows& w) {
  const Tensor source = dense(g);
  Tensor dx = Tensor::zeros({w.planes, w.input[0], w.input[1]}, g.dtype());
  by_dtype(g.dtype(), [&]<class T>() {
    const T* from = source.data<T>();
    T* to = dx.mutable_data<T>();
    each_window(w, [&](std::int64_t plane, std::int64_t k, const Range& rows, const Range& columns) {
      const T share = from[k] / divisor<T>(w, rows, columns);
      for (std::int64_t i = rows.begin; i < rows.end; ++i)
        for (std::int64_t j = columns.begin; j < columns.end; ++j) to[(plane * w.input[0] + i) * w.input[1] + j] += share;
    });
  });
  return dx;
}

Tensor take_places(const Tensor& x, const Tensor& index) {
  const Tensor source = dense(x);
  const std::int64_t places = x.size(1), count = index.size(1);
  Tensor y = Tensor::empty({x.size(0), count}, x.dtype());
  by_dtype(x.dtype(), [&]<class T>() {
    const T* from = source.data<T>();
    T* to = y.mutable_data<T>();
    each_plane(x.size(0), index, [&](std::int64_t plane, const std::int64_t* at) {
      for (std::int64_t k = 0; k < count; ++k) to[plane * count + k] = from[plane * places + at[k]];
    });
  });
  return y;
}

Tensor add_at_places(const Tensor& g, const Tensor& index, std::int64_t places) {
  const Tensor source = dense(g);
  const std::int64_t count = index.size(1);
  Tensor dx = Tensor::zeros({g.size(0), places}, g.dtype());
  by_dtype(g.dtype(), [&]<class T>() {
    const T* from = source.data<T>();
    T* to = dx.mutable_data<T>();
    each_plane(g.size(0), index, [&](std::int64_t plane, const std::int64_t* at) {
      for (std::int64_t k = 0; k < count; ++k) to[plane * places + at[k]] += from[plane * count + k];
    });
  });
  return dx;
}

}  // namespace weft::kernels
