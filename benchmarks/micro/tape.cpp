// What an operation costs beyond its arithmetic: the time is that of one operation of a chain of 1,000.
#include "weft/autograd/tape.hpp"

#include "micro/micro.hpp"
#include "weft/base/threads.hpp"
#include "weft/ops/elementwise.hpp"

namespace {

constexpr std::int64_t operations = 1000;

void count_one(benchmark::State& state) {
  state.counters["per operation"] = benchmark::Counter(
      static_cast<double>(operations), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

weft::Var chain(weft::Var y, const weft::Var& w, const weft::Var& x) {
  for (std::int64_t i = 0; i < operations / 2; ++i) {
    y = y * w;
    y = y + x;
  }
  return y;
}

// Keeps values and gradients of the chain from becoming denormal.
weft::Tensor even_factor(std::int64_t size) { return weft::Tensor::full({size}, 0.999); }

void no_tape(benchmark::State& state) {
  const weft::Tensor start = micro::random("start", {state.range(0)}), factor = even_factor(state.range(0));
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(chain(start, factor, start));
  count_one(state);
}
BENCHMARK(no_tape)->ArgName("elements")->Arg(1)->Arg(64);

void forward(benchmark::State& state) {
  const weft::Tensor start = micro::random("start", {state.range(0)}), factor = even_factor(state.range(0));
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tape tape;
    benchmark::DoNotOptimize(chain(start, tape.leaf(factor), tape.leaf(start)));
  }
  count_one(state);
}
BENCHMARK(forward)->ArgName("elements")->Arg(1)->Arg(64);

void forward_backward(benchmark::State& state) {
  const weft::Tensor start = micro::random("start", {state.range(0)}), factor = even_factor(state.range(0));
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tape tape;
    tape.backward(chain(start, tape.leaf(factor), tape.leaf(start)), start);
  }
  count_one(state);
}
BENCHMARK(forward_backward)->ArgName("elements")->Arg(1)->Arg(64);

}  // namespace
