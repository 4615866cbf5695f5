#include "models/models.hpp"

#include <vector>

#include "weft/base/threads.hpp"
#include "work/values.hpp"

namespace bench {
namespace {

// Calls value(place) for every element in row-major order.
template <class Value>
void fill(weft::Tensor& target, const Value& value) {
  const std::int64_t count = target.numel();
  if (target.dtype() == weft::f64) {
    auto* elements = target.mutable_data<double>();
    for (std::int64_t i = 0; i < count; ++i) elements[i] = value(i);
  } else {
    auto* elements = target.mutable_data<float>();
    for (std::int64_t i = 0; i < count; ++i) elements[i] = static_cast<float>(value(i));
  }
}

}  // namespace

void prepare(const Settings&) { weft::set_flush_denormals(true); }

weft::Tensor data(std::string_view name, const weft::Shape& shape, weft::DType dtype, double scale) {
  weft::Tensor result = weft::Tensor::empty(shape, dtype);
  fill(result, [&](std::int64_t i) { return scale * value_of(name, i); });
  return result;
}

weft::Tensor tokens(const weft::Shape& shape, std::int64_t vocabulary, std::int64_t seed) {
  weft::Tensor result = weft::Tensor::empty(shape, weft::i32);
  auto* elements = result.mutable_data<std::int32_t>();
  for (std::int64_t i = 0; i < result.numel(); ++i) elements[i] = static_cast<std::int32_t>(token_of(i, vocabulary, seed));
  return result;
}

void fill_parameters(weft::nn::ModuleBase& model, const Settings& settings) {
  model.to(dtype_of(settings));
  for (const auto& [name, parameter] : model.named_parameters()) {
    const std::vector<std::int64_t> sizes(parameter->shape().begin(), parameter->shape().end());
    fill(parameter->mutable_value(), [&, &name = name](std::int64_t i) { return first_value(name, sizes, i); });
  }
}

}  // namespace bench
