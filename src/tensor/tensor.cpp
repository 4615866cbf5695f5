#include "weft/tensor/tensor.hpp"

#include <cmath>
#include <cstring>
#include <new>

#include "base/fail.hpp"
#include "tensor/copy.hpp"
#include "weft/base/scope.hpp"
#include "weft/tensor/memory_report.hpp"

namespace weft {

using detail::TensorImpl;

namespace {

// Data of up to this many bytes shares its header's block: one trip to the pool for a small tensor.
constexpr std::size_t inline_bytes = 4096;
constexpr std::size_t header_bytes = (sizeof(TensorImpl) + 63) / 64 * 64;

bool dense(const Shape& shape, const Strides& strides) {
  if (shape.numel() <= 1) return true;
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[static_cast<std::size_t>(i)] != step) return false;
    step *= shape[i];
  }
  return true;
}

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

}  // namespace

namespace detail {

void destroy(TensorImpl* impl) noexcept {
  if (TensorImpl* owner = impl->owner) {
    impl->~TensorImpl();
    pool_release(impl, sizeof(TensorImpl));
    if (owner->references.drop()) destroy(owner);
    return;
  }
  const std::size_t bytes = static_cast<std::size_t>(impl->shape.numel()) * size_of(impl->dtype);
  count_bytes(impl->category, -static_cast<std::int64_t>(bytes));
  if (impl->module != nullptr) [[unlikely]]
    remove_module_bytes(impl->module, static_cast<std::int64_t>(bytes));
  if (const Attachment* attachment = impl->attachment.load(std::memory_order_acquire); attachment != nullptr) [[unlikely]]
    delete attachment;
  const bool separate = impl->separate;
  std::byte* data = impl->data;
  impl->~TensorImpl();
  if (separate) pool_release(data, bytes);
  pool_release(impl, separate ? sizeof(TensorImpl) : header_bytes + bytes);
}

}  // namespace detail

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  std::size_t bytes = 0;
  check<ShapeError>(!__builtin_mul_overflow(static_cast<std::size_t>(shape.numel()), size_of(dtype), &bytes), "Tensor::empty",
                    "{} of {} is too large", shape, name_of(dtype));
  const bool inside = bytes <= inline_bytes;
  void* block = detail::pool_allocate(inside ? header_bytes + bytes : sizeof(TensorImpl));
  std::byte* data = static_cast<std::byte*>(block) + header_bytes;
  if (!inside) {
    try {
      data = static_cast<std::byte*>(detail::pool_allocate(bytes));
    } catch (...) {
      detail::pool_release(block, sizeof(TensorImpl));
      throw;
    }
  }
  auto* impl = ::new (block) TensorImpl;
  impl->dtype = dtype;
  impl->category = detail::current_category();
  impl->data = data;
  impl->separate = !inside;
  impl->shape = shape;
  shape.dense_strides(impl->strides);
  detail::count_bytes(impl->category, static_cast<std::int64_t>(bytes));
  Tensor result(impl);
  if (detail::tracking_modules) [[unlikely]] {
    detail::add_module_bytes(current_scope(), static_cast<std::int64_t>(bytes));
    impl->module = current_scope();
  }
  return result;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor result = empty(shape, dtype);
  std::memset(result.impl_->data, 0, static_cast<std::size_t>(shape.numel()) * size_of(dtype));
  return result;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor result = empty(shape, dtype);
  result.fill(value);
  return result;
}

template <class T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape) {
  check<ShapeError>(static_cast<std::int64_t>(values.size()) == shape.numel(), "Tensor::from", "{} values don't fill shape {}",
                    values.size(), shape);
  Tensor result = empty(shape, dtype_of<T>::value);
  if (!values.empty()) std::memcpy(result.impl_->data, values.data(), values.size_bytes());
  return result;
}

template Tensor Tensor::from(std::span<const float>, const Shape&);
template Tensor Tensor::from(std::span<const double>, const Shape&);
template Tensor Tensor::from(std::span<const std::int32_t>, const Shape&);
template Tensor Tensor::from(std::span<const std::int64_t>, const Shape&);
template Tensor Tensor::from(std::span<const bool>, const Shape&);

double Tensor::item() const {
  check<ShapeError>(numel() == 1, "Tensor::item",
                    "a tensor of shape {} has {} elements, not one: reduce it (sum, mean), or read one with at({{...}})",
                    shape(), numel());
  return element_as_double(impl_->dtype, impl_->data);
}

