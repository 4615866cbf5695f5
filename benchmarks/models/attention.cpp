// Causal attention alone, without projections: gradients of query, key and value.
#include "weft/ops/attention.hpp"

#include <memory>

#include "models/models.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {
namespace {

struct State {
  State(const AttentionSizes& sizes, const Settings& settings) {
    const Shape shape{sizes.batch, sizes.heads, sizes.length, sizes.width};
    query = data("query", shape, dtype_of(settings));
    key = data("key", shape, dtype_of(settings));
    value = data("value", shape, dtype_of(settings));
  }

  Tensor query, key, value;
};

}  // namespace

Work attention(const Settings& settings) {
  const AttentionSizes sizes(settings);
  const auto state = std::make_shared<State>(sizes, settings);
  const auto step = [state] {
    Tape tape;
    const Var output =
        scaled_dot_product_attention(tape.leaf(state->query), tape.leaf(state->key), tape.leaf(state->value), {.causal = true})
            .output;
    const Var loss = mean(square(output));
    tape.backward(loss);
    return loss.item();
  };
  return {step, static_cast<double>(sizes.batch * sizes.length), sizes.gflop()};
}

}  // namespace bench
