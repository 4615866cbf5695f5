#pragma once
// What the micro-benchmarks share. Threads are weft's: OMP_NUM_THREADS, or all.
#include <benchmark/benchmark.h>

#include <string_view>

#include "support/measured_shapes.hpp"
#include "weft/tensor/tensor.hpp"
#include "work/values.hpp"

namespace micro {

/// f32 with values in [-1, 1).
inline weft::Tensor random(std::string_view name, const weft::Shape& shape) {
  weft::Tensor result = weft::Tensor::empty(shape);
  auto* elements = result.mutable_data<float>();
  for (std::int64_t i = 0; i < result.numel(); ++i) elements[i] = static_cast<float>(bench::value_of(name, i));
  return result;
}

/// i32 ids below `bound`.
inline weft::Tensor ids(const weft::Shape& shape, std::int64_t bound) {
  weft::Tensor result = weft::Tensor::empty(shape, weft::i32);
  auto* elements = result.mutable_data<std::int32_t>();
  for (std::int64_t i = 0; i < result.numel(); ++i) elements[i] = static_cast<std::int32_t>(bench::token_of(i, bound, 1));
  return result;
}

/// Arguments from a table, a row a run.
template <const auto& table>
void each(benchmark::internal::Benchmark* run) {
  for (const auto& row : table) run->Args({row.begin(), row.end()});
}

/// Shows bytes a second that an iteration moves at least.
inline void count_bytes(benchmark::State& state, double bytes) {
  state.counters["B/s"] = benchmark::Counter(bytes, benchmark::Counter::kIsIterationInvariantRate);
}

/// Shows operations a second of an iteration.
inline void count_operations(benchmark::State& state, double operations) {
  state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace micro
