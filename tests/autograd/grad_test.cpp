#include "weft/autograd/grad.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "autograd/local_ops.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::test;

namespace {

template <class E, class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// x^3 + exp(x y), summed: something of every kind of second derivative.
Var mixed(const std::vector<Var>& in) {
  return plus(total(times(times(in[0], in[0]), in[0])), total(exponential(times(in[0], in[1]))));
}

std::vector<Tensor> gradients_at(const std::vector<Tensor>& inputs) {
  Tape tape;
  std::vector<Var> leaves;
  for (const Tensor& input : inputs) leaves.push_back(tape.leaf(input));
  std::vector<Tensor> result;
  for (const Var& gradient : grad(mixed(leaves), leaves)) result.push_back(gradient.value());
  return result;
}

// (gradient(x + step v) - gradient(x - step v)) / 2 step
std::vector<Tensor> numeric_product(const std::vector<Tensor>& inputs, const std::vector<Tensor>& vectors) {
  constexpr double step = 1e-5;
  std::vector<Tensor> high, low;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    high.push_back(kernels::add(inputs[i], kernels::binary(kernels::Binary::mul, vectors[i], step)));
    low.push_back(kernels::add(inputs[i], kernels::binary(kernels::Binary::mul, vectors[i], -step)));
  }
  const auto above = gradients_at(high), below = gradients_at(low);
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor difference = kernels::binary(kernels::Binary::sub, above[i], below[i], "test");
    result.push_back(kernels::binary(kernels::Binary::mul, difference, 0.5 / step));
  }
  return result;
}

void check_close(const Tensor& found, const Tensor& wanted, double tolerance = 1e-8) {
  REQUIRE(found.shape() == wanted.shape());
  for (std::int64_t i = 0; i < found.numel(); ++i)
    CHECK(found.reshape({-1}).at({i}) == doctest::Approx(wanted.reshape({-1}).at({i})).epsilon(tolerance));
}

}  // namespace

TEST_CASE("grad: leaves, parameters and values in the middle") {
  Parameter w("w", vector({5, 7}));
  Tape tape;
  const Var x = tape.leaf(vector({2, 3}));
  const Var middle = times(x, w);              // 10, 21
  const Var y = total(times(middle, middle));  // (x w)^2
  const auto found = grad(y, {x, middle, w});
  CHECK(found[0].value().at({0}) == 2 * 10 * 5);
  CHECK(found[1].value().at({1}) == 2 * 21);
  CHECK(found[2].value().at({1}) == 2 * 21 * 3);
  CHECK_FALSE(w.grad().defined());
  CHECK_FALSE(found[0].requires_grad());
}

TEST_CASE("grad leaves alone what the last backward left") {
  Parameter w("w", vector({5}));
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var y = times(x, w);
  tape.backward(y, {.retain = true});
  CHECK(grad(times(y, y), {x})[0].item() == 2 * 10 * 5);
  CHECK(tape.grad(x).item() == 5);
  CHECK(w.grad().item() == 2);
}

TEST_CASE("grad leaves nothing behind where it stops") {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3}));
  const Var square = times(x, x), loss = total(square);
  for (int pass = 0; pass < 2; ++pass) CHECK(grad(loss, {square}, {.retain = true})[0].value().at({1}) == 1);
  CHECK(grad(loss, {x})[0].value().at({1}) == 6);
  CHECK(grad(total(square), {square})[0].value().at({1}) == 1);  // whose maker's rule is gone
}

TEST_CASE("grad: several outputs, given cotangents, the output itself") {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3}));
  const Var square = times(x, x), twice = plus(x, x);
  CHECK(grad({total(square), total(twice)}, {x}, {.retain = true})[0].value().at({1}) == 8);
  const auto found = grad({square, twice}, {x, square}, {.grad_outputs = {vector({1, 10}), vector({100, 1000})}});
  CHECK(found[0].value().at({0}) == 204);
  CHECK(found[0].value().at({1}) == 2060);
  CHECK(found[1].value().at({1}) == 10);
  CHECK(grad(x, {x}, {.grad_outputs = {vector({3, 4})}})[0].value().at({1}) == 4);
  CHECK(grad(x, {x, x}, {.grad_outputs = {vector({3, 4})}})[1].value().at({0}) == 3);
  CHECK(grad(total(x), {}).empty());
}

