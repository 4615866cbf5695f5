#include "kernels/finite.hpp"

#include <algorithm>
#include <cmath>

namespace weft::kernels {
namespace {

template <class T>
NonFinite count(const T* x, std::int64_t numel) {
  const auto bad = [](T value) { return !std::isfinite(value); };
  const std::int64_t found = std::count_if(x, x + numel, bad);
  return {found, found == 0 ? 0 : std::find_if(x, x + numel, bad) - x};
}

}  // namespace

NonFinite non_finite(const Tensor& x) {
  if (!is_floating(x.dtype())) return {};
  const Tensor dense = x.contiguous();
  return x.dtype() == f32 ? count(dense.data<float>(), x.numel()) : count(dense.data<double>(), x.numel());
}

}  // namespace weft::kernels
