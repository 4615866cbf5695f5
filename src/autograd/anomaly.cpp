#include "weft/autograd/anomaly.hpp"

#include <vector>

#include "autograd/tape_state.hpp"
#include "base/fail.hpp"
#include "kernels/finite.hpp"

namespace weft {
namespace {

std::string place_of(const Tensor& value, std::int64_t flat) {
  const Shape& shape = value.shape();
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()));
  Tensor element = value;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    index[static_cast<std::size_t>(i)] = flat % shape[i];
    flat /= shape[i];
  }
  for (const std::int64_t i : index) element = element.select(0, i);
  return fmt::format("{} at [{}]", element.item(), fmt::join(index, ", "));
}

std::string describe(const Var& var) { return var.defined() ? var.describe() : "undefined"; }
std::string describe(const detail::Slot& slot) { return fmt::format("{}{}", name_of(slot.dtype), slot.shape()); }

kernels::NonFinite non_finite(const Var& var) {
  return var.defined() ? kernels::non_finite(var.value()) : kernels::NonFinite{};
}

// "output 1" where there are several.
std::string numbered(const char* what, std::size_t i, std::size_t count) {
  return count == 1 ? what : fmt::format("{} {}", what, i);
}

}  // namespace

DetectAnomaly::DetectAnomaly() : previous_(std::exchange(detail::anomaly_values, true)) { ++detail::anomaly_guards; }
DetectAnomaly::~DetectAnomaly() {
  --detail::anomaly_guards;
  detail::anomaly_values = previous_;
}

namespace detail {

constinit thread_local int anomaly_guards = 0;
constinit thread_local bool anomaly_values = false;

void check_values(const char* op, std::span<const Var* const> inputs, std::span<const Var> outputs) {
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const auto found = non_finite(outputs[o]);
    if (found.count == 0) continue;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto before = non_finite(*inputs[i]);
      if (before.count == 0) continue;
      fail<NumericError>(op,
                         "forward was given {} non-finite of {} elements in input {} ({}), the first {}; no operation made "
                         "them while DetectAnomaly was alive",
                         before.count, inputs[i]->numel(), i, *inputs[i], place_of(inputs[i]->value(), before.first));
    }
    std::vector<std::string> shapes;
    for (const Var* input : inputs) shapes.push_back(describe(*input));
    fail<NumericError>(op, "forward made {} of {} elements of its {} non-finite: the first is {} (inputs {}; output {})",
                       found.count, outputs[o].numel(), numbered("output", o, outputs.size()),
                       place_of(outputs[o].value(), found.first), fmt::join(shapes, ", "), outputs[o]);
  }
}

void check_gradients(const TapeState& tape, const Node& node) {
  for (std::size_t i = 0; i < node.input_count; ++i) {
    if (!tape.reaches(node.inputs[i])) continue;
    const Var& gradient = node.inputs[i]->grad;
    const auto found = non_finite(gradient);
    if (found.count == 0) continue;
    std::vector<std::string> outputs;
    for (int o = 0; o < node.output_count; ++o) outputs.push_back(describe(node.outputs[o]));
    fail<NumericError>(node.op,
                       "backward made {} of {} elements of the gradient of input {} non-finite: the first is {} (input {}; "
                       "outputs {})",
                       found.count, gradient.numel(), i, place_of(gradient.value(), found.first), describe(*node.inputs[i]),
                       fmt::join(outputs, ", "));
  }
}

void check_given_gradient(const char* op, const Var& gradient) {
  const auto found = non_finite(gradient);
  if (found.count == 0) return;
  fail<NumericError>(op, "the gradient {} that was given has {} non-finite of {} elements, the first {}", gradient, found.count,
                     gradient.numel(), place_of(gradient.value(), found.first));
}

}  // namespace detail
}  // namespace weft