double Tensor::at(std::initializer_list<std::int64_t> index) const {
  check<IndexError>(static_cast<int>(index.size()) == rank(), "Tensor::at", "{} indices for shape {}", index.size(), shape());
  std::int64_t offset = 0;
  int axis = 0;
  for (const std::int64_t i : index) {
    check<IndexError>(i >= 0 && i < shape()[axis], "Tensor::at", "index {} is out of range for axis {} of shape {}", i, axis,
                      shape());
    offset += i * impl_->strides[weft::at(axis++)];
  }
  return element_as_double(impl_->dtype, impl_->data + offset * static_cast<std::ptrdiff_t>(size_of(impl_->dtype)));
}

Tensor Tensor::view(const Shape& shape, const Strides& strides, std::int64_t offset) const {
  TensorImpl* owner = root();
  auto* impl = ::new (detail::pool_allocate(sizeof(TensorImpl))) TensorImpl;
  impl->dtype = impl_->dtype;
  impl->category = impl_->category;
  impl->owner = owner;
  impl->owner->references.add();
  impl->data = impl_->data + offset * static_cast<std::ptrdiff_t>(size_of(impl_->dtype));
  impl->shape = shape;
  impl->strides = strides;
  impl->dense = dense(shape, strides);
  return Tensor(impl);
}

Tensor Tensor::slice(int axis, std::int64_t start, std::int64_t stop) const {
  axis = shape().axis(axis, "slice");
  check<IndexError>(start >= 0 && start <= stop && stop <= shape()[axis], "slice",
                    "range {} to {} doesn't fit axis {} of shape {}", start, stop, axis, shape());
  return view(shape().with(axis, stop - start), impl_->strides, start * impl_->strides[weft::at(axis)]);
}

Tensor Tensor::select(int axis, std::int64_t index) const {
  axis = shape().axis(axis, "select");
  check<IndexError>(index >= 0 && index < shape()[axis], "select", "index {} is out of range for axis {} of shape {}", index,
                    axis, shape());
  Strides strides{};
  for (int i = 0, j = 0; i < rank(); ++i)
    if (i != axis) strides[weft::at(j++)] = impl_->strides[weft::at(i)];
  return view(shape().without(axis), strides, index * impl_->strides[weft::at(axis)]);
}

Tensor Tensor::permute(std::span<const int> axes) const {
  check<ShapeError>(static_cast<int>(axes.size()) == rank(), "permute", "{} axes for shape {}; each axis is named once",
                    axes.size(), shape());
  std::array<std::int64_t, max_rank> sizes{};
  Strides strides{};
  unsigned seen = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = shape().axis(axes[i], "permute");
    check<IndexError>((seen & 1u << axis) == 0, "permute", "axis {} stands twice for shape {}", axis, shape());
    seen |= 1u << axis;
    sizes[i] = shape()[axis];
    strides[i] = impl_->strides[weft::at(axis)];
  }
  return view(Shape(std::span<const std::int64_t>(sizes.data(), axes.size())), strides, 0);
}

Tensor Tensor::transpose(int a, int b) const {
  a = shape().axis(a, "transpose");
  b = shape().axis(b, "transpose");
  Strides strides = impl_->strides;
  std::swap(strides[weft::at(a)], strides[weft::at(b)]);
  return view(shape().swapped(a, b), strides, 0);
}

Tensor Tensor::unsqueeze(int axis) const {
  check<IndexError>(axis >= -rank() - 1 && axis <= rank(), "unsqueeze", "axis {} is out of range for inserting into {}", axis,
                    shape());
  check<ShapeError>(rank() < max_rank, "unsqueeze", "{} already has the {} dimensions a tensor may have", shape(), max_rank);
  const Shape result = shape().with_inserted(axis, 1);
  const int place = axis < 0 ? axis + result.rank() : axis;
  Strides strides{};
  for (int i = 0, j = 0; i < result.rank(); ++i) strides[weft::at(i)] = i == place ? 1 : impl_->strides[weft::at(j++)];
  return view(result, strides, 0);
}

Tensor Tensor::squeeze(int axis) const {
  axis = shape().axis(axis, "squeeze");
  check<ShapeError>(shape()[axis] == 1, "squeeze", "axis {} of shape {} has size {}, not 1", axis, shape(), shape()[axis]);
  return select(axis, 0);
}

Tensor Tensor::expand(const Shape& target) const {
  check<ShapeError>(target.rank() >= rank(), "expand", "shape {} can't expand to {} of lower rank", shape(), target);
  const int lead = target.rank() - rank();
  Strides strides{};
  for (int i = 0; i < rank(); ++i) {
    const std::int64_t from = shape()[i], to = target[lead + i];
    check<ShapeError>(from == to || from == 1, "expand", "shape {} doesn't expand to {}: {} against {} at axis {}", shape(),
                      target, from, to, lead + i);
    strides[weft::at(lead + i)] = from == to ? impl_->strides[weft::at(i)] : 0;
  }
  return view(target, strides, 0);
}

