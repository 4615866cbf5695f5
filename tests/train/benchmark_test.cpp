#include "weft/train/benchmark.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"
#include "weft/ops/matmul.hpp"

using namespace weft;

TEST_CASE("benchmark_step runs the steps that warm up and those that are measured, and keeps the first losses") {
  int calls = 0;
  const BenchmarkResult result =
      benchmark_step([&] { return 10.0 * ++calls; }, {.name = "count", .warmup = 2, .steps = 5, .tokens = 7});
  CHECK(calls == 7);
  CHECK(result.name == "count");
  CHECK(result.threads == num_threads());
  CHECK(result.losses == std::vector<double>{10, 20, 30});
  CHECK(result.ms_quartiles[0] >= 0);
  CHECK(result.ms_per_step >= result.ms_quartiles[0]);
  CHECK(result.ms_per_step <= result.ms_quartiles[1]);
  CHECK(result.peak_rss_mb > 1);
  CHECK(result.gflops == 0);
  CHECK(result.peak_gflops == 0);
}

TEST_CASE("benchmark_step counts operator new and the pool's misses in the measured steps alone") {
  int calls = 0;
  const auto step = [&] {
    if (++calls <= 3) {
      const auto first = std::make_unique<std::vector<int>>(100);
      return 1.0;
    }
    const std::vector<int> one(static_cast<std::size_t>(calls));
    const std::vector<int> other(static_cast<std::size_t>(2 * calls));
    return static_cast<double>(one.size() + other.size());
  };
  const BenchmarkResult result = benchmark_step(step, {.warmup = 3, .steps = 4});
  REQUIRE(result.allocations_per_step);
  CHECK(*result.allocations_per_step == 2);
  CHECK(benchmark_step([] { return 0.0; }).allocations_per_step == std::optional(0.0));
}

TEST_CASE("a benchmark's rate is told in percent of the peak of its run") {
  const int threads = num_threads();
  for (const DType dtype : {f32, f64})
    for (const int n : {1, 2}) {
      set_num_threads(n);
      const Tensor a = Tensor::ones({128, 128}, dtype);
      const BenchmarkResult result = benchmark_step(
          [&] {
            return matmul(a, a).value().at({0, 0});
          },
          {.tokens = 128, .gflop = 2e-9 * 128 * 128 * 128, .dtype = dtype});
      CHECK(result.gflops > 0);
      CHECK(result.tokens_per_s > 0);
      CHECK(result.peak_gflops > 0);
      CHECK(result.percent_of_peak == doctest::Approx(100 * result.gflops / result.peak_gflops));
    }
  // A rate that no processor has is work that wasn't done, and leaves the peak as it is.
  CHECK(benchmark_step([] { return 0.0; }, {.gflop = 1e9}).percent_of_peak > 100);
  set_num_threads(threads);
}

TEST_CASE("the line of a benchmark is JSON with its fields in order") {
  BenchmarkResult result{.name = "mine",
                         .threads = 2,
                         .ms_per_step = 12.3456789,
                         .ms_quartiles = {12.3, 12.5},
                         .tokens_per_s = 1234567.8,
                         .gflops = 0.0012345678,
                         .peak_gflops = 200,
                         .percent_of_peak = 50,
                         .peak_rss_mb = 99.5,
                         .allocations_per_step = {},
                         .losses = {1.5, 0.25}};
  CHECK(
      result.json() ==
      R"({"name":"mine","threads":2,"ms_per_step":12.346,"ms_quartiles":[12.3,12.5],"tokens_per_s":1234568.0,"gflops":0.0012346,)"
      R"("percent_of_peak":50.0,"peak_gflops":200.0,"peak_rss_mb":99.5,"allocations_per_step":null,"losses":[1.5,0.25]})");
  result.allocations_per_step = 0;
  CHECK(nlohmann::json::parse(result.json())["allocations_per_step"] == 0);
  result.peak_gflops = 0;
  for (const char* rate : {"gflops", "percent_of_peak", "peak_gflops"})
    CHECK(nlohmann::json::parse(result.json())[rate].is_null());
  result.tokens_per_s = 0;
  CHECK(nlohmann::json::parse(result.json())["tokens_per_s"].is_null());
}

TEST_CASE("the median of two steps is their mean") {
  const BenchmarkResult result = benchmark_step([] { return 0.0; }, {.steps = 2});
  CHECK(result.ms_per_step == (result.ms_quartiles[0] + result.ms_quartiles[1]) / 2);
}

TEST_CASE("benchmark_step says what it can't measure") {
  const auto step = [] { return 0.0; };
  CHECK_THROWS_AS(benchmark_step(nullptr), ValueError);
  CHECK_THROWS_AS(benchmark_step(step, {.steps = 0}), ValueError);
  CHECK_THROWS_AS(benchmark_step(step, {.warmup = -1}), ValueError);
  CHECK_THROWS_AS(benchmark_step(step, {.gflop = -1}), ValueError);
  CHECK_THROWS_AS(benchmark_step(step, {.dtype = i32}), ValueError);
  CHECK_THROWS_AS(benchmark_step([]() -> double { throw NumericError("the step's own"); }), NumericError);
}
