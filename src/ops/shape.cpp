#include "weft/ops/shape.hpp"

#include <array>
#include <limits>

#include "autograd/linear_maps.hpp"
#include "kernels/elementwise.hpp"
#include "ops/sizes.hpp"
#include "weft/autograd/record.hpp"

namespace weft {
namespace {

constexpr std::size_t most_parts = std::numeric_limits<std::uint16_t>::max();  // inputs that a node of the tape can have

Var record_reshape(const Var& x, Tensor value) {
  return record("reshape", std::move(value), {&x}, [from = x.shape()](Sink& s) { s.add(0, reshape(s.grad(), from)); });
}

void check_parts(std::span<const Var> parts, const char* op) {
  check<ValueError>(!parts.empty(), op, "nothing to join");
  check<ValueError>(parts.size() <= most_parts, op, "{} parts; at most {} can be joined at once", parts.size(), most_parts);
  for (const Var& part : parts)
    check<DTypeError>(part.dtype() == parts[0].dtype(), op, "the parts {} and {} differ in type", parts[0].value(),
                      part.value());
}

PoolVector<const Var*> pointers(std::span<const Var> parts) {
  PoolVector<const Var*> result;
  result.reserve(parts.size());
  for (const Var& part : parts) result.push_back(&part);
  return result;
}

}  // namespace

Var reshape(const Var& x, const Shape& shape) { return record_reshape(x, x.value().reshape(shape)); }
Var reshape(const Var& x, std::initializer_list<std::int64_t> sizes) { return record_reshape(x, x.value().reshape(sizes)); }

Var flatten(const Var& x, int first, int last) {
  if (x.rank() == 0) return reshape(x, {1});
  first = x.shape().axis(first, "flatten");
  last = x.shape().axis(last, "flatten");
  check<ValueError>(first <= last, "flatten", "axis {} stands behind axis {} (shape {})", first, last, x.shape());
  std::array<std::int64_t, max_rank> sizes{};
  std::size_t count = 0;
  for (int i = 0; i < x.rank(); ++i) {
    if (i > first && i <= last) {
      sizes[count - 1] *= x.size(i);
    } else {
      sizes[count++] = x.size(i);
    }
  }
  return reshape(x, Shape(std::span<const std::int64_t>(sizes.data(), count)));
}

Var transpose(const Var& x, int a, int b) {
  return record("transpose", x.value().transpose(a, b), {&x}, [a, b](Sink& s) { s.add(0, transpose(s.grad(), a, b)); });
}

Var permute(const Var& x, std::span<const int> axes) {
  Tensor value = x.value().permute(axes);
  std::array<int, max_rank> back{};
  for (std::size_t i = 0; i < axes.size(); ++i) back[static_cast<std::size_t>(x.shape().axis(axes[i]))] = static_cast<int>(i);
  return record("permute", std::move(value), {&x},
                [back, rank = axes.size()](Sink& s) { s.add(0, permute(s.grad(), std::span<const int>(back.data(), rank))); });
}
Var permute(const Var& x, std::initializer_list<int> axes) { return permute(x, std::span(axes.begin(), axes.size())); }

Var slice(const Var& x, int axis, std::int64_t start, std::int64_t stop) { return maps::slice(x, axis, start, stop); }

Var select(const Var& x, int axis, std::int64_t index) {
  axis = x.shape().axis(axis, "select");
  return record("select", x.value().select(axis, index), {&x},
                [axis, index](Sink& s) { s.add_slice(0, axis, index, unsqueeze(s.grad(), axis)); });
}

Var expand(const Var& x, const Shape& shape) { return maps::expand(x, shape); }

Var flip(const Var& x, int axis) {
  return record("flip", x.value().flip(axis), {&x}, [axis](Sink& s) { s.add(0, flip(s.grad(), axis)); });
}

Var unsqueeze(const Var& x, int axis) {
  return record("unsqueeze", x.value().unsqueeze(axis), {&x}, [axis](Sink& s) { s.add(0, squeeze(s.grad(), axis)); });
}

Var squeeze(const Var& x, int axis) {
  axis = x.shape().axis(axis, "squeeze");
  return record("squeeze", x.value().squeeze(axis), {&x}, [axis](Sink& s) { s.add(0, unsqueeze(s.grad(), axis)); });
}

PoolVector<Var> split(const Var& x, std::span<const std::int64_t> sizes, int axis) {
  axis = x.shape().axis(axis, "split");
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) {
    check<ShapeError>(size >= 0, "split", "a part of size {} of shape {}", size, x.shape());
    total = Sizes::plus(total, size);
  }
  check<ShapeError>(total == x.size(axis), "split", "parts of {} elements in all don't fill axis {} of shape {}", total, axis,
                    x.shape());
  check<ValueError>(sizes.size() <= most_parts, "split", "{} parts; at most {} can be cut at once", sizes.size(), most_parts);
  PoolVector<Var> parts;
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    parts.emplace_back(x.value().slice(axis, start, start + size));
    start += size;
  }
  if (parts.empty()) return parts;
  // One node for all parts, so that their gradients are joined in one pass.
  const Var* input = &x;
  record("split", parts, std::span(&input, 1), [axis, count = static_cast<int>(parts.size())](Sink& s) {
    PoolVector<Var> gradients;
    for (int i = 0; i < count; ++i) gradients.push_back(s.grad(i));
    s.add(0, concat(gradients, axis));
  });
  return parts;
}
PoolVector<Var> split(const Var& x, std::initializer_list<std::int64_t> sizes, int axis) {
  return split(x, std::span(sizes.begin(), sizes.size()), axis);
}

