// Element-wise functions: a sum, a product that broadcasts, a few costly ones, and a chain forward and backward.
#include "weft/ops/elementwise.hpp"

#include "micro/micro.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/activation.hpp"

namespace {

template <class Function>
void unary(benchmark::State& state, Function function) {
  const weft::Tensor x = micro::random("x", {state.range(0)});
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(function(x));
  micro::count_bytes(state, 2.0 * 4 * static_cast<double>(x.numel()));
}
BENCHMARK_CAPTURE(unary, relu, [](const weft::Var& x) { return weft::relu(x); })->Apply(micro::each<measured::elementwise>);
BENCHMARK_CAPTURE(unary, exp, [](const weft::Var& x) { return weft::exp(x); })->Apply(micro::each<measured::elementwise>);
BENCHMARK_CAPTURE(unary, tanh, [](const weft::Var& x) { return weft::tanh(x); })->Apply(micro::each<measured::elementwise>);
BENCHMARK_CAPTURE(unary, gelu, [](const weft::Var& x) { return weft::gelu(x); })->Apply(micro::each<measured::elementwise>);

void sum(benchmark::State& state) {
  const weft::Var x = micro::random("x", {state.range(0)}), y = micro::random("y", {state.range(0)});
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(x + y);
  micro::count_bytes(state, 3.0 * 4 * static_cast<double>(x.numel()));
}
BENCHMARK(sum)->Apply(micro::each<measured::elementwise>);

void product_with_row(benchmark::State& state) {
  const weft::Var x = micro::random("x", {state.range(0), state.range(1)}), row = micro::random("row", {state.range(1)});
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(x * row);
  micro::count_bytes(state, 2.0 * 4 * static_cast<double>(x.numel()));
}
BENCHMARK(product_with_row)->ArgNames({"rows", "columns"})->Apply(micro::each<measured::broadcast>);

void chain_backward(benchmark::State& state) {
  const weft::Tensor x = micro::random("x", {state.range(0)});
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tape tape;
    tape.backward(weft::tanh(weft::square(tape.leaf(x)) + 1.0), x);
  }
  micro::count_bytes(state, 4.0 * 4 * static_cast<double>(x.numel()));
}
BENCHMARK(chain_backward)->Apply(micro::each<measured::elementwise>);

}  // namespace
