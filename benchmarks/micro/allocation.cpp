// A tensor's memory from the pool and back, beside malloc and free; each writes the first byte.
#include <cstdlib>
#include <vector>

#include "micro/micro.hpp"

namespace {

void tensor(benchmark::State& state) {
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tensor made = weft::Tensor::empty({state.range(0) / 4});
    *made.mutable_data<float>() = 1;
    benchmark::DoNotOptimize(made);
  }
}
BENCHMARK(tensor)->ArgName("bytes")->RangeMultiplier(64)->Range(64, 1 << 24);

void malloc_free(benchmark::State& state) {
  for ([[maybe_unused]] const auto _ : state) {
    auto* made = static_cast<float*>(std::malloc(static_cast<std::size_t>(state.range(0))));
    *made = 1;
    benchmark::DoNotOptimize(made);
    std::free(made);
  }
}
BENCHMARK(malloc_free)->ArgName("bytes")->RangeMultiplier(64)->Range(64, 1 << 24);

// As a training step does: many of mixed sizes are alive, then all go.
void tensors_of_a_step(benchmark::State& state) {
  constexpr std::int64_t sizes[] = {16, 64, 512, 2048, 16384, 131072};
  std::vector<weft::Tensor> alive(600);
  for ([[maybe_unused]] const auto _ : state) {
    for (std::size_t i = 0; i < alive.size(); ++i) alive[i] = weft::Tensor::empty({sizes[i % std::size(sizes)]});
    for (weft::Tensor& one : alive) one = weft::Tensor();
  }
  state.counters["per tensor"] = benchmark::Counter(
      static_cast<double>(alive.size()), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(tensors_of_a_step);

}  // namespace