PoolVector<Var> chunk(const Var& x, std::int64_t chunks, int axis) {
  axis = x.shape().axis(axis, "chunk");
  const std::int64_t n = x.size(axis), most = n == 0 ? static_cast<std::int64_t>(most_parts) : chunks;
  check<ValueError>(chunks >= 1 && chunks <= most, "chunk", "axis {} of shape {} can't be cut into {} parts", axis, x.shape(),
                    chunks);
  PoolVector<Var> parts;
  if (n == 0) {
    parts.assign(static_cast<std::size_t>(chunks), x);
    return parts;
  }
  const std::int64_t size = n / chunks + (n % chunks != 0);
  for (std::int64_t start = 0; start < n; start += size) parts.push_back(slice(x, axis, start, std::min(start + size, n)));
  return parts;
}

Var concat(std::span<const Var> parts, int axis) {
  check_parts(parts, "concat");
  const Shape& first = parts[0].shape();
  axis = first.axis(axis, "concat");
  std::int64_t total = 0;
  for (const Var& part : parts) {
    check<ShapeError>(part.rank() == first.rank() && part.shape().with(axis, first[axis]) == first, "concat",
                      "shapes {} and {} differ in more than axis {}", first, part.shape(), axis);
    total = Sizes::plus(total, part.size(axis));
  }
  Sizes sizes(first);
  sizes[axis] = total;
  Tensor joined = Tensor::empty(sizes.shape("concat"), parts[0].dtype());
  PoolVector<std::int64_t> starts;
  starts.reserve(parts.size() + 1);
  std::int64_t start = 0;
  for (const Var& part : parts) {
    starts.push_back(start);
    kernels::copy_into(part.value(), joined.slice(axis, start, start + part.size(axis)));
    start += part.size(axis);
  }
  starts.push_back(start);
  Var result(std::move(joined));
  record("concat", std::span<Var>(&result, 1), pointers(parts), [axis, starts = std::move(starts)](Sink& s) {
    const Var g = s.grad();
    for (std::size_t i = 0; i + 1 < starts.size(); ++i)
      if (s.wants(static_cast<int>(i))) s.add(static_cast<int>(i), slice(g, axis, starts[i], starts[i + 1]));
  });
  return result;
}
Var concat(std::initializer_list<Var> parts, int axis) { return concat(std::span(parts.begin(), parts.size()), axis); }

Var stack(std::span<const Var> parts, int axis) {
  check_parts(parts, "stack");
  const Shape& first = parts[0].shape();
  check<IndexError>(axis >= -first.rank() - 1 && axis <= first.rank(), "stack", "axis {} is out of range for inserting into {}",
                    axis, first);
  check<ShapeError>(first.rank() < max_rank, "stack", "{} already has the {} dimensions a tensor may have", first, max_rank);
  const Shape joined_shape = first.with_inserted(axis, static_cast<std::int64_t>(parts.size()));
  axis = axis < 0 ? axis + joined_shape.rank() : axis;
  Tensor joined = Tensor::empty(joined_shape, parts[0].dtype());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    check<ShapeError>(parts[i].shape() == first, "stack", "shapes {} and {} differ; all parts need one shape", first,
                      parts[i].shape());
    kernels::copy_into(parts[i].value(), joined.select(axis, static_cast<std::int64_t>(i)));
  }
  Var result(std::move(joined));
  record("stack", std::span<Var>(&result, 1), pointers(parts), [axis, count = parts.size()](Sink& s) {
    const Var g = s.grad();
    for (std::size_t i = 0; i < count; ++i)
      if (s.wants(static_cast<int>(i))) s.add(static_cast<int>(i), select(g, axis, static_cast<std::int64_t>(i)));
  });
  return result;
}
Var stack(std::initializer_list<Var> parts, int axis) { return stack(std::span(parts.begin(), parts.size()), axis); }

}  // namespace weft
