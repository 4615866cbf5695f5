#pragma once
#include <memory>
#include <string>

#include "weft/autograd/var.hpp"

namespace weft {

/// A named tensor that is learned, with its gradient. Modules own it; optimizers change it.
class Parameter {
 public:
  Parameter() = default;
  Parameter(std::string name, Tensor value);
  /// A tape that used it forgets it: nothing is left to add gradients to.
  ~Parameter();
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const std::string& name() const { return name_; }
  const Shape& shape() const { return value_.shape(); }
  std::int64_t numel() const { return value_.numel(); }
  DType dtype() const { return value_.dtype(); }

  /// The value that is learned.
  const Tensor& value() const { return value_; }
  /// To change elements in place (initialisers, optimizers).
  Tensor& mutable_value() { return value_; }
  /// Another dtype for the value; the gradient goes.
  void to(DType dtype);

  /// What backward passes have added since the gradient was last used up; undefined where there is none.
  const Tensor& grad() const { return grad_; }
  Tensor& mutable_grad() { return grad_; }
  /// Throws ShapeError or DTypeError where `gradient` isn't one of this parameter.
  void check_gradient(const Tensor& gradient) const;
  /// Adds `gradient`, taking it over where it is the first. Throws as check_gradient.
  void add_grad(Tensor gradient);
  /// Uses the gradient up: the next backward starts anew.
  void clear_grad() { grad_ = Tensor(); }

  /// A constant, or under a recording tape a leaf whose gradient a backward pass adds to `grad`.
  operator Var();  // NOLINT(google-explicit-constructor): a parameter stands where a Var does
  Var var() { return *this; }

  /// Expires with it, for those that keep a pointer to it.
  std::weak_ptr<const void> lifetime() const { return lifetime_; }

 private:
  std::string name_;
  Tensor value_;
  Tensor grad_;
  std::shared_ptr<const void> lifetime_ = std::make_shared<char>();
};

}  // namespace weft
