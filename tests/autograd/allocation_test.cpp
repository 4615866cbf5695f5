#include <doctest/doctest.h>

#include "autograd/local_ops.hpp"
#include "support/allocations.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// A training step: a table's rows, slices of them, broadcasting, an update in place.
void step(Parameter& table, Parameter& w, const Tensor& index, Generator& generator) {
  Tape tape(generator);
  Var sum = Tensor::zeros({}, f32);
  const Var rows = gather_rows(table, index);
  for (std::int64_t t = 0; t < 20; ++t) {
    const Var x = slice(rows, 1, t, t + 1);
    sum = plus(sum, total(exponential(times(x, w))));
  }
  tape.backward(sum);
  for (Parameter* parameter : {&table, &w}) {
    Tensor gradient = parameter->grad();
    kernels::scale_into(gradient, -1e-3);
    kernels::add_into(parameter->mutable_value(), gradient);
    parameter->clear_grad();
  }
}

}  // namespace

TEST_CASE("a step in steady state asks the system for no memory") {
  Parameter table("table", Tensor::full({50, 16}, 0.1)), w("w", Tensor::full({16}, 0.2));
  Tensor index = Tensor::empty({8, 20}, i64);
  for (std::int64_t i = 0; i < index.numel(); ++i) index.mutable_data<std::int64_t>()[i] = i * 7 % 50;
  Generator generator(1);
  for (int i = 0; i < 3; ++i) step(table, w, index, generator);
  // The statistics first: where they are asked for the first time, they are made.
  const std::int64_t misses_before = memory_statistics().pool_misses, news_before = operator_new_calls();
  for (int i = 0; i < 10; ++i) step(table, w, index, generator);
  // Read before the checks, which may allocate themselves.
  const std::int64_t news = operator_new_calls(), misses = memory_statistics().pool_misses;
  CHECK(news == news_before);
  CHECK(misses == misses_before);
}
