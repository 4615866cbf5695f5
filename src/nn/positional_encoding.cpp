#include "weft/nn/positional_encoding.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

void check_input(const char* op, const Var& x, std::int64_t first) {
  check<ShapeError>(x.rank() == 3, op, "input {} is not [batch, places, width]", x.value());
  check<ValueError>(first >= 0, op, "the first place is {}; it can't be negative", first);
}

}  // namespace

Tensor sinusoids(std::int64_t first, std::int64_t places, std::int64_t width, DType dtype) {
  check<ValueError>(width > 0 && width % 2 == 0, "sinusoids", "the width is {}; it must be positive and even", width);
  check<ValueError>(first >= 0 && places >= 0, "sinusoids", "{} places from place {}; neither can be negative", places, first);
  Tensor table = Tensor::empty({places, width}, f64);
  auto* element = table.mutable_data<double>();
  for (std::int64_t place = first; place < first + places; ++place)
    for (std::int64_t i = 0; i < width; i += 2) {
      const double angle = static_cast<double>(place) * std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(width));
      *element++ = std::sin(angle);
      *element++ = std::cos(angle);
    }
  return table.to(dtype);
}

Var SinusoidalPositions::forward(const Var& x, std::int64_t first) {
  check_input("SinusoidalPositions", x, first);
  const std::int64_t end = first + x.size(1), width = x.size(2);
  const bool fits = table_.defined() && table_.size(0) >= end && table_.size(1) == width && table_.dtype() == x.dtype();
  // At least doubled, so that a decoder that goes on step by step makes few.
  if (!fits) table_ = sinusoids(0, std::max(end, table_.defined() ? 2 * table_.size(0) : end), width, x.dtype());
  return x + table_.slice(0, first, end);
}

LearnedPositions::LearnedPositions(const LearnedPositionsOptions& options, const Scope& scope) : Module(scope) {
  check<ValueError>(options.max_length > 0 && options.embedding_dim > 0, "LearnedPositions",
                    "max_length is {} and embedding_dim {}; both must be positive", options.max_length, options.embedding_dim);
  weight = Weight(this, "weight", Shape{options.max_length, options.embedding_dim}, options.weight_init);
}

Var LearnedPositions::forward(const Var& x, std::int64_t first) {
  check_input("LearnedPositions", x, first);
  const std::int64_t end = first + x.size(1);
  check<ShapeError>(end <= weight->shape()[0] && x.size(2) == weight->shape()[1], "LearnedPositions",
                    "input {} from place {} on doesn't fit positions {}", x.value(), first, weight->value());
  return x + slice(weight, 0, first, end);
}

}  // namespace weft::nn
