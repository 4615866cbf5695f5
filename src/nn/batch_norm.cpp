#include "weft/nn/batch_norm.hpp"

#include "base/fail.hpp"
#include "ops/lengths.hpp"
#include "weft/autograd/recompute.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/nn/time_distributed.hpp"
#include "weft/ops/normalization.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

BatchNormState make_state(ModuleBase* owner, const char* type, const BatchNormOptions& o) {
  check<ValueError>(o.num_features > 0, type, "num_features is {}; it must be positive", o.num_features);
  check<ValueError>(o.eps >= 0, type, "eps is {}; it can't be negative", o.eps);
  check<ValueError>(o.momentum.value_or(0) >= 0 && o.momentum.value_or(0) <= 1, type, "momentum is {}; it must be in [0, 1]",
                    o.momentum.value_or(0));
  const Shape channels{o.num_features};
  BatchNormState state;
  if (o.affine) {
    state.weight = Weight(owner, "weight", channels, init::ones());
    state.bias = Weight(owner, "bias", channels, init::zeros());
  }
  if (o.track_running_stats) {
    state.running_mean = Buffer(owner, "running_mean", channels, 0);
    state.running_var = Buffer(owner, "running_var", channels, 1);
    state.num_batches_tracked = Buffer(owner, "num_batches_tracked", {}, 0, i64);
  }
  return state;
}

// The share of this batch in the running values.
double share_of_batch(const BatchNormState& state, const BatchNormOptions& o) {
  if (!state.num_batches_tracked.defined()) return 0;
  return o.momentum.value_or(1 / (state.num_batches_tracked.value().item() + 1));
}

Var normalize(const Var& x, const Tensor& lengths, const BatchNormState& state, const BatchNormOptions& o, bool training,
              const char* type) {
  const bool by_batch = training || !state.running_mean.defined();
  const weft::BatchNormOptions options{.training = by_batch, .momentum = share_of_batch(state, o), .eps = o.eps};
  const auto apply = [&](const Var& values) {
    Var y = batch_norm(values, state.running_mean.value(), state.running_var.value(), state.weight, state.bias, options);
    if (training && state.num_batches_tracked.defined() && Tape::recording() != nullptr && !recomputing() && y.numel() > 0) {
      Tensor count = state.num_batches_tracked.value();
      ++*count.mutable_data<std::int64_t>();
    }
    return y;
  };
  const Tensor ends = lengths.defined() ? checked_lengths(type, lengths, "input", x.value(), 2) : Tensor();
  return ends.defined() ? transpose(every_step(type, apply, transpose(x, 1, 2), ends), 1, 2) : apply(x);
}

}  // namespace

BatchNorm1d::BatchNorm1d(const BatchNormOptions& options, const Scope& scope)
    : Module(scope), BatchNormState(make_state(this, "BatchNorm1d", options)), options_(options) {}

Var BatchNorm1d::forward(const Var& x, const Tensor& lengths) {
  constexpr const char* type = "BatchNorm1d";
  check<ValueError>(x.defined(), type, "the input isn't given");
  check<ShapeError>((x.rank() == 2 || x.rank() == 3) && x.size(1) == options_.num_features, type,
                    "input {} is neither [N, {}] nor [N, {}, L]", x.value(), options_.num_features, options_.num_features);
  check<ShapeError>(x.rank() == 3 || !lengths.defined(), type, "input {} has no steps for lengths {}", x.value(), lengths);
  return normalize(x, lengths, *this, options_, training(), type);
}

BatchNorm2d::BatchNorm2d(const BatchNormOptions& options, const Scope& scope)
    : Module(scope), BatchNormState(make_state(this, "BatchNorm2d", options)), options_(options) {}

Var BatchNorm2d::forward(const Var& x, const Tensor& lengths) {
  constexpr const char* type = "BatchNorm2d";
  check<ValueError>(x.defined(), type, "the input isn't given");
  check<ShapeError>(x.rank() == 4 && x.size(1) == options_.num_features, type, "input {} is not [N, {}, H, W]", x.value(),
                    options_.num_features);
  return normalize(x, lengths, *this, options_, training(), type);
}

}  // namespace weft::nn
