// What an operation costs beyond its arithmetic: the work `tape` of train_step on one thread, told as the time of an operation.
#include <fmt/format.h>

#include "models/models.hpp"
#include "weft/base/threads.hpp"
#include "weft/train/benchmark.hpp"
#include "work/explain.hpp"

int main(int argc, char** argv) {
  if (argc > 1)
    return bench::explain(argc, argv, "tape_overhead prints the time of an operation on one thread. It has no options.");
  weft::set_num_threads(1);
  const bench::Work work = bench::tape({});
  const weft::BenchmarkResult result =
      weft::benchmark_step(work.step, {.name = "tape", .steps = work.steps, .tokens = work.tokens});
  fmt::print("{:.0f} ns per operation\n", 1e9 / result.tokens_per_s);
}
