// Layer normalisation of rows, forward and backward.
#include "micro/micro.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/normalization.hpp"

namespace {

void layer_norm(benchmark::State& state) {
  const weft::Tensor x = micro::random("x", {state.range(0), state.range(1)}),
                     weight = micro::random("weight", {state.range(1)});
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(weft::layer_norm(x, weight, weight));
  micro::count_bytes(state, 2.0 * 4 * static_cast<double>(x.numel()));
}
BENCHMARK(layer_norm)->ArgNames({"rows", "columns"})->Apply(micro::each<measured::layer_norm>);

void layer_norm_backward(benchmark::State& state) {
  const weft::Tensor x = micro::random("x", {state.range(0), state.range(1)}), dy = micro::random("dy", x.shape());
  const weft::Tensor weight = micro::random("weight", {state.range(1)});
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tape tape;
    tape.backward(weft::layer_norm(tape.leaf(x), tape.leaf(weight), tape.leaf(weight)), dy);
  }
  micro::count_bytes(state, 5.0 * 4 * static_cast<double>(x.numel()));
}
BENCHMARK(layer_norm_backward)->ArgNames({"rows", "columns"})->Apply(micro::each<measured::layer_norm>);

}  // namespace
