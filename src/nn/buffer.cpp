#include "weft/nn/buffer.hpp"

#include "nn/owner.hpp"

namespace weft::nn {

Buffer::Buffer(ModuleBase* owner, std::string name, const Shape& shape, double value, DType dtype)
    : tensor_(std::make_shared<Tensor>()) {
  check_owner("Buffer", owner, name);
  const MemoryCategoryGuard category(MemoryCategory::parameters);
  *tensor_ = Tensor::full(shape, value, dtype);
  owner->add(std::move(name), tensor_);
}

}  // namespace weft::nn
