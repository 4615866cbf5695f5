// Softmax of rows, forward and backward: attention's weights, and a vocabulary.
#include "weft/ops/softmax.hpp"

#include "micro/micro.hpp"
#include "weft/autograd/tape.hpp"

namespace {

void softmax(benchmark::State& state) {
  const weft::Tensor x = micro::random("x", {state.range(0), state.range(1)});
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(weft::softmax(x, -1));
  micro::count_bytes(state, 2.0 * 4 * static_cast<double>(x.numel()));
}
BENCHMARK(softmax)->ArgNames({"rows", "columns"})->Apply(micro::each<measured::softmax>);

void softmax_backward(benchmark::State& state) {
  const weft::Tensor x = micro::random("x", {state.range(0), state.range(1)}), dy = micro::random("dy", x.shape());
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tape tape;
    tape.backward(weft::softmax(tape.leaf(x), -1), dy);
  }
  micro::count_bytes(state, 5.0 * 4 * static_cast<double>(x.numel()));
}
BENCHMARK(softmax_backward)->ArgNames({"rows", "columns"})->Apply(micro::each<measured::softmax>);

}  // namespace