TEST_CASE("grad: a cotangent may be NaN where nobody looks for it") {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3}));
  const double quiet_nan = std::numeric_limits<double>::quiet_NaN();
  const Var slope = grad(times(x, x), {x}, {.grad_outputs = {vector({quiet_nan, 1})}})[0];
  CHECK(std::isnan(slope.value().at({0})));
  CHECK(slope.value().at({1}) == 6);
}

TEST_CASE("grad: an input that no output depends on has zeros") {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3})), other = tape.leaf(Tensor::ones({2, 0, 3}, f64));
  const auto found = grad({total(times(x, x)), Var(vector({1}))}, {other, x});
  CHECK(found[0].shape() == Shape{2, 0, 3});
  CHECK(found[1].value().at({0}) == 4);
  CHECK(grad(Var(vector({1})), {x})[0].value().at({1}) == 0);
  // What comes after the input doesn't lead to it.
  const Var late = times(x, x);
  CHECK(grad(total(x), {late})[0].value().at({1}) == 0);
}

TEST_CASE("grad runs the rules between outputs and inputs alone") {
  Tape tape;
  const Var x = tape.leaf(vector({2})), y = tape.leaf(vector({3}));
  int runs = 0;
  const auto counted = [&](const Var& v) {
    return record("counted", v.value().clone(), {&v}, [&runs](Sink& s) {
      ++runs;
      s.add(0, s.grad());
    });
  };
  const Var below = counted(y), beside = counted(x), middle = times(x, below);
  const Var z = plus(times(middle, middle), beside);
  CHECK(grad(z, {middle})[0].item() == 12);
  CHECK(runs == 0);
  // What didn't run has kept its captures.
  CHECK(grad(beside, {x})[0].item() == 1);
  CHECK(runs == 1);
}

TEST_CASE("grad: a rule isn't asked for what nobody wants") {
  Tape tape;
  const Var x = tape.leaf(vector({2})), y = tape.leaf(vector({3}));
  std::string asked;
  const Var z = record("pair", vector({1}), {&x, &y}, [&asked](Sink& s) {
    asked += s.wants(0) ? "0" : "";
    asked += s.wants(1) ? "1" : "";
    s.add(0, s.grad());
    s.add(1, s.grad());
  });
  grad(z, {y}, {.retain = true});
  CHECK(asked == "1");
  CHECK(tape.grad(x).item() == 0);
  tape.backward(z);
  CHECK(asked == "101");
}

TEST_CASE("grad with create_graph: higher orders") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  Var y = times(times(x, x), times(x, x));
  for (const double wanted : {32.0, 48.0, 48.0, 24.0, 0.0}) {
    y = grad(y, {x}, {.create_graph = true})[0];
    CHECK(y.item() == wanted);
  }
}

TEST_CASE("a gradient that is part of a loss") {
  Parameter w("w", vector({3}));
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var y = times(times(x, x), w);
  const Var slope = grad(y, {x}, {.create_graph = true})[0];  // 2 x w
  CHECK_FALSE(w.grad().defined());
  tape.backward(plus(times(slope, slope), y));  // d/dw: 8 x^2 w + x^2
  CHECK(w.grad().item() == 8 * 4 * 3 + 4);
}

TEST_CASE("grad releases what its rules captured, unless told to retain") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  const Var y = times(x, x);
  grad(y, {x}, {.retain = true});
  grad(y, {x});
  CHECK(mentions(message_of<TapeError>([&] { grad(y, {x}); }), "'times'"));
  CHECK(grad(plus(x, x), {x})[0].item() == 2);
}

