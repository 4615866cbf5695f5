#include "weft/nn/time_distributed.hpp"

#include "base/fail.hpp"
#include "ops/lengths.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

// Places of the steps within lengths, in [batch * steps].
Tensor places_within(const Tensor& lengths, std::int64_t steps) {
  const std::int64_t *length = lengths.data<std::int64_t>(), rows = lengths.numel();
  std::int64_t count = 0;
  for (std::int64_t row = 0; row < rows; ++row) count += length[row];
  Tensor places = Tensor::empty({count}, i64);
  std::int64_t* place = places.mutable_data<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t t = 0; t < length[row]; ++t) *place++ = row * steps + t;
  return places;
}

Shape split_first(const Shape& x, std::int64_t batch, std::int64_t steps) {
  return x.without(0).with_inserted(0, steps).with_inserted(0, batch);
}

}  // namespace

Var every_step(const char* op, const std::function<Var(const Var&)>& f, const Var& x, const Tensor& lengths) {
  check<ValueError>(x.defined(), op, "the input isn't given");
  check<ShapeError>(x.rank() >= 2, op, "input {} is not [batch, steps, ...]", x.value());
  const Tensor ends = checked_lengths(op, lengths, "input", x.value(), 1);
  const std::int64_t batch = x.size(0), steps = x.size(1), all = batch * steps;
  const Tensor places = ends.defined() ? places_within(ends, steps) : Tensor();
  const bool padded = places.defined() && places.numel() != all;
  const Var flat = reshape(x, x.shape().without(0).without(0).with_inserted(0, all));
  const Var y = f(padded ? index_select(flat, 0, places) : flat);
  check<ShapeError>(y.defined() && y.rank() >= 1 && y.size(0) == (padded ? places.numel() : all), op,
                    "the module made {} of {} steps; one output a step is needed", y.value(), padded ? places.numel() : all);
  if (!padded) return reshape(y, split_first(y.shape(), batch, steps));
  const Tensor nothing = Tensor::zeros(y.shape().without(0).with_inserted(0, all), y.dtype());
  return reshape(index_add(nothing, 0, places, y), split_first(y.shape(), batch, steps));
}

}  // namespace weft::nn
