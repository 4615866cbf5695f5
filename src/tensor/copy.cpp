#include "tensor/copy.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/fail.hpp"

namespace weft {
namespace {

// Walks all but the last dimension and hands (source, target) of each innermost row to `row`.
template <class Row>
void for_each_row(const Shape& shape, const Strides& from, const Strides& to, const Row& row) {
  const int outer = shape.rank() - 1;
  std::array<std::int64_t, max_rank> index{};
  std::int64_t a = 0, b = 0;
  for (;;) {
    row(a, b);
    int axis = outer - 1;
    for (; axis >= 0; --axis) {
      const auto d = static_cast<std::size_t>(axis);
      a += from[d];
      b += to[d];
      if (++index[d] < shape[axis]) break;
      a -= from[d] * shape[axis];
      b -= to[d] * shape[axis];
      index[d] = 0;
    }
    if (axis < 0) return;
  }
}

template <class From, class To>
bool fits([[maybe_unused]] From value) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    const double low = static_cast<double>(std::numeric_limits<To>::min());
    return static_cast<double>(value) >= low && static_cast<double>(value) < -low;
  } else {
    return true;
  }
}

template <class From, class To>
To convert(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else {
    return static_cast<To>(value);
  }
}

template <class From, class To>
void copy_typed(const Tensor& from, Tensor& to) {
  const std::int64_t n = from.rank() == 0 ? 1 : from.shape().back();
  const auto last = static_cast<std::size_t>(std::max(from.rank() - 1, 0));
  const std::int64_t step_a = from.strides()[last], step_b = to.strides()[last];
  const auto* a = reinterpret_cast<const From*>(from.raw());
  auto* b = reinterpret_cast<To*>(to.mutable_raw());
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    for_each_row(from.shape(), from.strides(), to.strides(), [&](std::int64_t i, std::int64_t) {
      for (std::int64_t k = 0; k < n; ++k)
        check<ValueError>(fits<From, To>(a[i + k * step_a]), "to", "{} can't be an element of type {}", a[i + k * step_a],
                          name_of(to.dtype()));
    });
  }
  for_each_row(from.shape(), from.strides(), to.strides(), [&](std::int64_t i, std::int64_t j) {
    if constexpr (std::is_same_v<From, To>) {
      if (step_a == 1 && step_b == 1) {
        std::memcpy(b + j, a + i, static_cast<std::size_t>(n) * sizeof(To));
        return;
      }
    }
    for (std::int64_t k = 0; k < n; ++k) b[j + k * step_b] = convert<From, To>(a[i + k * step_a]);
  });
}

}  // namespace

void copy_elements(const Tensor& from, Tensor& to) {
  if (from.numel() == 0) return;
  if (from.dtype() == to.dtype() && from.is_contiguous() && to.is_contiguous()) {
    std::memmove(to.mutable_raw(), from.raw(), static_cast<std::size_t>(from.numel()) * size_of(from.dtype()));
    return;
  }
  dispatch(from.dtype(), [&]<class From>() { dispatch(to.dtype(), [&]<class To>() { copy_typed<From, To>(from, to); }); });
}

std::optional<Strides> strides_of_reshape(const Shape& from, const Strides& strides, const Shape& to) {
  Strides result = to.dense_strides();
  if (from.numel() == 0) return result;
  // Each run of old dimensions that is dense in itself must be covered exactly by a run of new ones; size 1 fits anywhere.
  int next = to.rank() - 1;
  for (int i = from.rank() - 1; i >= 0; --i) {
    if (from[i] == 1) continue;
    std::int64_t step = strides[static_cast<std::size_t>(i)], run = from[i];
    for (int outer = i - 1; outer >= 0; --outer) {
      if (from[outer] == 1) continue;
      if (strides[static_cast<std::size_t>(outer)] != step * run) break;
      run *= from[outer];
      i = outer;
    }
    while (run > 1) {
      if (run % to[next] != 0) return std::nullopt;
      result[static_cast<std::size_t>(next)] = step;
      step *= to[next];
      run /= to[next--];
    }
  }
  return result;
}

double element_as_double(DType dtype, const std::byte* element) {
  return dispatch(dtype, [&]<class T>() {
    T value;
    std::memcpy(&value, element, sizeof(T));
    return static_cast<double>(value);
  });
}

void store_double(DType dtype, std::byte* element, double value) {
  dispatch(dtype, [&]<class T>() {
    check<ValueError>(fits<double, T>(value), "fill", "{} can't be an element of type {}", value, name_of(dtype));
    const T converted = convert<double, T>(value);
    std::memcpy(element, &converted, sizeof(T));
  });
}

}  // namespace weft
