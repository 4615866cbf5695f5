// lstm, gru, rnn and their steps: values by hand, the composite form of their gradients against the fused one, padding in
// both orders, errors.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/work.hpp"
#include "ops/cases.hpp"
#include "support/lengths.hpp"
#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/gru.hpp"
#include "weft/ops/lstm.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/rnn.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using test::lengths_of;
using namespace weft::test;
using doctest::Approx;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Tensor vector(std::initializer_list<double> values) { return Tensor::from(values, {static_cast<std::int64_t>(values.size())}); }
Tensor column(std::initializer_list<double> values) { return vector(values).unsqueeze(1); }
double sigma(double x) { return 1 / (1 + std::exp(-x)); }

bool is_recurrent(const Case& row) {
  for (const char* op : {"lstm", "lstm_step", "gru", "gru_step", "rnn", "rnn_step"})
    if (row.op == op) return true;
  return false;
}

// The gradients of a row's inputs, fused or in the composite form that create_graph takes.
std::vector<Tensor> gradients_of(const Case& row, bool create_graph) {
  Tape tape;
  std::vector<Var> leaves;
  for (const Tensor& input : row.inputs) leaves.push_back(tape.leaf(input));
  const Var output = row.function(leaves);
  tape.backward(output, uniform(output.shape(), -1, 1, 5), {.create_graph = create_graph});
  std::vector<Tensor> gradients;
  for (const Var& leaf : leaves) gradients.push_back(tape.grad(leaf).clone());
  return gradients;
}

// Operands for [batch, steps, 2] with three units, random ones.
struct Operands {
  Tensor x, w_ih, w_hh, b_ih, b_hh, h, c;
  explicit Operands(std::int64_t gates, Shape input = {2, 4, 2})
      : x(uniform(input, -1, 1, 1)),
        w_ih(uniform({3 * gates, 2}, -1, 1, 2)),
        w_hh(uniform({3 * gates, 3}, -1, 1, 3)),
        b_ih(uniform({3 * gates}, -1, 1, 4)),
        b_hh(uniform({3 * gates}, -1, 1, 5)),
        h(uniform({input[0], 3}, -1, 1, 6)),
        c(uniform({input[0], 3}, -1, 1, 7)) {}
};

bool has_nan(const Tensor& x) { return std::isnan(largest(x)); }

// f(operands, lengths) -> everything that the layer gives, for each operation over sequences.
template <class Body>
void for_each_sequence(const Body& body) {
  body("lstm", Operands(4), [](const std::vector<Var>& v, const Tensor& lengths, bool reverse) {
    const LSTMResult r = lstm(v[0], v[1], v[2], v[3], v[4], {.lengths = lengths, .reverse = reverse}, {v[5], v[6]});
    return concat({reshape(r.output, {-1}), reshape(r.h, {-1}), reshape(r.c, {-1})}, 0);
  });
  body("gru", Operands(3), [](const std::vector<Var>& v, const Tensor& lengths, bool reverse) {
    const GRUResult r = gru(v[0], v[1], v[2], v[3], v[4], {.lengths = lengths, .reverse = reverse}, v[5]);
    return concat({reshape(r.output, {-1}), reshape(r.h, {-1})}, 0);
  });
  for (const RNNNonlinearity kind : {RNNNonlinearity::tanh, RNNNonlinearity::relu})
    body("rnn", Operands(1), [kind](const std::vector<Var>& v, const Tensor& lengths, bool reverse) {
      const RNNResult r =
          rnn(v[0], v[1], v[2], v[3], v[4], {.lengths = lengths, .reverse = reverse, .nonlinearity = kind}, v[5]);
      return concat({reshape(r.output, {-1}), reshape(r.h, {-1})}, 0);
    });
}

// f(operands, active) -> the new states, for each step.
template <class Body>
void for_each_step(const Body& body) {
  body("lstm_step", Operands(4, {3, 2}), [](const std::vector<Var>& v, const Tensor& active) {
    const LSTMState next = lstm_step(v[0], {v[5], v[6]}, v[1], v[2], v[3], v[4], active);
    return concat({next.h, next.c}, 1);
  });
  body("gru_step", Operands(3, {3, 2}),
       [](const std::vector<Var>& v, const Tensor& active) { return gru_step(v[0], v[5], v[1], v[2], v[3], v[4], active); });
  for (const RNNNonlinearity kind : {RNNNonlinearity::tanh, RNNNonlinearity::relu})
    body("rnn_step", Operands(1, {3, 2}), [kind](const std::vector<Var>& v, const Tensor& active) {
      return rnn_step(v[0], v[5], v[1], v[2], v[3], v[4], active, kind);
    });
}

