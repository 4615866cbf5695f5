#include "weft/nn/attention/grid.hpp"

#include "base/fail.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {

AttentionMemory remember_grid(Attention& attention, const Var& features, const Tensor& mask) {
  constexpr const char* op = "remember_grid";
  const ScopeGuard scope(attention.path());
  check<ValueError>(features.defined(), op, "the features are undefined");
  check<ShapeError>(features.rank() == 4, op, "features {} are not [batch, channels, height, width]", features.value());
  const std::int64_t batch = features.size(0), height = features.size(2), width = features.size(3);
  check<ShapeError>(!mask.defined() || mask.shape() == Shape{batch, height, width}, op,
                    "mask {} doesn't fit features {}: [batch, height, width] is needed", mask, features.value());
  const Var cells = transpose(reshape(features, {batch, features.size(1), height * width}), 1, 2);
  return attention.remember(cells, cells, mask.defined() ? mask.reshape({batch, height * width}) : mask);
}

Var on_grid(const Var& weights, std::int64_t height, std::int64_t width) {
  constexpr const char* op = "on_grid";
  check<ValueError>(weights.defined(), op, "the weights are undefined");
  // Without the product, which might be no number.
  const auto fits = [height, width](std::int64_t places) {
    return height == 0 || width == 0 ? places == 0 : places / height == width && places % height == 0;
  };
  check<ShapeError>(weights.rank() == 3 && height >= 0 && width >= 0 && fits(weights.size(2)), op,
                    "weights {} are not [rows, queries, {} * {}]", weights.value(), height, width);
  return reshape(weights, {weights.size(0), weights.size(1), height, width});
}

}  // namespace weft::nn::attention
