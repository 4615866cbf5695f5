#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

#include "weft/base/dtype.hpp"
#include "weft/base/shape.hpp"
#include "weft/tensor/memory.hpp"
#include "weft/tensor/reference_count.hpp"

namespace weft {

class Generator;

namespace detail {

/// What a kernel keeps with a buffer, computed from its values: a packed copy. Goes with it.
struct Attachment {
  Attachment() = default;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  virtual ~Attachment() = default;
};

/// What a Tensor points at. Made and freed in tensor.cpp alone.
struct TensorImpl {
  ReferenceCount references;
  std::uint32_t version = 0;  ///< of an owner's data: counts the changes made through mutable_data()
  DType dtype = DType::f32;
  MemoryCategory category = MemoryCategory::activations;
  bool dense = true;                             ///< row-major without gaps
  bool separate = false;                         ///< an owner's data have a block of their own instead of following this header
  TensorImpl* owner = nullptr;                   ///< whose buffer a view looks at; null for an owner
  std::byte* data = nullptr;                     ///< first element
  std::atomic<Attachment*> attachment{nullptr};  ///< of an owner
  const char* module = nullptr;                  ///< that it is counted for; null where it isn't
  Shape shape;
  Strides strides{};
};

void destroy(TensorImpl* impl) noexcept;

}  // namespace detail

/// An n-dimensional array: a handle (one pointer) on shape, strides, dtype and a shared buffer aligned to 64 bytes.
/// Copies share; views (slice, transpose, expand, ...) share the data and cost no copy; what an operation makes is dense.
class Tensor {
 public:
  Tensor() = default;  ///< undefined: holds nothing
  Tensor(const Tensor& other) noexcept : impl_(other.impl_) {
    if (impl_ != nullptr) impl_->references.add();
  }
  Tensor(Tensor&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
  Tensor& operator=(const Tensor& other) noexcept {
    Tensor copy(other);
    std::swap(impl_, copy.impl_);
    return *this;
  }
  Tensor& operator=(Tensor&& other) noexcept {
    std::swap(impl_, other.impl_);
    return *this;
  }
  ~Tensor() { release(); }

  /// Makers. `empty` leaves the elements undefined.
  static Tensor empty(const Shape& shape, DType dtype = f32);
  static Tensor zeros(const Shape& shape, DType dtype = f32);
  static Tensor ones(const Shape& shape, DType dtype = f32) { return full(shape, 1, dtype); }
  static Tensor full(const Shape& shape, double value, DType dtype = f32);
  /// Uniform in [0, 1), and normal with mean 0 and deviation 1. Takes one position of the generator; an element is a function
  /// of (seed, position, place in row-major order), of f32 the f64 one with fewer digits. Throws DTypeError unless f32 or f64.
  static Tensor rand(const Shape& shape, Generator& generator, DType dtype = f32);
  static Tensor randn(const Shape& shape, Generator& generator, DType dtype = f32);
  /// A copy of `values` in row-major order. Throws ShapeError where the counts differ.
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape);
  template <class T>
  static Tensor from(std::initializer_list<T> values, const Shape& shape) {
    return from(std::span<const T>(values.begin(), values.size()), shape);
  }

  bool defined() const { return impl_ != nullptr; }
  // Everything below throws ValueError where the tensor is undefined.
  const Shape& shape() const { return impl().shape; }
  int rank() const { return impl().shape.rank(); }
  std::int64_t numel() const { return impl().shape.numel(); }
  std::int64_t size(int axis) const { return impl().shape.size(axis); }
  DType dtype() const { return impl().dtype; }
  const Strides& strides() const { return impl().strides; }
  std::int64_t stride(int axis) const { return impl().strides[static_cast<std::size_t>(impl().shape.axis(axis, "stride"))]; }
  /// Whether the elements stand in row-major order without gaps.
  bool is_contiguous() const { return impl().dense; }

