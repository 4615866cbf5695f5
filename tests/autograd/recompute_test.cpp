#include "weft/autograd/recompute.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "autograd/local_ops.hpp"
#include "weft/autograd/grad.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::test;

namespace {

template <class E = TapeError, class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// x times random numbers of the tape's generator, the same again in every later evaluation of one position.
Var shaken(const Var& x) {
  Generator* generator = Tape::recording()->generator();
  Generator own(generator->seed(), generator->next());
  return times(x, Tensor::full({}, own.uniform(), f64));
}

double total_of(const Tensor& x) { return total(x).item(); }

}  // namespace

TEST_CASE("recompute gives the values and gradients of a plain call") {
  Parameter w("w", vector({0.3, -0.4}));
  int runs = 0;
  const auto f = [&](const std::vector<Var>& in) {
    ++runs;
    return exponential(times(times(in[0], w), in[1]));
  };
  std::vector<Tensor> gradients[2];
  double values[2];
  for (const bool again : {false, true}) {
    Tape tape;
    const Var x = tape.leaf(vector({1, 2})), y = tape.leaf(vector({0.5}));
    const Var inside = times(x, x);
    const Var z = total(times(again ? recompute(f, {inside, y}) : f({inside, y}), w));
    if (again) CHECK(tape.size() == 4);  // times, recompute, times, total
    values[again] = z.item();
    tape.backward(z);
    gradients[again] = {tape.grad(x), tape.grad(y), w.grad()};
    w.clear_grad();
  }
  CHECK(runs == 3);
  CHECK(values[0] == values[1]);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(gradients[0][i].at({0}) == gradients[1][i].at({0}));
    CHECK(total_of(gradients[0][i]) == total_of(gradients[1][i]));
  }
}

