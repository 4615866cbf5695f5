#include "kernels/convolution.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::kernels::reference {
namespace {

struct Range {
  std::int64_t begin, end;
};

// The places i in 0..count-1 for which i stride + offset lies in 0..size-1.
Range meeting(std::int64_t offset, std::int64_t stride, std::int64_t size, std::int64_t count) {
  const std::int64_t begin = offset >= 0 ? 0 : (stride - 1 - offset) / stride;
  const std::int64_t end = offset >= size ? 0 : std::min(count, (size - 1 - offset) / stride + 1);
  return {begin, std::max(begin, end)};
}

// For each place of the kernel and each row of the output plane: row(place, at_input, at_output, count), where the input at
// at_input + j stride meets the output at at_output + j for 0 <= j < count.
template <class Row>
void walk(const Convolution& c, const Row& row) {
  for (std::int64_t kh = 0; kh < c.kernel[0]; ++kh) {
    const std::int64_t down = kh * c.dilation[0] - c.padding[0];
    const Range rows = meeting(down, c.stride[0], c.input[0], c.output[0]);
    for (std::int64_t kw = 0; kw < c.kernel[1]; ++kw) {
      const std::int64_t across = kw * c.dilation[1] - c.padding[1];
      const Range columns = meeting(across, c.stride[1], c.input[1], c.output[1]);
      if (columns.begin == columns.end) continue;
      for (std::int64_t i = rows.begin; i < rows.end; ++i)
        row(kh * c.kernel[1] + kw, (i * c.stride[0] + down) * c.input[1] + columns.begin * c.stride[1] + across,
            i * c.output[1] + columns.begin, columns.end - columns.begin);
    }
  }
}

// body(plane) for all planes, each wholly by one thread.
template <class Body>
void each_plane(const Convolution& c, std::int64_t planes, const Body& body) {
  const double work = c.work() / static_cast<double>(std::max<std::int64_t>(planes, 1));
  parallel_chunks(planes, work < 1 ? elements_per_chunk : rows_per_chunk(static_cast<std::int64_t>(std::min(work, 1e15))),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t plane = begin; plane < end; ++plane) body(plane);
                  });
}

struct Sizes {
  std::int64_t input, kernel, output;  // elements of a plane
  std::int64_t in, out;                // channels of a group
};

Sizes sizes_of(const Convolution& c) {
  return {c.input[0] * c.input[1], c.kernel[0] * c.kernel[1], c.output[0] * c.output[1], c.in / c.groups, c.out / c.groups};
}

template <class T>
void forward(const T* x, const T* weight, const T* bias, T* y, const Convolution& c) {
  const Sizes n = sizes_of(c);
  const std::int64_t stride = c.stride[1];
  each_plane(c, c.batch * c.out, [&](std::int64_t plane) {
    const std::int64_t sample = plane / c.out, o = plane % c.out, first = sample * c.in + o / n.out * n.in;
    T* to = y + plane * n.output;
    std::fill_n(to, n.output, bias != nullptr ? bias[o] : T{0});
    for (std::int64_t i = 0; i < n.in; ++i) {
      const T* from = x + (first + i) * n.input;
      const T* factors = weight + (o * n.in + i) * n.kernel;
      walk(c, [&](std::int64_t place, std::int64_t at_input, std::int64_t at_output, std::int64_t count) {
        for (std::int64_t j = 0; j < count; ++j) to[at_output + j] += factors[place] * from[at_input + j * stride];
      });
    }
  });
}

template <class T>
void input(const T* g, const T* weight, T* dx, const Convolution& c) {
  const Sizes n = sizes_of(c);
  const std::int64_t stride = c.stride[1];
  each_plane(c, c.batch * c.in, [&](std::int64_t plane) {
    const std::int64_t sample = plane / c.in, group = plane % c.in / n.in, i = plane % n.in;
    T* to = dx + plane * n.input;
    std::fill_n(to, n.input, T{0});
    for (std::int64_t o = group * n.out; o < (group + 1) * n.out; ++o) {
      const T* from = g + (sample * c.out + o) * n.output;
      const T* factors = weight + (o * n.in + i) * n.kernel;
      walk(c, [&](std::int64_t place, std::int64_t at_input, std::int64_t at_output, std::int64_t count) {
        for (std::int64_t j = 0; j < count; ++j) to[at_input + j * stride] += factors[place] * from[at_output + j];
      });
    }
  });
}

template <class T>
void weight(const T* g, const T* x, T* dw, const Convolution& c) {
  const Sizes n = sizes_of(c);
  const std::int64_t stride = c.stride[1];
  each_plane(c, c.out * n.in, [&](std::int64_t plane) {
    const std::int64_t o = plane / n.in, channel = o / n.out * n.in + plane % n.in;
    PoolVector<double> sums(static_cast<std::size_t>(n.kernel));
    for (std::int64_t sample = 0; sample < c.batch; ++sample) {
      const T* gradient = g + (sample * c.out + o) * n.output;
      const T* from = x + (sample * c.in + channel) * n.input;
      walk(c, [&](std::int64_t place, std::int64_t at_input, std::int64_t at_output, std::int64_t count) {
        double sum = 0;
        for (std::int64_t j = 0; j < count; ++j)
          sum += static_cast<double>(gradient[at_output + j]) * static_cast<double>(from[at_input + j * stride]);
        sums[static_cast<std::size_t>(place)] += sum;
      });
    }
    std::transform(sums.begin(), sums.end(), dw + plane * n.kernel, [](double sum) { return static_cast<T>(sum); });
  });
}

template <class T>
const T* data_or_null(const Tensor& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

}  // namespace

Tensor convolution(const Tensor& x, const Tensor& weight, const Tensor& bias, const Convolution& c) {
  Tensor y = Tensor::empty(c.y_shape(), x.dtype());
  const Tensor from = dense(x), factors = dense(weight), added = bias.defined() ? dense(bias) : Tensor();
  const auto run = [&]<class T>(T* to) { forward<T>(from.data<T>(), factors.data<T>(), data_or_null<T>(added), to, c); };
  x.dtype() == f32 ? run(y.mutable_data<float>()) : run(y.mutable_data<double>());
  return y;
}

Tensor convolution_input(const Tensor& g, const Tensor& weight, const Convolution& c) {
  Tensor dx = Tensor::empty(c.x_shape(), g.dtype());
  const Tensor from = dense(g), factors = dense(weight);
  const auto run = [&]<class T>(T* to) { input<T>(from.data<T>(), factors.data<T>(), to, c); };
  g.dtype() == f32 ? run(dx.mutable_data<float>()) : run(dx.mutable_data<double>());
  return dx;
}

Tensor convolution_weight(const Tensor& g, const Tensor& x, const Convolution& c) {
  Tensor dw = Tensor::empty(c.weight_shape(), g.dtype());
  const Tensor gradient = dense(g), from = dense(x);
  const auto run = [&]<class T>(T* to) { reference::weight<T>(gradient.data<T>(), from.data<T>(), to, c); };
  g.dtype() == f32 ? run(dw.mutable_data<float>()) : run(dw.mutable_data<double>());
  return dw;
}

}  // namespace weft::kernels::reference
