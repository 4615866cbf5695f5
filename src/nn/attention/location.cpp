#include "weft/nn/attention/location.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "nn/attention/parts.hpp"
#include "weft/ops/convolution.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {
namespace {

constexpr const char* name = "attention::Location";

const LocationOptions& checked(const LocationOptions& o) {
  check<ValueError>(o.channels > 0, name, "channels is {}; it must be positive", o.channels);
  check<ValueError>(o.kernel > 0 && o.kernel % 2 == 1, name,
                    "kernel is {}; it must be positive and odd, as many places before as behind", o.kernel);
  return o;
}

}  // namespace

Location::Location(const LocationOptions& options, const Scope& scope)
    : LookingBack(name, {options.query_dim, options.key_dim, options.hidden}, {options.normaliser, options.dropout}, scope),
      filters(this, "filters", Shape{checked(options).channels, 1, options.kernel}, init::kaiming_uniform(std::sqrt(5.0))),
      location(unbiased(options.channels, options.hidden), {this, "location"}) {}

Var Location::features(const Var& history) {
  const std::int64_t batch = history.size(0), n = history.size(1), places = history.size(2),
                     channels = filters->value().size(0);
  if (history.value().numel() == 0) return Tensor::zeros({batch, n, places, location.weight->value().size(0)}, history.dtype());
  const Var convolved =
      conv1d(reshape(history, {batch * n, 1, places}), filters, {}, {.padding = filters->value().size(2) / 2});
  return location(reshape(transpose(convolved, 1, 2), {batch, n, places, channels}));
}

Var Location::next(const Var& /*history*/, const Var& weights) { return weights; }

}  // namespace weft::nn::attention
