#include "weft/nn/attention/pointer_generator.hpp"

#include <algorithm>
#include <limits>

#include "base/fail.hpp"
#include "nn/first_places.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/arrange.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::nn::attention {
namespace {

constexpr const char* name = "attention::PointerGenerator";
constexpr double never = -std::numeric_limits<double>::infinity();

LinearOptions gate_options(const PointerGeneratorOptions& o) {
  check<ValueError>(o.context_dim > 0 && o.state_dim > 0 && o.input_dim >= 0, name,
                    "context_dim is {}, state_dim {} and input_dim {}; the first two must be positive, the last not negative",
                    o.context_dim, o.state_dim, o.input_dim);
  return {.in_features = o.context_dim + o.state_dim + o.input_dim, .out_features = 1};
}

/// Extended ids as dense i64.
Tensor checked_ids(const char* what, const Tensor& ids, const Shape& shape, const PointerGeneratorInput& in,
                   std::int64_t ignored) {
  check<ValueError>(ids.defined(), name, "the {} is undefined", what);
  check<ShapeError>(ids.shape() == shape, name, "{} {} doesn't fit weights {}: {} is needed", what, ids, in.weights.value(),
                    shape);
  check<DTypeError>(is_integer(ids.dtype()), name, "{} {} must be integers (weights {})", what, ids, in.weights.value());
  Tensor result = ids.to(i64).contiguous();
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    const std::int64_t id = result.data<std::int64_t>()[i];
    check<IndexError>((id >= 0 && id < in.extended) || id == ignored, name,
                      "{} {}: id {} at [{}, {}] is outside the extended vocabulary, 0 to {} (logits {})", what, ids, id,
                      i / shape[1], i % shape[1], in.extended - 1, in.logits.value());
  }
  return result;
}

/// The id of each weight [rows, steps, places].
Tensor places_of(const PointerGeneratorInput& in) {
  const std::int64_t rows = in.weights.size(0), steps = in.weights.size(1), places = in.weights.size(2);
  return checked_ids("source", in.source, {rows, places}, in, 0).unsqueeze(1).expand({rows, steps, places});
}

}  // namespace

PointerGenerator::PointerGenerator(const PointerGeneratorOptions& options, const Scope& scope)
    : Module(scope), gate(gate_options(options), {this, "gate"}), options_(options) {}

void PointerGenerator::check_input(const PointerGeneratorInput& in) const {
  check<ValueError>(in.logits.defined() && in.weights.defined() && in.context.defined() && in.state.defined() &&
                        in.input.defined() == (options_.input_dim > 0),
                    name, "context, state, logits and weights must be defined, input {}",
                    options_.input_dim > 0 ? "too" : "undefined, as input_dim is 0");
  check<ShapeError>(in.logits.rank() == 3 && in.weights.rank() == 3 && in.weights.size(0) == in.logits.size(0) &&
                        in.weights.size(1) == in.logits.size(1),
                    name, "logits {} and weights {} don't fit: [rows, steps, V] and [rows, steps, places] are needed",
                    in.logits.value(), in.weights.value());
  const auto part = [&](const char* what, const Var& x, std::int64_t size) {
    check<ShapeError>(x.shape() == Shape{in.logits.size(0), in.logits.size(1), size}, name,
                      "{} {} doesn't fit logits {}: [rows, steps, {}] is needed", what, x.value(), in.logits.value(), size);
  };
  part("context", in.context, options_.context_dim);
  part("state", in.state, options_.state_dim);
  if (in.input.defined()) part("input", in.input, options_.input_dim);
  check<DTypeError>(in.logits.dtype() == in.weights.dtype(), name, "logits {} and weights {} differ in dtype",
                    in.logits.value(), in.weights.value());
  check<ValueError>(in.extended >= in.logits.size(2), name, "extended is {}, less than the vocabulary of logits {}",
                    in.extended, in.logits.value());
}

Var PointerGenerator::open_gate(const PointerGeneratorInput& in, const Tensor& counts) {
  PoolVector<Var> parts{in.context, in.state};
  if (in.input.defined()) parts.push_back(in.input);
  Var seen = concat(parts, 2);
  if (counts.defined()) seen = where(counts.unsqueeze(2), seen, Var::scalar(0, seen.dtype()));
  return squeeze(gate(seen), 2);
}

PointerGeneratorOutput PointerGenerator::forward(const PointerGeneratorInput& in) {
  check_input(in);
  const Var generate = sigmoid(open_gate(in, {})), part = unsqueeze(generate, 2);
  const Var generated = pad(softmax(in.logits, -1) * part, {0, in.extended - in.logits.size(2)});
  return {scatter_add(generated, 2, places_of(in), in.weights * (1 - part)), generate};
}

// Only at words of the source there is something to mix: logarithms of the whole vocabulary twice would cost most of a search.
Var PointerGenerator::log_probabilities(const PointerGeneratorInput& in) {
  return run([&] {
    check_input(in);
    const Var open = unsqueeze(open_gate(in, {}), 2);
    const Var generated =
        pad(logsigmoid(open) + log_softmax(in.logits, -1), {0, in.extended - in.logits.size(2)}, PadMode::constant, never);
    const Tensor ids = places_of(in), first = first_places(in.source).unsqueeze(1).expand(in.weights.shape());
    // A word's weights are summed up at the first of its places, from where each of them takes the sum.
    const Tensor nothing = Tensor::zeros(in.weights.shape(), in.weights.dtype());
    const Var copied = gather(scatter_add(nothing, 2, first, in.weights), 2, first);
    const Var mixed = logsumexp(stack({gather(generated, 2, ids), logsigmoid(-open) + log(copied)}, 0), {0});
    return scatter(generated, 2, ids, mixed);  // a word's places all have its probability
  });
}

Var PointerGenerator::loss(const PointerGeneratorInput& in, const Tensor& targets, std::int64_t ignore_index,
                           LossReduction reduction) {
  const ModuleScope scope(*this);
  check_input(in);
  const std::int64_t rows = in.weights.size(0), steps = in.weights.size(1);
  const Tensor source = checked_ids("source", in.source, {rows, in.weights.size(2)}, in, 0);
  const Tensor ids = checked_ids("targets", targets, {rows, steps}, in, ignore_index);
  const Tensor ignored = Tensor::from<std::int64_t>({ignore_index}, {});  // a double doesn't hold each of them
  const Tensor counts = ne(Var(ids), Var(ignored));
  const Tensor known = logical_and(counts, lt(Var(ids), static_cast<double>(in.logits.size(2))));
  const Var open = open_gate(in, counts);
  const Tensor in_vocabulary = where(known, Var(ids), Var(ignored)).value();
  const Var log_generated =
      -cross_entropy(in.logits, in_vocabulary, {.ignore_index = ignore_index, .reduction = LossReduction::none});
  const Tensor found =
      logical_and(eq(Var(source.unsqueeze(1)), Var(ids.unsqueeze(2))), counts.unsqueeze(2));  // [rows, steps, places]
  const Var copied = sum(where(found, in.weights, Var::scalar(0, in.weights.dtype())), {2});
  const Var both =
      stack({masked_fill(logsigmoid(open) + log_generated, logical_not(known), never), logsigmoid(-open) + log(copied)}, 2);
  const Var each = where(counts, -logsumexp(both, {2}), Var::scalar(0, both.dtype()));
  Var result = each;
  if (reduction != LossReduction::none) result = sum(each);
  if (reduction == LossReduction::mean) result = result / std::max(sum(Var(counts)).value().item(), 1.0);
  return result;
}

}  // namespace weft::nn::attention
