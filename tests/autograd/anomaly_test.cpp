#include "weft/autograd/anomaly.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "autograd/local_ops.hpp"
#include "weft/autograd/grad.hpp"
#include "weft/autograd/recompute.hpp"
#include "weft/base/error.hpp"
#include "weft/base/scope.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

template <class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const NumericError& error) {
    return error.what();
  }
  return "";
}

Var logarithm(const Var& x) {
  return record("logarithm", kernels::unary(kernels::Unary::log, x.value()), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, times(s.grad(), kernels::unary(kernels::Unary::reciprocal, x.value()))); });
}

// x, whose gradient has NaN where x is 5.
Var poisoned(const Var& x) {
  return record("poisoned", x.value().clone(), {&x}, [x = Saved(x)](Sink& s) {
    Tensor gradient = s.grad().value().clone();
    for (std::int64_t i = 0; i < gradient.numel(); ++i)
      if (x.value().data<double>()[i] == 5) gradient.mutable_data<double>()[i] = not_a_number;
    s.add(0, gradient);
  });
}

}  // namespace

TEST_CASE("the first operation that makes a non-finite number is named, with place and count") {
  const DetectAnomaly guard;
  Tape tape;
  const Var x = tape.leaf(Tensor::from<double>({1, 2, 0, 4, 0, 6}, {2, 3}));
  const ScopeGuard scope(intern("encoder.layers.1"));
  CHECK(message_of([&] { times(logarithm(x), logarithm(x)); }) ==
        "[logarithm] forward made 2 of 6 elements of its output non-finite: the first is -inf at [0, 2] (inputs f64[2, 3]; "
        "output f64[2, 3]) (in encoder.layers.1)");
}

TEST_CASE("an operation that was given the number isn't blamed") {
  const DetectAnomaly guard;
  Tape tape;
  const Var x = tape.leaf(vector({1, not_a_number, inf})), y = tape.leaf(vector({1, 2, 3}));
  CHECK(
      message_of([&] { times(y, x); }) ==
      "[times] forward was given 2 non-finite of 3 elements in input 1 (f64[3]), the first nan at [1]; no operation made them "
      "while DetectAnomaly was alive");
  // What it doesn't look at may be anything.
  CHECK(message_of([&] { slice(x, 0, 0, 1); }) == "");
}

TEST_CASE("values that aren't recorded are checked too") {
  const DetectAnomaly guard;
  CHECK(message_of([] { logarithm(vector({0})); }) != "");
  Tape tape;
  const Var x = tape.leaf(vector({0}));
  const NoGrad off;
  CHECK(message_of([&] { logarithm(x); }) != "");
}

TEST_CASE("without a guard nothing is said, and a guard's end is an end") {
  { const DetectAnomaly guard; }
  Tape tape;
  CHECK(message_of([&] { logarithm(tape.leaf(vector({0}))); }) == "");
  const DetectAnomaly outer;
  { const DetectAnomaly inner; }
  CHECK(message_of([&] { logarithm(tape.leaf(vector({0}))); }) != "");
}

TEST_CASE("backward names the rule that made the number, not those behind it") {
  Tape tape;
  const Var x = tape.leaf(Tensor::from<double>({1, 2, 3, 4, 5, 5}, {3, 2}));
  Var y = exponential(times(x, vector({0.5})));
  Var z;
  {
    const ScopeGuard scope(intern("decoder"));
    z = poisoned(times(x, vector({1})));
  }
  const Var sum = plus(total(times(z, y)), total(z));
  const DetectAnomaly guard;
  CHECK(message_of([&] { tape.backward(sum, {.retain = true}); }) ==
        "[poisoned] backward made 2 of 6 elements of the gradient of input 0 non-finite: the first is nan at [2, 0] (input "
        "f64[3, 2]; outputs f64[3, 2]) (in decoder)");
  CHECK(message_of([&] { grad(sum, {x}, {.retain = true}); }) == message_of([&] { tape.backward(sum, {.retain = true}); }));
  CHECK(message_of([&] { tape.backward(sum, {.create_graph = true}); }).find("[poisoned] backward") == 0);
  // Not on the way: not an error.
  CHECK(message_of([&] { grad(sum, {y}); }) == "");
}

TEST_CASE("operations inside of a rule aren't named, a leaf's gradient is looked at") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 0}));
  const Var y = total(record("zero", vector({0, 0}), {&x}, [x = Saved(x)](Sink& s) { s.add(0, logarithm(x.get())); }));
  const DetectAnomaly guard;
  CHECK(message_of([&] { tape.backward(y); }).find("[zero] backward made 1 of 2 elements") == 0);
}

TEST_CASE("a weight's product isn't put off") {
  Parameter w("w", Tensor::ones({1, 2}, f64));
  Tape tape;
  const Var weight = w;
  Var y = record("first", vector({1}), {&weight}, [](Sink& s) {
    s.add_product(0, s.grad().value().reshape({1, 1}), Tensor::from<double>({1, inf}, {1, 2}));
  });
  y = record("second", vector({1}), {&y, &weight}, [](Sink& s) {
    s.add(0, s.grad());
    s.add_product(1, s.grad().value().reshape({1, 1}), Tensor::from<double>({3, 4}, {1, 2}));
  });
  const DetectAnomaly guard;
  CHECK(message_of([&] { tape.backward(y); }).find("[first] backward made 1 of 2 elements of the gradient of input 0") == 0);
}

TEST_CASE("gradients from outside: the given one and a hook's") {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3}));
  const Var y = times(x, x);
  const DetectAnomaly guard;
  CHECK(message_of([&] {
          tape.backward(y, vector({1, not_a_number}));
        }) == "[backward] the gradient f64[2] that was given has 1 non-finite of 2 elements, the first nan at [1]");
  CHECK(message_of([&] { grad(y, {x}, {.grad_outputs = {vector({inf, 1})}}); }).find("[grad]") == 0);
  tape.on_gradient(y, [](const Var&) { return vector({not_a_number, 1}); });
  CHECK(message_of([&] { tape.backward(total(y)); }).find("[on_gradient]") == 0);
}

TEST_CASE("inside of recompute") {
  Tape tape;
  const Var x = tape.leaf(vector({1, 5}));
  const auto f = [](const std::vector<Var>& in) {
    const ScopeGuard scope(intern("inner"));
    return times(poisoned(in[0]), in[0]);
  };
  const Var y = total(recompute(f, {x}));
  const DetectAnomaly guard;
  const std::string message = message_of([&] { tape.backward(y); });
  CHECK(message.find("[poisoned] backward made 1 of 2") == 0);
  CHECK(message.find("(in inner)") != std::string::npos);
  CHECK(message_of([&] {
          recompute([](const std::vector<Var>& in) { return logarithm(in[0]); }, {vector({0})});
        }).find("[logarithm] forward") == 0);
}

TEST_CASE("integers, empty and rank 0 values") {
  const DetectAnomaly guard;
  Tape tape;
  CHECK(message_of([&] { logarithm(tape.leaf(Tensor::zeros({0, 3}, f64))); }) == "");
  CHECK(message_of([&] { logarithm(tape.leaf(Tensor::zeros({}, f64))); }).find("-inf at []") != std::string::npos);
  CHECK(message_of([&] { logarithm(tape.leaf(Tensor::zeros({2}, f32))); }).find("f32[2]") != std::string::npos);
}
