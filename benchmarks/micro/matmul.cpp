// A matrix product through weft, and what part it is of the rate of oneDNN called directly, the two alternately.
#include "weft/ops/matmul.hpp"

#include <chrono>
#include <dnnl.hpp>
#include <unordered_map>

#include "micro/micro.hpp"

namespace {

using Clock = std::chrono::steady_clock;

// x [m, k] times w [n, k] transposed, made once and run many times.
class Direct {
 public:
  Direct(weft::Tensor x, weft::Tensor w, weft::Tensor y)
      : x_(std::move(x)), w_(std::move(w)), y_(std::move(y)), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    constexpr auto type = dnnl::memory::data_type::f32;
    const dnnl::memory::desc a({x_.size(0), x_.size(1)}, type, dnnl::memory::format_tag::ab),
        b({w_.size(1), w_.size(0)}, type, dnnl::memory::format_tag::ba),
        c({x_.size(0), w_.size(0)}, type, dnnl::memory::format_tag::ab);
#if DNNL_VERSION_MAJOR >= 3
    product_ = dnnl::matmul({engine_, a, b, c});
#else
    product_ = dnnl::matmul({dnnl::matmul::desc(a, b, c), engine_});
#endif
    arguments_ = {{DNNL_ARG_SRC, {a, engine_, x_.mutable_data<float>()}},
                  {DNNL_ARG_WEIGHTS, {b, engine_, w_.mutable_data<float>()}},
                  {DNNL_ARG_DST, {c, engine_, y_.mutable_data<float>()}}};
  }
  void run() {
    product_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  weft::Tensor x_, w_, y_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::matmul product_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

// y = x w^T with x [m, k], w [n, k]: what a linear layer does.
void linear(benchmark::State& state) {
  const std::int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const weft::Tensor x = micro::random("x", {m, k}), w = micro::random("w", {n, k});
  Direct direct(x, w, weft::Tensor::empty({m, n}));
  double ours = 0, theirs = 0;
  for ([[maybe_unused]] const auto _ : state) {
    const auto begin = Clock::now();
    benchmark::DoNotOptimize(weft::linear(x, w));
    const auto middle = Clock::now();
    direct.run();
    const auto end = Clock::now();
    const double taken = std::chrono::duration<double>(middle - begin).count();
    state.SetIterationTime(taken);
    ours += taken;
    theirs += std::chrono::duration<double>(end - middle).count();
  }
  micro::count_operations(state, 2 * static_cast<double>(m * n * k));
  state.counters["% of oneDNN"] = 100 * theirs / ours;
}
BENCHMARK(linear)->ArgNames({"m", "n", "k"})->Apply(micro::each<measured::linear>)->UseManualTime();

}  // namespace
