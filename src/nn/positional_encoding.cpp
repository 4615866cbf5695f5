#include "weft/nn/positional_encoding.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/fail.hpp"
#include "nn/places.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

std::int64_t end_of(const char* op, const Var& x, std::int64_t first) {
  check<ValueError>(x.defined(), op, "the input isn't given");
  check<ShapeError>(x.rank() == 3, op, "input {} is not [batch, places, width]", x.value());
  return checked_end(op, first, x.size(1));
}

}  // namespace

std::int64_t checked_end(const char* op, std::int64_t first, std::int64_t places) {
  check<ValueError>(first >= 0 && places >= 0, op, "{} places from place {}; neither can be negative", places, first);
  std::int64_t end = 0;
  check<ValueError>(!__builtin_add_overflow(first, places, &end), op,
                    "{} places from place {} end beyond the largest number of 64 bits", places, first);
  return end;
}

Tensor sinusoids(std::int64_t first, std::int64_t places, std::int64_t width, DType dtype, double base) {
  check<ValueError>(width > 0 && width % 2 == 0, "sinusoids", "the width is {}; it must be positive and even", width);
  check<ValueError>(std::isfinite(base) && base > 0, "sinusoids", "the base is {}; it must be finite and positive", base);
  check<DTypeError>(is_floating(dtype), "sinusoids", "no sines in {}; f32 or f64 is needed", name_of(dtype));
  const std::int64_t end = checked_end("sinusoids", first, places);
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < width; i += 2)
    frequencies.push_back(std::pow(base, -static_cast<double>(i) / static_cast<double>(width)));
  Tensor table = Tensor::empty({places, width}, f64);
  auto* element = table.mutable_data<double>();
  for (std::int64_t place = first; place < end; ++place)
    for (const double frequency : frequencies) {
      const double angle = static_cast<double>(place) * frequency;
      *element++ = std::sin(angle);
      *element++ = std::cos(angle);
    }
  return table.to(dtype);
}

Var SinusoidalPositions::forward(const Var& x, std::int64_t first) {
  const std::int64_t end = end_of("SinusoidalPositions", x, first);
  return x + table_.rows(first, end, x.size(2), x.dtype());
}

Tensor SinusoidTable::rows(std::int64_t first, std::int64_t end, std::int64_t width, DType dtype) {
  constexpr std::int64_t near = 4096;  // in front of a place that is farther it isn't worth making all the others
  std::unique_lock lock(mutex_);
  const bool of_kind = table_.defined() && table_.size(1) == width && table_.dtype() == dtype;
  const std::int64_t places = of_kind ? table_.size(0) : 0;
  if (first > places + near) {
    lock.unlock();
    return sinusoids(first, end - first, width, dtype, base_);
  }
  // At least doubled, so that a decoder that goes on step by step makes few. Tables that were given out stay as they are.
  if (!of_kind || places < end) table_ = sinusoids(0, std::max(end, 2 * places), width, dtype, base_);
  return table_.slice(0, first, end);
}

LearnedPositions::LearnedPositions(const LearnedPositionsOptions& options, const Scope& scope) : Module(scope) {
  check<ValueError>(options.max_length > 0 && options.embedding_dim > 0, "LearnedPositions",
                    "max_length is {} and embedding_dim {}; both must be positive", options.max_length, options.embedding_dim);
  weight = Weight(this, "weight", Shape{options.max_length, options.embedding_dim}, options.weight_init);
}

Var LearnedPositions::forward(const Var& x, std::int64_t first) {
  const std::int64_t end = end_of("LearnedPositions", x, first);
  check<ShapeError>(end <= weight->shape()[0] && x.size(2) == weight->shape()[1], "LearnedPositions",
                    "input {} from place {} on doesn't fit positions {}", x.value(), first, weight->value());
  return x + slice(weight, 0, first, end);
}

}  // namespace weft::nn
