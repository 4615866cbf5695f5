#include "weft/data/deltas.hpp"

#include <algorithm>

#include "base/fail.hpp"

namespace weft::data {
namespace {

void check_features(const char* op, const Tensor& features) {
  check<DTypeError>(features.dtype() == f32, op, "features are {}; f32 is needed", features);
  check<ShapeError>(features.rank() == 2 && features.size(0) > 0, op,
                    "features {} are not [frames, size] with one frame at least", features);
}

}  // namespace

Tensor deltas(const Tensor& features, std::int64_t window) {
  check_features("deltas", features);
  check<ValueError>(window >= 1, "deltas", "window is {}; it must be 1 or more", window);
  const Tensor dense = features.contiguous();
  const std::int64_t frames = dense.size(0), size = dense.size(1);
  const auto* x = dense.data<float>();
  const auto row = [&](std::int64_t t) { return x + std::clamp<std::int64_t>(t, 0, frames - 1) * size; };
  double scale = 0;
  for (std::int64_t n = 1; n <= window; ++n) scale += 2 * static_cast<double>(n * n);
  Tensor result = Tensor::empty(dense.shape());
  auto* to = result.mutable_data<float>();
  for (std::int64_t t = 0; t < frames; ++t)
    for (std::int64_t i = 0; i < size; ++i) {
      double sum = 0;
      for (std::int64_t n = 1; n <= window; ++n)
        sum += static_cast<double>(n) * (static_cast<double>(row(t + n)[i]) - static_cast<double>(row(t - n)[i]));
      *to++ = static_cast<float>(sum / scale);
    }
  return result;
}

Tensor with_deltas(const Tensor& features, std::int64_t orders, std::int64_t window) {
  check_features("with_deltas", features);
  check<ValueError>(orders >= 0, "with_deltas", "{} orders; there can't be fewer than none", orders);
  const std::int64_t frames = features.size(0), size = features.size(1);
  Tensor result = Tensor::empty({frames, (1 + orders) * size}), part = features;
  for (std::int64_t order = 0; order <= orders; ++order) {
    if (order > 0) part = deltas(part, window);
    result.slice(1, order * size, (order + 1) * size).copy_from(part);
  }
  return result;
}

Tensor stack_frames(const Tensor& features, std::int64_t count) {
  check_features("stack_frames", features);
  check<ValueError>(count >= 1, "stack_frames", "{} frames as one; it must be 1 or more", count);
  const std::int64_t frames = features.size(0), size = features.size(1), steps = (frames + count - 1) / count;
  Tensor result = Tensor::zeros({steps * count, size});
  result.slice(0, 0, frames).copy_from(features);
  return result.reshape({steps, count * size});
}

}  // namespace weft::data