std::vector<Tensor> tensors_of(const Operands& o) { return {o.x, o.w_ih, o.w_hh, o.b_ih, o.b_hh, o.h, o.c}; }
std::vector<Var> vars_of(const Operands& o) { return {o.x, o.w_ih, o.w_hh, o.b_ih, o.b_hh, o.h, o.c}; }

// First and second order gradients of sum(f^2) with respect to all operands.
template <class Function>
std::vector<Tensor> both_orders(const std::vector<Tensor>& operands, const Function& f) {
  Tape tape;
  std::vector<Var> leaves;
  for (const Tensor& v : operands) leaves.push_back(tape.leaf(v));
  tape.backward(sum(square(f(leaves))), {.create_graph = true});
  std::vector<Tensor> result;
  Var total = Var::scalar(0, operands[0].dtype());
  for (const Var& leaf : leaves) {
    const Var gradient = tape.grad_var(leaf);
    result.push_back(gradient.value().clone());
    total = total + sum(square(gradient));
  }
  tape.backward(total);
  for (const Var& leaf : leaves) result.push_back(tape.grad(leaf).clone());
  return result;
}

}  // namespace

TEST_CASE("one unit's GRU step by hand") {
  const double x = 0.5, h = -0.3;
  const double r = sigma(0.2 * x + 0.1 + 0.7 * h - 0.2), z = sigma(-0.4 * x + 0.3 + 0.6 * h + 0.5);
  const double n = std::tanh(0.9 * x - 0.6 + r * (-0.8 * h + 0.4));
  const Var next = gru_step(column({x}), column({h}), column({0.2, -0.4, 0.9}), column({0.7, 0.6, -0.8}),
                            vector({0.1, 0.3, -0.6}), vector({-0.2, 0.5, 0.4}));
  CHECK(next.item() == Approx((1 - z) * n + z * h).epsilon(1e-14));
}

TEST_CASE("one unit's RNN step and LSTM step by hand") {
  const double x = 0.5, h = -0.3, c = 0.8;
  const double sum = 0.2 * x + 0.1 + 0.7 * h - 0.2;
  const auto step = [&](RNNNonlinearity kind, double sign) {
    return rnn_step(column({x}), column({h}), column({0.2 * sign}), column({0.7 * sign}), vector({0.1 * sign}),
                    vector({-0.2 * sign}), {}, kind)
        .item();
  };
  CHECK(step(RNNNonlinearity::tanh, 1) == Approx(std::tanh(sum)).epsilon(1e-14));
  CHECK(step(RNNNonlinearity::relu, 1) == 0);
  CHECK(step(RNNNonlinearity::relu, -1) == Approx(-sum).epsilon(1e-14));

  const double cell = sigma(-0.4 * x + 0.6 * h) * c + sigma(0.2 * x + 0.7 * h) * std::tanh(0.9 * x - 0.8 * h);
  const LSTMState next =
      lstm_step(column({x}), {column({h}), column({c})}, column({0.2, -0.4, 0.9, 1.1}), column({0.7, 0.6, -0.8, 0.3}));
  CHECK(next.c.item() == Approx(cell).epsilon(1e-14));
  CHECK(next.h.item() == Approx(sigma(1.1 * x + 0.3 * h) * std::tanh(cell)).epsilon(1e-14));
}

TEST_CASE("the derivative of an RNN's relu at 0 is 0") {
  Tape tape;
  const Var x = tape.leaf(column({0.0}));
  tape.backward(rnn_step(x, {}, column({2.0}), column({1.0}), {}, {}, {}, RNNNonlinearity::relu));
  CHECK(tape.grad(x).item() == 0);
}

TEST_CASE("steps one after the other give what the sequence gives") {
  const Operands g(3), p(1);
  Var h = g.h, state = p.h;
  const GRUResult expected = gru(g.x, g.w_ih, g.w_hh, g.b_ih, g.b_hh, {}, g.h);
  const RNNResult plain = rnn(p.x, p.w_ih, p.w_hh, p.b_ih, p.b_hh, {.nonlinearity = RNNNonlinearity::relu}, p.h);
  for (std::int64_t t = 0; t < 4; ++t) {
    h = gru_step(g.x.select(1, t), h, g.w_ih, g.w_hh, g.b_ih, g.b_hh);
    CHECK(largest_difference(h.value(), expected.output.value().select(1, t)) < 1e-14);
    state = rnn_step(p.x.select(1, t), state, p.w_ih, p.w_hh, p.b_ih, p.b_hh, {}, RNNNonlinearity::relu);
    CHECK(largest_difference(state.value(), plain.output.value().select(1, t)) < 1e-14);
  }
  CHECK(largest_difference(h.value(), expected.h.value()) < 1e-14);
  CHECK(largest_difference(state.value(), plain.h.value()) < 1e-14);
}

