// One step of an LSTM cell without a tape, and a layer over 20 steps forward and backward.
#include "micro/micro.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/lstm.hpp"

namespace {

struct Weights {
  explicit Weights(std::int64_t size)
      : ih(micro::random("ih", {4 * size, size})),
        hh(micro::random("hh", {4 * size, size})),
        bias(micro::random("bias", {4 * size})) {}
  weft::Tensor ih, hh, bias;
};

void lstm_step(benchmark::State& state) {
  const std::int64_t batch = state.range(0), size = state.range(1);
  const Weights w(size);
  const weft::Tensor x = micro::random("x", {batch, size});
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(weft::lstm_step(x, {x, x}, w.ih, w.hh, w.bias, w.bias));
  micro::count_operations(state, 16.0 * static_cast<double>(batch * size * size));
}
BENCHMARK(lstm_step)->ArgNames({"batch", "size"})->Apply(micro::each<measured::lstm_step>);

void lstm_layer(benchmark::State& state) {
  constexpr std::int64_t steps = 20;
  const std::int64_t batch = state.range(0), size = state.range(1);
  const Weights w(size);
  const weft::Tensor x = micro::random("x", {batch, steps, size});
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tape tape;
    const weft::LSTMResult result =
        weft::lstm(tape.leaf(x), tape.leaf(w.ih), tape.leaf(w.hh), tape.leaf(w.bias), tape.leaf(w.bias));
    tape.backward(result.output, x);
  }
  micro::count_operations(state, 3 * 16.0 * static_cast<double>(steps * batch * size * size));
}
BENCHMARK(lstm_layer)->ArgNames({"batch", "size"})->Apply(micro::each<measured::lstm_layer>);

}  // namespace
