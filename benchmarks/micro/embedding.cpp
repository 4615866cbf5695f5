// Rows of a table by ids, and their gradient into the table.
#include "weft/ops/embedding.hpp"

#include "micro/micro.hpp"
#include "weft/autograd/parameter.hpp"
#include "weft/autograd/tape.hpp"

namespace {

void embedding(benchmark::State& state) {
  const weft::Tensor table = micro::random("table", {state.range(0), state.range(1)}),
                     index = micro::ids({64, 24}, state.range(0));
  for ([[maybe_unused]] const auto _ : state) benchmark::DoNotOptimize(weft::embedding(table, index));
  micro::count_bytes(state, 2.0 * 4 * static_cast<double>(index.numel() * state.range(1)));
}
BENCHMARK(embedding)->ArgNames({"rows", "size"})->Apply(micro::each<measured::embedding>);

// The gradient has the whole table's size.
void embedding_backward(benchmark::State& state) {
  weft::Parameter table("table", micro::random("table", {state.range(0), state.range(1)}));
  const weft::Tensor index = micro::ids({64, 24}, state.range(0)), dy = micro::random("dy", {64, 24, state.range(1)});
  for ([[maybe_unused]] const auto _ : state) {
    weft::Tape tape;
    tape.backward(weft::embedding(table, index), dy);
    table.clear_grad();
  }
  micro::count_bytes(state, 4 * static_cast<double>(table.numel()));
}
BENCHMARK(embedding_backward)->ArgNames({"rows", "size"})->Apply(micro::each<measured::embedding>);

}  // namespace
