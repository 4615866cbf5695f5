#include "weft/optim/adafactor.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise.hpp"
#include "kernels/factored.hpp"
#include "kernels/optimizer.hpp"
#include "optim/check_options.hpp"

namespace weft::optim {
namespace {

double root_mean_square(const Tensor& x) { return std::sqrt(kernels::sum_of_squares(x) / static_cast<double>(x.numel())); }

}  // namespace

Adafactor::Adafactor(std::span<Parameter* const> parameters, const AdafactorOptions& options)
    : Adafactor(one_group(parameters), options) {}

Adafactor::Adafactor(const std::vector<Group>& groups, const AdafactorOptions& options)
    : Optimizer("Adafactor", groups, options.lr, options.weight_decay,
                [](const Parameter& parameter) -> std::vector<Buffer> {
                  const Shape& shape = parameter.shape();
                  const DType dtype = parameter.dtype();
                  if (shape.rank() < 2) return {{"exp_avg_sq", Tensor::zeros(shape, dtype)}};
                  return {{"exp_avg_sq_row", Tensor::zeros(shape.without(-1), dtype)},
                          {"exp_avg_sq_col", Tensor::zeros(shape.without(-2), dtype)}};
                }),
      options_(options) {
  check<ValueError>(std::isfinite(options.beta2_decay) && options.beta2_decay <= 0, "Adafactor",
                    "beta2_decay is {}, not at most 0", options.beta2_decay);
  for (const double eps : options.eps) check_at_least_0("Adafactor", "eps", eps);
  check<ValueError>(options.d > 0, "Adafactor", "d is {}, not above 0", options.d);
  std::int64_t most_columns = 0;
  for (const Group& group : groups)
    for (const Parameter* parameter : group.parameters)
      if (parameter->shape().rank() >= 2) most_columns = std::max(most_columns, parameter->shape().size(-1));
  room_ = Tensor::empty({most_columns}, f64);
}

void Adafactor::update(Slot& slot, double lr, std::int64_t step) {
  Tensor& value = slot.parameter->mutable_value();
  if (value.numel() == 0) return;
  Tensor& grad = slot.parameter->mutable_grad();
  const auto t = static_cast<double>(step);
  const kernels::SquaresStep squares = {.beta2 = 1 - std::pow(t, options_.beta2_decay), .floor = options_.eps[0]};
  if (slot.buffers.size() == 1)
    kernels::direction(grad, slot.buffers[0].tensor, squares);
  else
    kernels::factored_direction(grad, slot.buffers[0].tensor, slot.buffers[1].tensor, room_, squares);
  const double size = std::max(options_.eps[1], root_mean_square(value)) * std::min(lr, 1 / std::sqrt(t));
  const double rate = size / std::max(1.0, root_mean_square(grad) / options_.d);
  if (slot.weight_decay != 0) kernels::scale_into(value, 1 - lr * slot.weight_decay);
  Tensor none;
  kernels::sgd(value, grad, none, {.lr = rate});
}

}  // namespace weft::optim
