#include "weft/nn/attention/pooling.hpp"

#include "base/fail.hpp"
#include "nn/attention/parts.hpp"
#include "ops/mask_dtype.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {
namespace {

constexpr const char* op = "attention::Pooling";

}  // namespace

Pooling::Pooling(const PoolingOptions& options, const Scope& scope)
    : Module(scope),
      key({.in_features = positive(op, "size", options.size), .out_features = positive(op, "hidden", options.hidden)},
          {this, "key"}),
      context(this, "context", Shape{options.hidden}, init::normal(0, 0.1)),
      attention_({.normaliser = options.normaliser, .dropout = options.dropout}, {this, "attention"}) {}

PoolingOutput Pooling::forward(const Var& x, const Tensor& mask) {
  check<ValueError>(x.defined(), op, "the input is undefined");
  const std::int64_t size = key.weight->value().size(1), hidden = key.weight->value().size(0);
  check<ShapeError>(x.rank() == 3 && x.size(2) == size, op, "input {} is not [batch, places, {}]", x.value(), size);
  if (mask.defined()) check_mask_dtype(op, "the mask", mask);
  check<ShapeError>(!mask.defined() || mask.shape() == Shape{x.size(0), x.size(1)}, op,
                    "mask {} doesn't fit input {}: [batch, places] is needed", mask, x.value());
  const Var clean = mask.defined() ? where(mask.unsqueeze(2), x, Var::scalar(0, x.dtype())) : x;
  const Var query = expand(context, Shape{x.size(0), 1, hidden});
  const AttentionOutput out = attention_(query, tanh(key(clean)), clean, mask);
  return {squeeze(out.context, 1), squeeze(out.weights, 1)};
}

}  // namespace weft::nn::attention
