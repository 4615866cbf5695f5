#include "weft/autograd/parameter.hpp"

#include "autograd/tape_state.hpp"
#include "base/fail.hpp"
#include "kernels/elementwise.hpp"

namespace weft {

Parameter::Parameter(std::string name, Tensor value) : name_(std::move(name)), value_(std::move(value)) {
  check<DTypeError>(is_floating(value_.dtype()), "Parameter", "'{}' is {}; f32 and f64 can be learned", name_, value_);
  value_.set_category(MemoryCategory::parameters);
}

Parameter::~Parameter() { detail::forget(*this); }

Parameter::operator Var() {
  if (Tape* tape = Tape::recording()) return Var(value_, tape->state().leaf_of(*this), tape->state().id);
  return Var(value_);
}

void Parameter::to(DType dtype) {
  check<DTypeError>(is_floating(dtype), "Parameter::to", "'{}' can't become {}; f32 and f64 can be learned", name_,
                    name_of(dtype));
  if (dtype == value_.dtype()) return;
  const MemoryCategoryGuard category(MemoryCategory::parameters);
  value_ = value_.to(dtype);
  grad_ = Tensor();
}

void Parameter::check_gradient(const Tensor& gradient) const {
  check<DTypeError>(gradient.dtype() == dtype(), "Parameter::add_grad", "a gradient {} for '{}' {}", gradient, name_, value_);
  check<ShapeError>(gradient.shape() == shape(), "Parameter::add_grad", "a gradient {} for '{}' {}", gradient, name_, value_);
}

void Parameter::add_grad(Tensor gradient) {
  check_gradient(gradient);
  if (grad_.defined()) return kernels::add_into(grad_, gradient);
  grad_ = gradient.is_unique() && gradient.is_contiguous() ? std::move(gradient) : gradient.clone();
  grad_.set_category(MemoryCategory::gradients);
}

}  // namespace weft