TEST_CASE("fused and composite gradients of recurrent operations agree") {
  for (const Case& row : cases()) {
    if (!is_recurrent(row)) continue;
    INFO(row.op, ": ", row.variant);
    const auto fused = gradients_of(row, false), composite = gradients_of(row, true);
    for (std::size_t i = 0; i < fused.size(); ++i) {
      CAPTURE(i);
      CHECK(fused[i].shape() == composite[i].shape());
      CHECK(largest_difference(fused[i], composite[i]) <= 1e-12 * std::max(1.0, largest(fused[i])));
    }
  }
}

TEST_CASE("what stands in padding reaches no result, no gradient and no second derivative") {
  for_each_sequence([](const char* op, const Operands& o, const auto& f) {
    for (const bool reverse : {false, true}) {
      INFO(op, reverse ? ", reverse" : "");
      const auto run = [&](double padding) {
        std::vector<Tensor> operands = tensors_of(o);
        operands[0] = operands[0].clone();
        Tensor behind = operands[0].select(0, 1).slice(0, 2, 4);
        behind.fill(padding);
        return both_orders(operands, [&](const std::vector<Var>& v) { return f(v, lengths_of({4, 2}), reverse); });
      };
      const auto clean = run(0), dirty = run(not_a_number);
      for (std::size_t i = 0; i < clean.size(); ++i) CHECK(largest_difference(clean[i], dirty[i]) == 0);
      CHECK(largest(dirty[0].select(0, 1).slice(0, 2, 4)) == 0);
    }
  });
}

TEST_CASE("what a resting row holds reaches only its own state") {
  const Tensor active = Tensor::from<bool>({true, false, true}, {3});
  for_each_step([&](const char* op, const Operands& o, const auto& f) {
    INFO(op);
    const auto run = [&](double value) {
      std::vector<Tensor> operands = tensors_of(o);
      for (const std::size_t i : {0u, 5u, 6u}) {
        operands[i] = operands[i].clone();
        Tensor row = operands[i].select(0, 1);
        row.fill(value);
      }
      // A resting row's state passes through; the sum leaves it out.
      const Tensor shown = active.unsqueeze(1);
      return both_orders(operands, [&](const std::vector<Var>& v) { return where(shown, f(v, active), Var::scalar(0, f64)); });
    };
    const auto clean = run(0), dirty = run(not_a_number);
    for (std::size_t i = 0; i < clean.size(); ++i) CHECK(largest_difference(clean[i], dirty[i]) == 0);
  });
}

TEST_CASE("lengths are i64 or i32, and the longest needn't reach the last step") {
  for_each_sequence([](const char* op, const Operands& o, const auto& f) {
    INFO(op);
    const Var wide = f(vars_of(o), lengths_of({3, 1}), true);
    CHECK(largest_difference(f(vars_of(o), lengths_of({3, 1}).to(i32), true).value(), wide.value()) == 0);
    CHECK(largest(wide.value().slice(0, 9, 12)) == 0);  // row 0, step 3
  });
}

TEST_CASE("the multiply-adds of recurrent operations are counted") {
  const auto work_of = [](const auto& call) {
    const std::int64_t before = kernels::multiply_adds;
    call();
    return kernels::multiply_adds - before;
  };
  const auto weights = [](const Operands& o) { return o.w_ih.numel() + o.w_hh.numel(); };
  for_each_sequence([&](const char* op, const Operands& o, const auto& f) {
    INFO(op);
    CHECK(work_of([&] { f(vars_of(o), Tensor(), false); }) == 2 * 4 * weights(o));
  });
  for_each_step([&](const char* op, const Operands& o, const auto& f) {
    INFO(op);
    CHECK(work_of([&] { f(vars_of(o), Tensor()); }) == 3 * weights(o));
  });
}

