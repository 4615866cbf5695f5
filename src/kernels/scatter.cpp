#include "kernels/scatter.hpp"

#include "base/fail.hpp"
#include "kernels/elementwise_walk.hpp"
#include "kernels/parallel.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {
namespace {

// Where lines stand side by side in memory, a chunk takes no fewer of them than this: whole cache lines.
constexpr std::int64_t least_lines = 64;

struct Add {
  template <class T>
  void operator()(T& to, T from) const {
    to = static_cast<T>(to + from);
  }
};
struct Set {
  template <class T>
  void operator()(T& to, T from) const {
    to = from;
  }
};

void check_operands(const char* op, const Tensor& target, int axis, const Tensor& index, const Tensor& source) {
  check<DTypeError>(index.dtype() == i64 && source.dtype() == target.dtype(), op, "{} into {} by {}", source, target, index);
  bool fits = target.is_contiguous() && source.shape() == index.shape() && target.rank() == index.rank() && axis >= 0 &&
              axis < target.rank();
  for (int i = 0; fits && i < index.rank(); ++i) fits = i == axis || index.shape()[i] <= target.shape()[i];
  check<ShapeError>(fits, op, "{} doesn't fit into {} by {}", source, target, index);
}

// The elements of target that index and source reach, with the axis at its first place: where their lines begin.
Tensor first_places(const Tensor& target, int axis, const Tensor& index) {
  Tensor first = target;
  for (int i = 0; i < index.rank(); ++i) first = first.slice(i, 0, i == axis ? 1 : index.shape()[i]);
  return first.select(axis, 0);
}

// Each chunk has lines along the axis of its own, several of them side by side, and walks the index once.
template <class T, class Put>
void run(Tensor& target, int axis, const Tensor& index, const Tensor& source, const Put& put) {
  const Tensor first = first_places(target, axis, index), places = index.select(axis, 0), values = source.select(axis, 0);
  const Walk<3> walk(places.shape(), {&first, &places, &values});
  const auto& side = walk.inner_steps();
  const std::int64_t count = index.size(axis), pitch = target.stride(axis);
  const std::int64_t next_place = index.stride(axis), next_value = source.stride(axis);
  const std::int64_t chunk = std::max(rows_per_chunk(count), side[0] == 1 ? least_lines : 1);
  T* to = target.mutable_data<T>();
  const auto* place = places.data<std::int64_t>();
  const T* from = values.data<T>();
  parallel_chunks(walk.count, chunk, [&](std::int64_t begin, std::int64_t end) {
    walk.range(begin, end, [&](const auto& at, std::int64_t n) {
      for (std::int64_t k = 0; k < count; ++k) {
        T* line = to + at[0];
        const std::int64_t* where = place + at[1] + k * next_place;
        const T* value = from + at[2] + k * next_value;
        if (side[1] == 0) {  // one place for all lines: rows
          line += *where * pitch;
          for (std::int64_t j = 0; j < n; ++j) put(line[j * side[0]], value[j * side[2]]);
        } else {
          for (std::int64_t j = 0; j < n; ++j) put(line[j * side[0] + where[j * side[1]] * pitch], value[j * side[2]]);
        }
      }
    });
  });
}

template <class T, class Put>
void run_plain(Tensor& target, int axis, const Tensor& index, const Tensor& source, const Put& put) {
  const Tensor places = index.contiguous(), values = source.contiguous();
  const Strides strides = target.strides();
  T* to = target.mutable_data<T>();
  std::array<std::int64_t, max_rank> at{};
  for (std::int64_t k = 0; k < places.numel(); ++k) {
    std::int64_t offset = 0;
    for (int i = 0; i < index.rank(); ++i)
      offset +=
          strides[static_cast<std::size_t>(i)] * (i == axis ? places.data<std::int64_t>()[k] : at[static_cast<std::size_t>(i)]);
    put(to[offset], values.data<T>()[k]);
    for (int i = index.rank() - 1; i >= 0 && ++at[static_cast<std::size_t>(i)] == index.shape()[i]; --i)
      at[static_cast<std::size_t>(i)] = 0;
  }
}

void check_numbers(const Tensor& target) {
  check<DTypeError>(target.dtype() != boolean, "scatter_add", "elements of {} can't be added", name_of(target.dtype()));
}

}  // namespace

void scatter_add(Tensor& target, int axis, const Tensor& index, const Tensor& source) {
  check_operands("scatter_add", target, axis, index, source);
  check_numbers(target);
  if (index.numel() == 0) return;
  dispatch(target.dtype(), [&]<class T>() { run<T>(target, axis, index, source, Add()); });
}

void scatter(Tensor& target, int axis, const Tensor& index, const Tensor& source) {
  check_operands("scatter", target, axis, index, source);
  if (index.numel() == 0) return;
  dispatch(target.dtype(), [&]<class T>() { run<T>(target, axis, index, source, Set()); });
}

namespace reference {

void scatter_add(Tensor& target, int axis, const Tensor& index, const Tensor& source) {
  check_operands("scatter_add", target, axis, index, source);
  check_numbers(target);
  dispatch(target.dtype(), [&]<class T>() { run_plain<T>(target, axis, index, source, Add()); });
}

void scatter(Tensor& target, int axis, const Tensor& index, const Tensor& source) {
  check_operands("scatter", target, axis, index, source);
  dispatch(target.dtype(), [&]<class T>() { run_plain<T>(target, axis, index, source, Set()); });
}

}  // namespace reference

}  // namespace weft::kernels
