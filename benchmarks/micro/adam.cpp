// Adam's update of one large parameter, and what part it is of the memory's bandwidth: a loop that reads the same four arrays
// and writes the same three, the two alternately.
#include "weft/optim/adam.hpp"

#include <chrono>
#include <vector>

#include "micro/micro.hpp"
#include "weft/autograd/parameter.hpp"
#include "weft/base/threads.hpp"

namespace {

using Clock = std::chrono::steady_clock;

void copy_alike(float* a, float* b, float* c, const float* d, std::int64_t count) {
#pragma omp parallel for schedule(static) num_threads(weft::num_threads())
  for (std::int64_t i = 0; i < count; ++i) {
    a[i] += d[i];
    b[i] += d[i];
    c[i] += d[i];
  }
}

void adam(benchmark::State& state) {
  const std::int64_t count = state.range(0);
  weft::Parameter parameter("w", micro::random("w", {count}));
  const weft::Tensor gradient = micro::random("gradient", {count});
  weft::Parameter* const parameters[] = {&parameter};
  weft::optim::Adam optimizer(parameters);
  weft::Tensor a = weft::Tensor::zeros({count}), b = a.clone(), c = a.clone();
  double ours = 0, bare = 0;
  for ([[maybe_unused]] const auto _ : state) {
    parameter.mutable_grad() = gradient;
    const auto begin = Clock::now();
    optimizer.step();
    const auto middle = Clock::now();
    copy_alike(a.mutable_data<float>(), b.mutable_data<float>(), c.mutable_data<float>(), gradient.data<float>(), count);
    const auto end = Clock::now();
    const double taken = std::chrono::duration<double>(middle - begin).count();
    state.SetIterationTime(taken);
    ours += taken;
    bare += std::chrono::duration<double>(end - middle).count();
  }
  micro::count_bytes(state, 7.0 * 4 * static_cast<double>(count));
  state.counters["% of memory"] = 100 * bare / ours;
}
BENCHMARK(adam)->Apply(micro::each<measured::adam>)->UseManualTime();

}  // namespace