TEST_CASE("a NaN that is read shows") {
  for_each_sequence([](const char* op, const Operands& o, const auto& f) {
    INFO(op);
    std::vector<Var> operands = vars_of(o);
    Tensor x = o.x.clone();
    Tensor element = x.select(0, 0).select(0, 3);
    element.fill(not_a_number);
    operands[0] = x;
    CHECK(has_nan(f(operands, Tensor(), false).value()));
    CHECK_FALSE(has_nan(f(operands, lengths_of({3, 4}), false).value()));
    for (Var& v : operands) v = v.value().to(f32);
    CHECK(has_nan(f(operands, Tensor(), false).value()));
  });
}

TEST_CASE("weights that change between forward and backward are an error") {
  for_each_sequence([](const char* op, const Operands& o, const auto& f) {
    INFO(op);
    for (const bool create_graph : {false, true}) {
      std::vector<Tensor> operands = tensors_of(o);
      operands[2] = operands[2].clone();
      Tape tape;
      std::vector<Var> leaves;
      for (const Tensor& v : operands) leaves.push_back(tape.leaf(v));
      const Var loss = sum(f(leaves, Tensor(), false));
      operands[2].fill(1);
      CHECK_THROWS_AS(tape.backward(loss, {.create_graph = create_graph}), TapeError);
    }
  });
}

TEST_CASE("what doesn't fit a recurrent operation is refused by name with shapes") {
  for_each_sequence([](const char* op, const Operands& o, const auto& f) {
    INFO(op);
    const auto with = [&](std::size_t i, const Var& v) {
      std::vector<Var> operands = vars_of(o);
      operands[i] = v;
      f(operands, Tensor(), false);
    };
    const std::string name = "[" + std::string(op) + "]";
    CHECK_THROWS_WITH_AS(with(0, Tensor::zeros({2, 4, 5}, f64)), doctest::Contains("[2, 4, 5]"), ShapeError);
    CHECK_THROWS_WITH_AS(with(0, Tensor::zeros({4, 2}, f64)), doctest::Contains(name.c_str()), ShapeError);
    CHECK_THROWS_AS(with(0, Var()), ValueError);
    CHECK_THROWS_AS(with(1, Tensor::zeros({7, 2}, f64)), ShapeError);
    CHECK_THROWS_WITH_AS(with(2, Tensor::zeros({7, 3}, f64)), doctest::Contains("[7, 3]"), ShapeError);
    CHECK_THROWS_AS(with(2, Var()), ValueError);
    CHECK_THROWS_WITH_AS(with(3, Tensor::zeros({2}, f64)), doctest::Contains(name.c_str()), ShapeError);
    CHECK_THROWS_AS(with(4, Tensor::zeros(o.b_hh.shape(), f32)), DTypeError);
    CHECK_THROWS_WITH_AS(with(5, Tensor::zeros({3, 3}, f64)), doctest::Contains("[3, 3]"), ShapeError);
    const auto lengths = [&](const Tensor& given) { f(vars_of(o), given, false); };
    CHECK_THROWS_WITH_AS(lengths(lengths_of({5, 1})), doctest::Contains(name.c_str()), ValueError);
    CHECK_THROWS_AS(lengths(lengths_of({-1, 1})), ValueError);
    CHECK_THROWS_AS(lengths(lengths_of({1})), ShapeError);
    CHECK_THROWS_AS(lengths(Tensor::ones({2}, f64)), DTypeError);
  });
}

TEST_CASE("what doesn't fit a recurrent step is refused by name with shapes") {
  for_each_step([](const char* op, const Operands& o, const auto& f) {
    INFO(op);
    const std::string name = "[" + std::string(op) + "]";
    std::vector<Var> operands = vars_of(o);
    CHECK_THROWS_WITH_AS(f(operands, Tensor::from<bool>({true}, {1})), doctest::Contains(name.c_str()), ShapeError);
    CHECK_THROWS_AS(f(operands, Tensor::ones({3}, f64)), ShapeError);
    operands[5] = Tensor::zeros({3, 4}, f64);
    CHECK_THROWS_WITH_AS(f(operands, Tensor()), doctest::Contains("[3, 4]"), ShapeError);
    operands[0] = Tensor::zeros({3, 1, 2}, f64);
    CHECK_THROWS_WITH_AS(f(operands, Tensor()), doctest::Contains(name.c_str()), ShapeError);
    operands[0] = Tensor::zeros({3, 2}, f32);
    CHECK_THROWS_AS(f(operands, Tensor()), DTypeError);
  });
}
