#include "weft/nn/buffer.hpp"

namespace weft::nn {

Buffer::Buffer(ModuleBase* owner, std::string name, const Shape& shape, double value, DType dtype)
    : tensor_(std::make_shared<Tensor>(Tensor::full(shape, value, dtype))) {
  tensor_->set_category(MemoryCategory::parameters);
  owner->add(std::move(name), tensor_);
}

}  // namespace weft::nn