Tensor Tensor::flip(int axis) const {
  axis = shape().axis(axis, "flip");
  Strides strides = impl_->strides;
  const std::int64_t last = shape()[axis] == 0 ? 0 : (shape()[axis] - 1) * strides[weft::at(axis)];
  strides[weft::at(axis)] = -strides[weft::at(axis)];
  return view(shape(), strides, last);
}

Tensor Tensor::reshape(std::span<const std::int64_t> sizes) const {
  std::array<std::int64_t, max_rank> wanted{};
  check<ShapeError>(sizes.size() <= max_rank, "reshape", "{} dimensions; at most {} are supported", sizes.size(), max_rank);
  std::int64_t known = 1;
  int open = -1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    wanted[i] = sizes[i];
    if (sizes[i] == -1) {
      check<ShapeError>(open < 0, "reshape", "only one size may be -1 for shape {}", shape());
      open = static_cast<int>(i);
    } else {
      check<ShapeError>(sizes[i] >= 0 && !__builtin_mul_overflow(known, sizes[i], &known), "reshape",
                        "size {} is not possible for shape {}", sizes[i], shape());
    }
  }
  if (open >= 0 && known > 0) wanted[weft::at(open)] = numel() / known;
  if (open >= 0 && known == 0) wanted[weft::at(open)] = 0;
  const Shape target{std::span<const std::int64_t>(wanted.data(), sizes.size())};
  if (target.numel() != numel()) [[unlikely]]
    fail<ShapeError>("reshape", "shape {} ({} elements) can't become [{}]: {}", shape(), numel(), fmt::join(sizes, ", "),
                     open >= 0 ? fmt::format("no size for -1 makes {} elements of {}", numel(), known)
                               : fmt::format("that has {}; one size may be -1, to be found", known));
  if (target == shape()) return *this;
  if (is_contiguous()) return view(target, target.dense_strides(), 0);
  if (const auto strides = strides_of_reshape(shape(), impl_->strides, target)) return view(target, *strides, 0);
  return clone().reshape(target);
}

Tensor Tensor::contiguous() const { return is_contiguous() ? *this : clone(); }

Tensor Tensor::clone() const {
  Tensor result = empty(shape(), dtype());
  copy_elements(*this, result);
  return result;
}

Tensor Tensor::to(DType type) const {
  if (type == dtype()) return *this;
  Tensor result = empty(shape(), type);
  copy_elements(*this, result);
  return result;
}

void Tensor::copy_from(const Tensor& source) {
  for (int i = 0; i < rank(); ++i)
    check<ShapeError>(shape()[i] <= 1 || impl_->strides[weft::at(i)] != 0, "copy_from",
                      "axis {} of the target {} is expanded: its elements are one", i, *this);
  if (source.same_buffer(*this) && !source.is_same(*this)) return copy_from(source.clone());  // they may overlap
  if (source.shape() == shape()) return copy_elements(source, *this);
  copy_elements(source.expand(shape()), *this);
}

void Tensor::fill(double value) { copy_from(scalar_tensor(value, dtype())); }

Tensor scalar_tensor(double value, DType dtype) {
  Tensor result = Tensor::empty({}, dtype);
  store_double(dtype, result.mutable_raw(), value);
  return result;
}

void Tensor::set_category(MemoryCategory category) {
  TensorImpl* owner = root();
  const auto bytes = owner->shape.numel() * static_cast<std::int64_t>(size_of(owner->dtype));
  detail::count_bytes(owner->category, -bytes);
  detail::count_bytes(category, bytes);
  owner->category = category;
}

void Tensor::wrong_dtype(DType asked) const {
  fail<DTypeError>("Tensor::data", "asked for {} elements of {}", name_of(asked), describe());
}

void Tensor::undefined() {
  fail<ValueError>("Tensor",
                   "an undefined tensor was used (made by default, or moved from): it has no shape, dtype or elements");
}

std::string Tensor::describe() const { return defined() ? name_of(dtype()) + shape().str() : "undefined"; }

std::string Tensor::str() const {
  if (!defined()) return "undefined";
  if (rank() == 0) return fmt::format("{:.6g}", item());
  constexpr std::int64_t shown = 6;
  std::string text = "[";
  for (std::int64_t i = 0; i < shape()[0]; ++i) {
    if (i != 0) text += rank() > 1 ? ",\n " : ", ";
    if (i == shown / 2 && shape()[0] > shown) {
      text += "...";
      i = shape()[0] - shown / 2 - 1;
      continue;
    }
    text += select(0, i).str();
  }
  return text + "]";
}

}  // namespace weft