TEST_CASE("an exception in grad leaves gradients as they were") {
  Tape tape;
  const Var x = tape.leaf(vector({2}));
  tape.backward(times(x, x));
  const Var broken = record("broken", vector({1}), {&x}, [](Sink&) { throw ValueError("on purpose"); });
  const Var y = plus(broken, x);
  CHECK_THROWS_AS(grad(y, {x}), ValueError);
  CHECK(tape.grad(x).item() == 4);
  CHECK(grad(plus(x, x), {x})[0].item() == 2);
}

TEST_CASE("errors of grad") {
  Tape tape;
  const Var x = tape.leaf(vector({2, 3})), constant = vector({1, 2});
  const Var y = times(x, x), sum = total(y);
  CHECK(mentions(message_of<TapeError>([&] { grad(total(y), {x, constant}); }), "input 1 isn't on a tape"));
  CHECK(mentions(message_of<TapeError>([&] { grad(total(y), {Var()}); }), "input 0"));
  CHECK(mentions(message_of<TapeError>([&] { grad(Var(), {x}); }), "undefined"));
  CHECK(mentions(message_of<ShapeError>([&] { grad(y, {x}); }), "[2]"));
  CHECK(mentions(message_of<ShapeError>([&] { grad(y, {x}, {.grad_outputs = {vector({1, 2, 3})}}); }), "[3]"));
  CHECK_THROWS_AS(grad(y, {x}, {.grad_outputs = {vector({1, 2}), vector({1, 2})}}), ValueError);
  CHECK_THROWS_AS(grad(y, {x}, {.grad_outputs = {Tensor::ones({2}, f32)}}), DTypeError);
  {
    const NoGrad guard;
    CHECK_THROWS_AS(grad(sum, {x}, {.create_graph = true}), TapeError);
    CHECK(grad(sum, {x}, {.retain = true})[0].value().at({0}) == 4);
    CHECK_THROWS_AS(hvp(mixed, {vector({1}), vector({1})}, {vector({1}), vector({1})}), TapeError);
  }
  Var stray;
  {
    Tape inner;
    stray = inner.leaf(vector({1}));
    CHECK(mentions(message_of<TapeError>([&] { grad(stray, {x, stray}); }), "different tapes"));
    CHECK(mentions(message_of<TapeError>([&] { grad(stray, {x}); }), "output 0"));
    CHECK(grad(sum, {x}, {.retain = true})[0].value().at({0}) == 4);  // an outer tape's gradient, from inside
  }
  CHECK(mentions(message_of<TapeError>([&] { grad(stray, {stray}); }), "gone"));
}

TEST_CASE("hvp agrees with closed forms and central differences") {
  const std::vector<Tensor> inputs = {vector({0.5, -0.3}), vector({0.2, 0.9})}, vectors = {vector({1, 2}), vector({-1, 0.5})};
  const auto found = hvp(mixed, inputs, vectors), numeric = numeric_product(inputs, vectors);
  REQUIRE(found.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) check_close(found[i], numeric[i], 1e-7);
  // e = exp(x y): f_xx = 6 x + y^2 e, f_xy = (1 + x y) e
  const double x = 0.5, y = 0.2, e = std::exp(x * y);
  CHECK(found[0].at({0}) == doctest::Approx((6 * x + y * y * e) - (1 + x * y) * e).epsilon(1e-12));
  CHECK(found[1].at({0}) == doctest::Approx((1 + x * y) * e - x * x * e).epsilon(1e-12));
  CHECK_THROWS_AS(hvp(mixed, inputs, {vector({1, 2})}), ValueError);
  CHECK_THROWS_AS(hvp(mixed, inputs, {vector({1, 2}), vector({1})}), ShapeError);
  CHECK_THROWS_AS(hvp([](const auto& in) { return in[0]; }, {vector({1, 2})}, {vector({1, 2})}), ShapeError);
  CHECK(hvp([](const auto& in) { return total(in[0]); }, {vector({1, 2})}, {vector({1, 2})})[0].at({1}) == 0);  // linear
}

