#include <doctest/doctest.h>

#include "autograd/local_ops.hpp"

using namespace weft;
using namespace weft::test;

namespace {

std::int64_t peak_above(std::int64_t base) { return memory_statistics().total.peak - base; }

}  // namespace

TEST_CASE("a loop over the slices of a tensor makes one gradient of its size, no other") {
  constexpr std::int64_t steps = 200;
  Tape tape;
  const Var x = tape.leaf(Tensor::ones({16, steps, 64}));
  const std::int64_t whole = x.numel() * 4, base = memory_statistics().total.current;
  reset_peak_memory();
  Var sum = Tensor::zeros({}, f32);
  for (std::int64_t t = 0; t < steps; ++t) sum = plus(sum, total(slice(x, 1, t, t + 1)));
  CHECK(peak_above(base) < whole / 10);
  tape.backward(sum);
  CHECK(peak_above(base) < whole + whole / 2);
  CHECK(tape.grad(x).at({15, 199, 63}) == 1);
  CHECK(tape.grad(x).at({0, 0, 0}) == 1);
}

TEST_CASE("slices that overlap add up, whatever else the tensor is used for") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2, 3, 4}));
  const Var y = plus(total(slice(x, 0, 0, 3)), plus(total(slice(x, -1, 1, 4)), total(times(x, x))));
  tape.backward(y);
  CHECK(tape.grad(x).at({0}) == 3);
  CHECK(tape.grad(x).at({1}) == 6);
  CHECK(tape.grad(x).at({3}) == 9);
}

TEST_CASE("a slice's gradient doesn't reach a tensor that shares the first contribution") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 2})), y = tape.leaf(vector({3, 4}));
  const Var part = slice(x, 0, 0, 1);
  tape.backward(plus(total(part), total(plus(x, y))));
  CHECK(tape.grad(x).at({0}) == 2);
  CHECK(tape.grad(y).at({0}) == 1);
}

TEST_CASE("a loop that looks rows up makes one gradient of the table's size, no other") {
  Tape tape;
  const Var table = tape.leaf(Tensor::ones({5000, 32}));
  const std::int64_t whole = table.numel() * 4, base = memory_statistics().total.current;
  const Tensor index = Tensor::from<std::int32_t>({7, 4999, 7}, {3});
  reset_peak_memory();
  Var sum = Tensor::zeros({}, f32);
  for (int t = 0; t < 50; ++t) sum = plus(sum, total(gather_rows(table, index)));
  tape.backward(sum);
  CHECK(peak_above(base) < whole + whole / 2);
  CHECK(tape.grad(table).at({7, 31}) == 100);
  CHECK(tape.grad(table).at({4999, 0}) == 50);
  CHECK(tape.grad(table).at({8, 0}) == 0);
}