  /// The elements, as `strides` place them. Throws DTypeError where T isn't the element type. Valid while a handle lives.
  template <class T>
  const T* data() const& {
    require(dtype_of<T>::value);
    return reinterpret_cast<const T*>(impl_->data);
  }
  template <class T>
  const T* data() const&& = delete;
  /// For writing; every handle and view sees the change, and a tape that saved the value refuses to use it in backward. Ask
  /// anew for each round of writing: what was computed from the values before may be kept until then.
  template <class T>
  T* mutable_data() & {
    require(dtype_of<T>::value);
    ++root()->version;
    return reinterpret_cast<T*>(impl_->data);
  }
  template <class T>
  T* mutable_data() && = delete;

  /// The only element, as a double. Throws ShapeError for any other count.
  double item() const;
  /// Element at `index` (one number a dimension, checked), as a double.
  double at(std::initializer_list<std::int64_t> index) const;

  /// Views.
  Tensor slice(int axis, std::int64_t start, std::int64_t stop) const;  ///< elements start..stop-1, 0 <= start <= stop <= size
  Tensor select(int axis, std::int64_t index) const;                    ///< one element; the axis goes
  Tensor transpose(int a, int b) const;
  Tensor permute(std::initializer_list<int> axes) const { return permute(std::span(axes.begin(), axes.size())); }
  Tensor permute(std::span<const int> axes) const;
  Tensor unsqueeze(int axis) const;
  Tensor squeeze(int axis) const;           ///< the axis must have size 1
  Tensor expand(const Shape& shape) const;  ///< sizes of 1 stretch, leading dimensions are added
  Tensor flip(int axis) const;              ///< a view with a negative stride
  /// The same elements in another shape, one size may be -1: a view where strides allow it, otherwise a dense copy.
  Tensor reshape(std::initializer_list<std::int64_t> sizes) const { return reshape(std::span(sizes.begin(), sizes.size())); }
  Tensor reshape(std::span<const std::int64_t> sizes) const;
  Tensor reshape(const Shape& shape) const {
    return shape == this->shape() ? *this : reshape(std::span(shape.begin(), shape.end()));
  }

  Tensor contiguous() const;     ///< itself where dense, otherwise a dense copy
  Tensor clone() const;          ///< a dense copy
  Tensor to(DType dtype) const;  ///< itself where it has that dtype, otherwise a converted dense copy
  /// Overwrites the elements with `source`'s, which broadcasts and converts. Throws ShapeError.
  void copy_from(const Tensor& source);
  void fill(double value);

  /// "f32[2, 3]"
  std::string describe() const;
  /// Values for a person to read; long tensors are shortened.
  std::string str() const;

  // For the engine.
  /// A dense tensor of the same shape over the same dtype with undefined elements.
  Tensor empty_like() const { return empty(shape(), dtype()); }
  const std::byte* raw() const { return impl().data; }
  std::byte* mutable_raw() {
    ++root()->version;
    return impl_->data;
  }
  std::uint32_t version() const { return root()->version; }
  /// True when no other handle or view can see this tensor's buffer.
  bool is_unique() const { return impl().owner == nullptr && impl_->references.is_one(); }
  /// What is kept with the buffer; its version says whether it still holds.
  std::atomic<detail::Attachment*>& attachment() const { return root()->attachment; }
  bool same_buffer(const Tensor& other) const { return root() == other.root(); }
  bool is_same(const Tensor& other) const { return impl_ == other.impl_; }
  void set_category(MemoryCategory category);
  /// A view with the given geometry, in elements from this one's first. For kernels and views; nothing is checked.
  Tensor view(const Shape& shape, const Strides& strides, std::int64_t offset) const;

 private:
  explicit Tensor(detail::TensorImpl* impl) : impl_(impl) {}
  void require(DType type) const {
    if (impl().dtype != type) [[unlikely]]
      wrong_dtype(type);
  }
  [[noreturn]] void wrong_dtype(DType asked) const;
  [[noreturn]] static void undefined();
  detail::TensorImpl& impl() const {
    if (impl_ == nullptr) [[unlikely]]
      undefined();
    return *impl_;
  }
  detail::TensorImpl* root() const { return impl().owner != nullptr ? impl_->owner : impl_; }
  void release() noexcept {
    if (impl_ != nullptr && impl_->references.drop()) detail::destroy(impl_);
  }

  detail::TensorImpl* impl_ = nullptr;
};

}  // namespace weft