TEST_CASE("jacobian is dense, output first") {
  const auto f = [](const std::vector<Var>& in) { return times(in[0], in[1]); };  // [2, 3] * [3]
  const Tensor a = Tensor::from<double>({1, 2, 3, 4, 5, 6}, {2, 3}), b = vector({7, 8, 9});
  const auto found = jacobian(f, {a, b});
  CHECK(found[0].shape() == Shape{2, 3, 2, 3});
  CHECK(found[1].shape() == Shape{2, 3, 3});
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 3; ++j)
      for (std::int64_t l = 0; l < 3; ++l) {
        CHECK(found[0].at({i, j, 1 - i, l}) == 0);
        CHECK(found[0].at({i, j, i, l}) == (j == l ? b.at({l}) : 0));
        CHECK(found[1].at({i, j, l}) == (j == l ? a.at({i, l}) : 0));
      }
  CHECK(jacobian([](const auto&) { return Var(vector({1, 2})); }, {b})[0].shape() == Shape{2, 3});
  CHECK(jacobian(f, {Tensor::ones({0, 3}, f64), b})[1].shape() == Shape{0, 3, 3});
  CHECK_THROWS_AS(jacobian(f, {Tensor::ones({1, 1, 1, 1, 3}, f64), b}), ShapeError);
  CHECK_THROWS_AS(jacobian([](const auto&) { return Var(); }, {b}), ValueError);
}

TEST_CASE("hessian") {
  const auto cubes = [](const Var& x) { return total(times(times(x, x), x)); };
  const Tensor found = hessian(cubes, vector({1, -2, 3}));
  CHECK(found.shape() == Shape{3, 3});
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 3; ++j) CHECK(found.at({i, j}) == (i == j ? 6 * vector({1, -2, 3}).at({i}) : 0));
  const auto product = [](const Var& x) { return times(slice(x, 0, 0, 1), slice(x, 0, 1, 2)); };
  const Tensor cross = hessian(product, vector({5, 7}));
  CHECK(cross.at({0, 1}) == 1);
  CHECK(cross.at({1, 0}) == 1);
  CHECK(cross.at({0, 0}) == 0);
  CHECK(hessian([](const Var& x) { return total(x); }, Tensor::ones({2, 2}, f64)).shape() == Shape{2, 2, 2, 2});
  CHECK_THROWS_AS(hessian([](const Var& x) { return x; }, vector({1, 2})), ShapeError);
}

TEST_CASE("per-sample gradients") {
  Parameter w("w", vector({2, 3})), unused("unused", vector({1}));
  const Tensor x = Tensor::from<double>({1, 2, 3, 4, 5, 6}, {3, 2}), y = vector({10, 20, 30});
  const auto loss = [&](const std::vector<Tensor>& sample) {  // y (x . w)
    return total(times(times(sample[0], w), sample[1]));
  };
  Parameter* const parameters[] = {&w, &unused};
  const auto found = per_sample_gradients(loss, parameters, {x, y});
  CHECK(found[0].shape() == Shape{3, 2});
  CHECK(found[1].shape() == Shape{3, 1});
  for (std::int64_t k = 0; k < 3; ++k)
    for (std::int64_t i = 0; i < 2; ++i) CHECK(found[0].at({k, i}) == x.at({k, i}) * y.at({k}));
  CHECK_FALSE(w.grad().defined());
  const auto with_leaves = [](const std::vector<Var>& in, const std::vector<Tensor>& sample) {
    return total(times(times(sample[0], in[0]), sample[1]));
  };
  check_close(per_sample_gradients(with_leaves, {w.value()}, {x, y})[0], found[0]);
  CHECK_THROWS_AS(per_sample_gradients(loss, parameters, {x, vector({1, 2})}), ShapeError);
  CHECK_THROWS_AS(per_sample_gradients(loss, parameters, {x, Tensor::ones({}, f64)}), ShapeError);
  CHECK_THROWS_AS(per_sample_gradients(loss, parameters, {}), ValueError);
  CHECK_THROWS_WITH_AS(per_sample_gradients(loss, std::vector<Parameter*>{nullptr}, {x, y}),
                       "[per_sample_gradients] a parameter is a null pointer", ValueError);
  CHECK(per_sample_gradients(loss, parameters, {x.slice(0, 0, 0), y.slice(0, 0, 0)})[0].shape() == Shape{0, 2});
}
