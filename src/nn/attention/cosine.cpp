#include "weft/nn/attention/cosine.hpp"

#include <cmath>
#include <limits>

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/statistics.hpp"

namespace weft::nn::attention {
namespace {

constexpr double most = std::numeric_limits<float>::max();

Var unit(const Var& x) { return x / clamp(norm(x, 2, {-1}, true), 1e-8, std::nullopt); }

}  // namespace

Cosine::Cosine(const CosineOptions& options, const Scope& scope)
    : Attention("attention::Cosine", {}, {options.normaliser, options.dropout}, scope), scale_(1 / options.temperature) {
  check<ValueError>(options.temperature > 0 && std::isfinite(options.temperature) && scale_ <= most, kind(),
                    "temperature is {}; it must be above 0 and finite, and 1 / temperature finite in f32", options.temperature);
  if (options.learned) log_scale = Weight(this, "log_scale", Shape{1}, init::constant(std::log(scale_)));
}

Var Cosine::prepare(const Var& keys) { return transpose(unit(keys), 1, 2); }

Var Cosine::scores(const Var& query, const Var& keys) {
  if (query.size(2) != keys.size(1))
    fail<ShapeError>(kind(), "query {} and keys {} differ in size", query.value(), keys.value().transpose(1, 2));
  const Var angles = matmul(unit(query), keys);
  return log_scale.defined() ? angles * exp(log_scale) : angles * scale_;
}

}  // namespace weft::nn::attention
