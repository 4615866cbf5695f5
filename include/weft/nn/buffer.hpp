#pragma once
#include <memory>
#include <string>

#include "weft/nn/module.hpp"

namespace weft::nn {

/// A module's handle on a tensor that isn't learned but belongs to its state: running statistics. It is saved and restored with
/// the parameters, and follows Module::to where it is floating.
class Buffer {
 public:
  Buffer() = default;  ///< none
  /// Makes the buffer `name` of `owner`, every element `value`.
  Buffer(ModuleBase* owner, std::string name, const Shape& shape, double value, DType dtype = f32);
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer&&) noexcept = default;

  bool defined() const { return tensor_ != nullptr; }
  /// Undefined where there is none.
  Tensor value() const { return tensor_ != nullptr ? *tensor_ : Tensor(); }

 private:
  std::shared_ptr<Tensor> tensor_;
};

}  // namespace weft::nn
