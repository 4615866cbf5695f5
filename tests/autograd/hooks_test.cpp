#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "autograd/local_ops.hpp"
#include "weft/autograd/grad.hpp"
#include "weft/base/error.hpp"
#include "weft/base/scope.hpp"

using namespace weft;
using namespace weft::test;

TEST_CASE("a hook sees the finished gradient once, before the producer's rule") {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3}));
  const Var middle = times(x, x);
  std::vector<double> seen;
  tape.on_gradient(middle, [&](const Var& gradient) {
    seen.push_back(gradient.value().at({1}));
    return Var();
  });
  tape.backward(total(plus(middle, times(middle, vector({10, 20})))));
  CHECK(seen == std::vector<double>{21});
  CHECK(tape.grad(x).at({1}) == 21 * 6);
}

TEST_CASE("a hook may replace the gradient; later hooks see what it left") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var middle = times(x, x);
  tape.on_gradient(middle, [](const Var& gradient) { return times(gradient, vector({3})); });
  tape.on_gradient(middle, [](const Var& gradient) { return plus(gradient, vector({1})); });
  tape.backward(middle, {.retain = true});
  CHECK(tape.grad(x).item() == 4 * 4);
  tape.backward(middle);  // they stay
  CHECK(tape.grad(x).item() == 16);
}

TEST_CASE("hooks on leaves and parameters run at the end, products done") {
  Parameter w("w", Tensor::ones({1, 2}, f64));
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var weight = w;
  std::vector<double> seen;
  tape.on_gradient(weight, [&](const Var& gradient) {
    seen.push_back(gradient.value().at({0, 1}));
    return times(gradient, vector({10}));
  });
  tape.on_gradient(x, [](const Var& gradient) { return times(gradient, vector({-1})); });
  Var sum = times(x, vector({5}));
  for (int use = 0; use < 3; ++use)
    sum = record("use", plus(sum, vector({0})).value(), {&sum, &weight}, [](Sink& s) {
      s.add(0, s.grad());
      s.add_product(1, s.grad().value().reshape({1, 1}), Tensor::from<double>({7, 9}, {1, 2}));
    });
  tape.backward(sum);
  CHECK(seen == std::vector<double>{27});
  CHECK(w.grad().at({0, 0}) == 210);
  CHECK(tape.grad(x).item() == -5);
}

TEST_CASE("hooks run in grad and are recorded with create_graph") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var middle = times(x, x);
  tape.on_gradient(middle, [](const Var& gradient) { return times(gradient, gradient); });
  const Var y = times(middle, middle);  // dy/dmiddle = 2 x^2, squared: 4 x^4; dy/dx = 8 x^5
  const auto found = grad(y, {x, middle}, {.create_graph = true});
  CHECK(found[0].item() == 8 * 32);
  CHECK(found[1].item() == 64);
  // The hook takes part in every pass: d(2 x h^2)/dx with h = 2 middle; what comes to middle, 128, is squared on its way.
  CHECK(grad(found[0], {x})[0].item() == 128 * 128 * 4 + 128);
}

TEST_CASE("a hook isn't called where no gradient arrives") {
  Tape tape;
  const Var x = tape.leaf(vector({2})), y = tape.leaf(vector({3}));
  const Var apart = times(y, y);
  int calls = 0;
  const auto count = [&](const Var&) {
    ++calls;
    return Var();
  };
  tape.on_gradient(apart, count);
  tape.on_gradient(y, count);
  tape.backward(times(x, x));
  CHECK(calls == 0);
}

TEST_CASE("hooks run in the path of the module that made the value") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  Var y;
  {
    const ScopeGuard scope(intern("encoder.first"));
    y = times(x, x);
  }
  std::string path;
  tape.on_gradient(y, [&](const Var&) {
    path = current_scope();
    return Var();
  });
  tape.backward(y);
  CHECK(path == "encoder.first");
}

TEST_CASE("errors of hooks") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const auto nothing = [](const Var&) { return Var(); };
  CHECK_THROWS_AS(tape.on_gradient(vector({1}), nothing), TapeError);
  CHECK_THROWS_AS(tape.on_gradient(x, {}), ValueError);
  {
    Tape inner;
    CHECK_THROWS_AS(inner.on_gradient(x, nothing), TapeError);
  }
  const Var y = times(x, x);
  Var wrong = vector({1, 2});
  tape.on_gradient(y, [&](const Var&) { return wrong; });
  CHECK_THROWS_AS(tape.backward(y, {.retain = true}), ShapeError);
  wrong = Tensor::ones({1}, f32);
  CHECK_THROWS_AS(tape.backward(y, {.retain = true}), DTypeError);
  wrong = Var();
  tape.backward(y, {.retain = true});
  CHECK(tape.grad(x).item() == 4);
  // The tape takes no second pass from inside of one.
  tape.on_gradient(y, [&](const Var&) {
    tape.backward(x);
    return Var();
  });
  CHECK_THROWS_AS(tape.backward(y, {.retain = true}), TapeError);
  CHECK_THROWS_AS(grad(y, {x}), TapeError);
}
