#include <vector>

#include "micro/micro.hpp"

// As BENCHMARK_MAIN, but each benchmark warms up first: memory that is touched for the first time is ten times slower.
int main(int argc, char** argv) {
  char warm_up[] = "--benchmark_min_warmup_time=0.2";
  std::vector<char*> arguments{argv[0], warm_up};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
