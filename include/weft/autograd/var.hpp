#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "weft/tensor/tensor.hpp"

namespace weft {

namespace detail {
struct Slot;
}

/// A tensor plus its place on a tape. Made from a Tensor implicitly (a constant), by Tape::leaf, or by an operation.
/// It may outlive its tape: the value stays, `detach` makes a constant of it, recording with it is an error.
class Var {
 public:
  Var() = default;                                          ///< undefined
  Var(Tensor value) noexcept : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): a constant
  /// A scalar constant.
  static Var scalar(double value, DType dtype = f32);

  bool defined() const { return value_.defined(); }
  const Tensor& value() const& { return value_; }
  Tensor value() && { return std::move(value_); }
  const Shape& shape() const { return value_.shape(); }
  int rank() const { return value_.rank(); }
  std::int64_t size(int axis) const { return value_.size(axis); }
  std::int64_t numel() const { return value_.numel(); }
  DType dtype() const { return value_.dtype(); }
  /// "f32[2, 3]"
  std::string describe() const { return value_.describe(); }
  /// The only element, as a double.
  double item() const { return value_.item(); }
  /// Whether a backward pass can reach it.
  bool requires_grad() const { return slot_ != nullptr; }
  /// The value without its place on a tape.
  Var detach() const { return Var(value_); }

  // For the engine.
  Var(Tensor value, detail::Slot* slot, std::uint64_t tape) noexcept : value_(std::move(value)), slot_(slot), tape_(tape) {}
  detail::Slot* slot() const { return slot_; }
  std::uint64_t tape() const { return tape_; }

 private:
  Tensor value_;
  detail::Slot* slot_ = nullptr;
  std::uint64_t tape_ = 0;
};

}  // namespace weft
