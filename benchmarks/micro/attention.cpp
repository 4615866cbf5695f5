// Attention of several heads, forward and backward.
#include "weft/ops/attention.hpp"

#include "micro/micro.hpp"
#include "weft/autograd/tape.hpp"

namespace {

void attention(benchmark::State& state) {
  const weft::Shape shape{state.range(0), state.range(1), state.range(2), 64};
  const weft::Tensor q = micro::random("q", shape), k = micro::random("k", shape), v = micro::random("v", shape);
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tape tape;
    tape.backward(
        weft::scaled_dot_product_attention(tape.leaf(q), tape.leaf(k), tape.leaf(v), {.causal = state.range(3) != 0}).output,
        v);
  }
  // Two products of the whole matrix of scores forward, four backward.
  micro::count_operations(state, 6 * 2.0 * static_cast<double>(q.numel() * state.range(2)));
}
BENCHMARK(attention)->ArgNames({"batch", "heads", "places", "causal"})->Apply(micro::each<measured::attention>);

}  // namespace