TEST_CASE("recompute keeps its inputs alone") {
  const auto current = [] { return memory_statistics().total.current; };
  Tape tape;
  const Var x = tape.leaf(Tensor::zeros({100'000}, f64));
  const std::int64_t before = current();
  const auto chain = [](const std::vector<Var>& in) {
    Var y = in[0];
    for (int i = 0; i < 20; ++i) y = exponential(times(y, vector({-1})));
    return y;
  };
  Var y = recompute(chain, {x});
  CHECK(current() - before <= 800'000 + 10'000);  // y
  reset_peak_memory();
  tape.backward(total(y));
  CHECK(memory_statistics().total.peak - before >= 20 * 800'000);
}

TEST_CASE("recompute: several outputs, of which one is used; inputs that need no gradient; undefined ones") {
  const auto f = [](const std::vector<Var>& in) {
    CHECK_FALSE(in[1].requires_grad());
    CHECK_FALSE(in[2].defined());
    return std::vector<Var>{times(in[0], in[1]), exponential(in[0])};
  };
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const auto outputs = recompute(f, {x, vector({5}), Var()});
  REQUIRE(outputs.size() == 2);
  tape.backward(outputs[0]);
  CHECK(tape.grad(x).item() == 5);
}

TEST_CASE("recompute: what needs no gradient isn't recorded") {
  Tape tape;
  int runs = 0;
  const auto f = [&](const std::vector<Var>& in) {
    ++runs;
    return times(in[0], in[0]);
  };
  CHECK_FALSE(recompute(f, {vector({3})}).requires_grad());
  CHECK(tape.size() == 0);
  const Var x = tape.leaf(vector({3}));
  {
    const NoGrad guard;
    CHECK(recompute(f, {x}).item() == 9);
  }
  CHECK(tape.size() == 0);
  CHECK(runs == 2);
}

TEST_CASE("recompute: a parameter is all that needs a gradient") {
  Parameter w("w", vector({3}));
  Tape tape;
  const Var y = recompute([&](const std::vector<Var>& in) { return times(in[0], w); }, {vector({4})});
  CHECK(y.requires_grad());
  tape.backward(plus(y, times(w, w)));  // its other uses are added
  CHECK(w.grad().item() == 4 + 6);
}

TEST_CASE("recompute draws the same random numbers again and takes each position once") {
  Generator plain_draws(7), draws(7);
  double plain = 0, again = 0;
  for (const bool recomputed : {false, true}) {
    Tape tape(recomputed ? draws : plain_draws);
    const Var x = tape.leaf(vector({1, 1}));
    Var y = shaken(x);
    const auto f = [](const std::vector<Var>& in) { return shaken(shaken(in[0])); };
    y = recomputed ? recompute(f, {y}) : f({y});
    y = shaken(y);
    tape.backward(total(y));
    (recomputed ? again : plain) = tape.grad(x).at({0});
  }
  CHECK(plain == again);
  CHECK(draws.position() == plain_draws.position());
}

TEST_CASE("recomputing tells the second run") {
  std::string runs;
  const auto f = [&](const std::vector<Var>& in) {
    runs += recomputing() ? "again " : "first ";
    return times(in[0], in[0]);
  };
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  tape.backward(recompute(f, {x}), {.retain = true});
  CHECK(runs == "first again ");
  CHECK_FALSE(recomputing());
}

TEST_CASE("recompute can be nested") {
  Parameter w("w", vector({1.5}));
  int runs = 0;
  const auto inner = [&](const std::vector<Var>& in) {
    ++runs;
    return shaken(times(exponential(in[0]), w));
  };
  const auto outer = [&](const std::vector<Var>& in) {
    const Var first = recompute(inner, {shaken(in[0])});
    return times(first, recompute(inner, {in[0]}));
  };
  const auto plain = [&](const Var& x) {
    const Var first = inner({shaken(x)});
    return times(first, inner({x}));
  };
  double gradients[2], weights[2];
  for (const bool again : {false, true}) {
    Generator fresh(3);
    Tape tape(fresh);
    const Var x = tape.leaf(vector({0.4}));
    const Var y = again ? recompute(outer, {x}) : plain(x);
    tape.backward(y);
    gradients[again] = tape.grad(x).item();
    weights[again] = w.grad().item();
    w.clear_grad();
  }
  CHECK(gradients[0] == doctest::Approx(gradients[1]).epsilon(1e-14));
  CHECK(weights[0] == doctest::Approx(weights[1]).epsilon(1e-14));
  CHECK(runs == 2 + 2 + 2 + 2);
}

TEST_CASE("recompute under create_graph: second derivatives, random numbers and parameters included") {
  Parameter w("w", vector({0.7, -0.2}));
  double slopes[2], curvatures[2], weights[2];
  for (const bool again : {false, true}) {
    Generator draws(5);
    Tape tape(draws);
    const Var x = tape.leaf(vector({0.3, 0.8}));
    const auto f = [&](const std::vector<Var>& in) { return shaken(exponential(times(times(in[0], w), in[0]))); };
    const Var squared = times(x, x);
    const Var y = plus(total(again ? recompute(f, {squared}) : f({squared})), total(times(w, squared)));
    const auto slope = grad(y, {x, w}, {.create_graph = true});
    slopes[again] = total_of(slope[1].value());
    CHECK(draws.position() == 1);
    const Var both = plus(total(times(slope[0], slope[0])), total(times(slope[1], slope[1])));
    tape.backward(both);
    curvatures[again] = total_of(tape.grad(x));
    weights[again] = w.grad().at({1});
    w.clear_grad();
  }
  CHECK(slopes[0] == doctest::Approx(slopes[1]).epsilon(1e-14));
  CHECK(curvatures[0] == doctest::Approx(curvatures[1]).epsilon(1e-13));
  CHECK(weights[0] == doctest::Approx(weights[1]).epsilon(1e-13));
}

TEST_CASE("a Var of the tape that isn't among the inputs is an error that says so") {
  Tape tape;
  const Var x = tape.leaf(vector({2})), captured = times(x, x);
  const std::string used =
      message_of([&] { recompute([&](const std::vector<Var>& in) { return times(in[0], captured); }, {x}); });
  CHECK(mentions(used, "recompute's inputs"));
  CHECK(mentions(used, "[times]"));
  const std::string returned = message_of([&] { recompute([&](const std::vector<Var>&) { return captured; }, {x}); });
  CHECK(mentions(returned, "list it"));
  const std::string nested = message_of([&] {
    recompute(
        [&](const std::vector<Var>& in) {
          return recompute([&](const std::vector<Var>& inside) { return times(inside[0], in[0]); }, {times(in[0], in[0])});
        },
        {x});
  });
  CHECK(nested != "");
  // Its value alone is a constant like any other.
  const Var y = recompute([&](const std::vector<Var>& in) { return times(in[0], captured.detach()); }, {x});
  tape.backward(y);
  CHECK(tape.grad(x).item() == 4);
}

TEST_CASE("gradients inside of a recomputed function need a tape of their own") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const auto slope = [](const std::vector<Var>& in) { return grad(times(in[0], in[0]), {in[0]}, {.create_graph = true})[0]; };
  CHECK(mentions(message_of([&] { recompute(slope, {x}); }), "a tape of their own"));
  const auto own = [](const std::vector<Var>& in) {
    Tape inner;
    const Var y = inner.leaf(in[0]);
    const Tensor gradient = grad(times(y, y), {y})[0].value();
    return times(Var(gradient), Var(gradient));
  };
  CHECK(recompute(own, {x}).item() == 16);
}

TEST_CASE("what changed since is an error") {
  Parameter w("w", vector({3}));
  Tape tape;
  const Var x = tape.leaf(vector({2}).clone());
  const auto f = [&](const std::vector<Var>& in) { return times(in[0], w); };
  const Var y = recompute(f, {x}), z = recompute(f, {x});
  w.mutable_value().fill(4);
  CHECK(mentions(message_of([&] { tape.backward(y); }), "changed"));
  Tensor same = x.value();
  same.fill(1);
  CHECK(mentions(message_of([&] { tape.backward(z); }), "changed"));
}

TEST_CASE("a parameter that went before backward is an error") {
  auto w = std::make_unique<Parameter>("w", vector({3}));
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var y = recompute([&](const std::vector<Var>& in) { return times(in[0], *w); }, {x});
  w.reset();
  CHECK(mentions(message_of([&] { tape.backward(y); }), "gone"));
}

TEST_CASE("a function that does something else when it runs again is an error") {
  Parameter w("w", vector({3})), other("other", vector({3}));
  Tape tape;
  const Var x = tape.leaf(vector({2, 3}));
  const auto shorter = [](const std::vector<Var>& in) { return recomputing() ? slice(in[0], 0, 0, 1) : in[0]; };
  CHECK(mentions(message_of([&] { tape.backward(total(recompute(shorter, {x}))); }), "[1]"));
  const auto changing = [&](const std::vector<Var>& in) { return times(in[0], recomputing() ? other : w); };
  CHECK(mentions(message_of([&] { tape.backward(total(recompute(changing, {x}))); }), "'other'"));
  const auto none = [](const std::vector<Var>&) { return Var(); };
  CHECK(mentions(message_of([&] { recompute(none, {x}); }), "undefined"));
  CHECK_THROWS_AS(recompute(std::function<Var(const std::vector<Var>&)>(), {x}), ValueError);
  // Errors inside leave the tape usable.
  const auto fails = [](const std::vector<Var>& in) -> Var {
    if (recomputing()) throw ValueError("on purpose");
    return times(in[0], in[0]);
  };
  CHECK_THROWS_AS(tape.backward(total(recompute(fails, {x}))), ValueError);
  CHECK(Tape::recording() == &tape);
  tape.backward(total(times(x, x)));
  CHECK(tape.grad(x).at({1}) == 6);
}

TEST_CASE("recompute: an input that is returned as it is, and one that stands twice") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  tape.backward(recompute([](const std::vector<Var>& in) { return in[0]; }, {x}));
  CHECK(tape.grad(x).item() == 1);
  tape.backward(recompute([](const std::vector<Var>& in) { return times(in[0], in[1]); }, {x, x}));
  CHECK(tape.grad(x).item() == 4);
  const Var y = recompute([](const std::vector<Var>& in) { return times(in[0], in[1]); }, {x, x});
  const Var slope = grad(y, {x}, {.create_graph = true})[0];
  CHECK(grad(slope, {x})[0].item() == 2);
}
