#include "weft/nn/buffer.hpp"

#include "base/fail.hpp"

namespace weft::nn {

Buffer::Buffer(ModuleBase* owner, std::string name, const Shape& shape, double value, DType dtype)
    : tensor_(std::make_shared<Tensor>()) {
  check<ValueError>(owner != nullptr, "Buffer", "'{}' has no owner; construct it with {{this, \"{}\", ...}}", name, name);
  const MemoryCategoryGuard category(MemoryCategory::parameters);
  *tensor_ = Tensor::full(shape, value, dtype);
  owner->add(std::move(name), tensor_);
}

}  // namespace weft::nn
