#include "weft/autograd/parameter.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "autograd/local_ops.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::test;

TEST_CASE("backward passes add into a parameter until its gradient is used up") {
  Parameter w("w", vector({2, 3}));
  CHECK_FALSE(w.grad().defined());
  for (int pass = 1; pass <= 2; ++pass) {
    Tape tape;
    tape.backward(total(times(w, w)));
    CHECK(w.grad().at({0}) == 4 * pass);
    CHECK(w.grad().at({1}) == 6 * pass);
  }
  w.clear_grad();
  Tape tape;
  tape.backward(total(times(w, vector({1, 1}))));
  CHECK(w.grad().at({1}) == 1);
}

TEST_CASE("two backward passes of one tape add up") {
  Parameter w("w", vector({2}));
  Tape tape;
  const Var y = times(w, w);
  tape.backward(y, {.retain = true});
  tape.backward(y);
  CHECK(w.grad().item() == 8);
}

TEST_CASE("all uses of a parameter under a tape are one leaf") {
  Parameter w("w", vector({2}));
  Tape tape;
  const Var a = w, b = w;
  CHECK(a.slot() == b.slot());
  tape.backward(plus(times(a, vector({3})), times(b, vector({4}))));
  CHECK(w.grad().item() == 7);
}

TEST_CASE("many parameters keep their own gradients") {
  constexpr int count = 500;
  std::vector<std::unique_ptr<Parameter>> parameters;
  for (int i = 0; i < count; ++i) parameters.push_back(std::make_unique<Parameter>("p", vector({1})));
  Tape tape;
  Var sum = vector({0});
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < count; ++i) {
      const double factor = i;
      sum = plus(sum, times(*parameters[static_cast<std::size_t>(i)], vector({factor})));
    }
  tape.backward(sum);
  bool right = true;
  for (int i = 0; i < count; ++i) right = right && parameters[static_cast<std::size_t>(i)]->grad().item() == 2 * i;
  CHECK(right);
}

TEST_CASE("a parameter that isn't reached gets no gradient") {
  Parameter used("used", vector({1})), read("read", vector({2}));
  Tape tape;
  const Var seen = read;
  tape.backward(times(used, seen.detach()));
  CHECK(used.grad().item() == 2);
  CHECK_FALSE(read.grad().defined());
}

TEST_CASE("without a tape or under NoGrad a parameter is a constant") {
  Parameter w("w", vector({1}));
  CHECK_FALSE(w.var().requires_grad());
  Tape tape;
  CHECK(w.var().requires_grad());
  const NoGrad guard;
  CHECK_FALSE(w.var().requires_grad());
}

TEST_CASE("an exception in the middle of backward leaves parameters as they were") {
  Parameter w("w", vector({2, 3}));
  {
    Tape tape;
    tape.backward(total(times(w, w)));
  }
  const Tensor before = w.grad().clone();
  Tape tape;
  const Var inner = times(w, w);
  const Var broken = record("broken", inner.value().clone(), {&inner}, [](Sink&) { throw ValueError("on purpose"); });
  const Var sum = total(plus(plus(broken, w), inner));
  CHECK_THROWS_AS(tape.backward(sum), ValueError);
  CHECK(w.grad().at({0}) == before.at({0}));
  CHECK(w.grad().at({1}) == before.at({1}));
  CHECK(tape.grad(w).at({0}) == 0);
  // What the failed pass had gathered is gone: the tape still works.
  tape.backward(total(times(w, vector({1, 1}))));
  CHECK(w.grad().at({0}) == before.at({0}) + 1);
}

TEST_CASE("a parameter's own buffer is never handed out as its gradient") {
  Parameter a("a", vector({2})), b("b", vector({3}));
  Tape tape;
  tape.backward(plus(a, b));
  CHECK_FALSE(a.grad().same_buffer(b.grad()));
  a.mutable_grad().fill(9);
  CHECK(b.grad().item() == 1);
}

TEST_CASE("create_graph leaves parameters alone and keeps their gradients as variables") {
  Parameter w("w", vector({3}));
  Tape tape;
  const Var y = times(times(w, w), w);
  tape.backward(y, {.create_graph = true});
  CHECK_FALSE(w.grad().defined());
  const Var slope = tape.grad_var(w);
  CHECK(slope.item() == 27);
  tape.backward(times(slope, slope));  // 9 w^4 has slope 36 w^3
  CHECK(w.grad().item() == 36 * 27);
}

TEST_CASE("parameters are f32 or f64, and gradients fit them") {
  CHECK_THROWS_AS(Parameter("n", Tensor::zeros({2}, i64)), DTypeError);
  Parameter w("w", vector({1, 2}));
  CHECK_THROWS_AS(w.add_grad(vector({1, 2, 3})), ShapeError);
  CHECK_THROWS_AS(w.add_grad(Tensor::zeros({2}, f32)), Error);
  w.add_grad(vector({1, 2}));
  w.to(f32);
  CHECK(w.dtype() == f32);
  CHECK_FALSE(w.grad().defined());
  CHECK_THROWS_AS(w.to(i32), DTypeError);
}

TEST_CASE("a parameter that ends under a live tape is forgotten") {
  Tape tape;
  Parameter kept("kept", vector({3}));
  auto gone = std::make_unique<Parameter>("gone", vector({2}));
  const Var product = times(*gone, kept);
  gone.reset();
  // Perhaps at the same address: it has a leaf of its own.
  auto next = std::make_unique<Parameter>("next", vector({5}));
  const Var sum = plus(product, times(*next, kept));
  tape.backward(sum);
  CHECK(kept.grad().item() == 7);
  CHECK(next->grad().item() == 3);
}

TEST_CASE("many parameters that end leave the others to be found") {
  Tape tape;
  std::vector<std::unique_ptr<Parameter>> parameters;
  for (int i = 0; i < 200; ++i) parameters.push_back(std::make_unique<Parameter>("p", vector({1})));
  Var sum = parameters[0]->var();
  for (int i = 1; i < 100; ++i) sum = plus(sum, *parameters[static_cast<std::size_t>(i)]);
  for (int i = 0; i < 100; i += 2) parameters[static_cast<std::size_t>(i)].reset();
  for (int i = 1; i < 200; ++i)
    if (parameters[static_cast<std::size_t>(i)]) sum = plus(sum, *parameters[static_cast<std::size_t>(i)]);
  tape.backward(sum);
  for (int i = 1; i < 200; ++i)
    if (const auto& p = parameters[static_cast<std::size_t>(i)]) CHECK(p->grad().item() == (i < 100 ? 2 : 1));
}

TEST_CASE("a backward pass that fails at one parameter changes none") {
  Parameter first("first", vector({1, 2})), second("second", vector({3, 4})), third("third", vector({5, 6}));
  Tape tape;
  const Var sum = total(plus(plus(times(first, vector({2, 2})), times(second, vector({3, 3}))), third));
  second.to(f32);
  CHECK_THROWS_WITH_AS(tape.backward(sum), doctest::Contains("a gradient f64[2] for 'second' f32[2]"), DTypeError);
  CHECK_FALSE(first.grad().defined());
  CHECK_FALSE(second.grad().defined());
  CHECK_FALSE(third.grad().defined());
}
