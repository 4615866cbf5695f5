// Cross entropy with label smoothing, forward and backward to the logits.
#include "micro/micro.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/loss.hpp"

namespace {

void cross_entropy(benchmark::State& state) {
  const weft::Tensor logits = micro::random("logits", {state.range(0), state.range(1)});
  const weft::Tensor targets = micro::ids({state.range(0)}, state.range(1));
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tape tape;
    tape.backward(weft::cross_entropy(tape.leaf(logits), targets, {.label_smoothing = 0.1}));
  }
  micro::count_bytes(state, 3.0 * 4 * static_cast<double>(logits.numel()));  // read twice, written once
}
BENCHMARK(cross_entropy)->ArgNames({"rows", "classes"})->Apply(micro::each<measured::cross_entropy>);

}  // namespace
