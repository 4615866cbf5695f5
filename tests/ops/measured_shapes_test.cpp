#include "support/measured_shapes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "support/random.hpp"
#include "weft/autograd/grad.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/attention.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/embedding.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/lstm.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/normalization.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// What an operation does with rows that don't know of each other: y [rows, ...] of x [rows, ...], the rest of the operands
// in x's dtype. `rows` names them, for what goes with a row.
using Operation = std::function<Var(const Var& x, const Tensor& rows)>;

// y and dx for a gradient of ones times its row's number, counted from 1.
std::pair<Tensor, Tensor> both_passes(const Operation& operation, const Tensor& x, const Tensor& rows) {
  Tape tape;
  const Var leaf = tape.leaf(x), y = operation(leaf, rows);
  Shape column;
  for (int i = 0; i < y.rank(); ++i) column = column.with_inserted(i, i == 0 ? y.size(0) : 1);
  const Tensor dy = (rows.to(x.dtype()).reshape(column));
  const Var loss_gradient = (Var(dy) + 1.0) * Var(Tensor::ones(y.shape(), x.dtype()));
  return {y.value(), grad(y, {leaf}, {.grad_outputs = {loss_gradient}}).front().value()};
}

Tensor numbers(const std::vector<std::int64_t>& values) {
  return Tensor::from(std::span(values), {static_cast<std::int64_t>(values.size())});
}

// The operation on all of x in f32 against the same in f64 on some rows alone.
void check_some_rows(const Tensor& x, const Operation& operation, double bound = 1e-5) {
  std::vector<std::int64_t> some;
  for (const std::int64_t row : {std::int64_t{0}, x.size(0) / 3, x.size(0) - 1})
    if (some.empty() || some.back() != row) some.push_back(row);
  const Tensor rows = numbers(some);
  std::vector<std::int64_t> every(static_cast<std::size_t>(x.size(0)));
  for (std::size_t i = 0; i < every.size(); ++i) every[i] = static_cast<std::int64_t>(i);
  const auto of_rows = [&](const Tensor& all) { return index_select(all, 0, rows).value(); };
  const auto [y, dx] = both_passes(operation, x, numbers(every));
  const auto [expected_y, expected_dx] = both_passes(operation, of_rows(x).to(f64), rows);
  const auto error = [&](const Tensor& all, const Tensor& expected) {
    return largest_difference(of_rows(all).to(f64), expected) / std::max(largest(expected), 1e-30);
  };
  REQUIRE(largest(expected_dx) > 0);
  CHECK(error(y, expected_y) < bound);
  CHECK(error(dx, expected_dx) < bound);
}

Tensor values(const Shape& shape, std::uint64_t seed, DType dtype = f32) { return uniform(shape, -1, 1, seed, f32).to(dtype); }

}  // namespace

TEST_CASE("linear is right at the measured shapes") {
  for (const auto& [rows, out, in] : measured::linear) {
    INFO(rows, " x ", in, " to ", out);
    const Shape shape{out, in};
    check_some_rows(values({rows, in}, 1), [&](const Var& x, const Tensor&) { return linear(x, values(shape, 2, x.dtype())); });
  }
}

TEST_CASE("softmax, layer norm and cross entropy are right at the measured shapes") {
  for (const auto& [rows, columns] : measured::softmax) {
    INFO(rows, " x ", columns);
    // Not an even gradient, which softmax has none of.
    const Tensor factor = values({columns}, 2);
    check_some_rows(values({rows, columns}, 1),
                    [&](const Var& x, const Tensor&) { return softmax(x, -1) * Var(factor.to(x.dtype())); });
  }
  for (const auto& [rows, columns] : measured::layer_norm) {
    INFO(rows, " x ", columns);
    const Tensor weight = values({columns}, 2);
    check_some_rows(values({rows, columns}, 1), [&](const Var& x, const Tensor&) {
      const Var w = weight.to(x.dtype());
      return layer_norm(x, w, w);
    });
  }
  for (const auto& [rows, classes] : measured::cross_entropy) {
    INFO(rows, " x ", classes);
    const Tensor targets = integers({rows}, classes, 2);
    check_some_rows(values({rows, classes}, 1), [&](const Var& x, const Tensor& which) {
      return cross_entropy(x, index_select(targets, 0, which).value(),
                           {.label_smoothing = 0.1, .reduction = LossReduction::none});
    });
  }
}

TEST_CASE("embedding is right at the measured shapes") {
  for (const auto& [rows, size] : measured::embedding) {
    INFO(rows, " x ", size);
    const Tensor table = values({rows, size}, 1), index = integers({64, 24}, rows, 2), dy = values({64, 24, size}, 3);
    Tape tape;
    const Var leaf = tape.leaf(table), y = embedding(leaf, index);
    const Tensor gradient = grad(y, {leaf}, {.grad_outputs = {dy}}).front().value();
    double wrong = 0;
    Tensor expected = Tensor::zeros({rows, size}, f64);
    for (std::int64_t i = 0; i < index.numel(); ++i) {
      const std::int64_t row = index.data<std::int64_t>()[i];
      wrong = std::max(wrong, largest_difference(y.value().reshape({-1, size}).select(0, i), table.select(0, row)));
      double* to = expected.mutable_data<double>() + row * size;
      for (std::int64_t j = 0; j < size; ++j) to[j] += static_cast<double>(dy.data<float>()[i * size + j]);
    }
    CHECK(wrong == 0);
    CHECK(largest_difference(gradient.to(f64), expected) < 1e-6);
  }
}

TEST_CASE("the LSTM is right at the measured shapes") {
  const auto weights = [](std::int64_t size, DType dtype) {
    const double bound = 1 / std::sqrt(static_cast<double>(size));
    return std::pair(Var(uniform({4 * size, size}, -bound, bound, 2, f32).to(dtype)), Var(values({4 * size}, 3, dtype)));
  };
  for (const auto& [batch, size] : measured::lstm_step) {
    INFO("step of ", batch, " x ", size);
    check_some_rows(values({batch, size}, 1), [&](const Var& x, const Tensor&) {
      const auto [w, bias] = weights(size, x.dtype());
      return lstm_step(x, {x, x}, w, w, bias, bias).h;
    });
  }
  for (const auto& [batch, size] : measured::lstm_layer) {
    INFO("layer of ", batch, " x ", size);
    check_some_rows(values({batch, 20, size}, 1), [&](const Var& x, const Tensor&) {
      const auto [w, bias] = weights(size, x.dtype());
      return lstm(x, w, w, bias, bias).output;
    });
  }
}

TEST_CASE("attention is right at the measured shapes") {
  for (const auto& [batch, heads, places, causal] : measured::attention) {
    INFO(batch, " x ", heads, " x ", places, ", causal ", causal);
    const AttentionMask mask{.causal = causal != 0};
    check_some_rows(values({batch, heads, places, 64}, 1),
                    [&](const Var& x, const Tensor&) { return scaled_dot_product_attention(x, x, x, mask).output; });
  }
}

TEST_CASE("functions of single elements are right at the measured shapes") {
  for (const auto& [elements] : measured::elementwise) {
    INFO(elements);
    const Tensor x = values({elements}, 1);
    check_some_rows(x, [](const Var& v, const Tensor&) { return relu(v); });
    check_some_rows(x, [](const Var& v, const Tensor&) { return exp(v); });
    check_some_rows(x, [](const Var& v, const Tensor&) { return gelu(v); });
    check_some_rows(x, [](const Var& v, const Tensor&) { return v + v; });
    check_some_rows(x, [](const Var& v, const Tensor&) { return tanh(square(v) + 1.0); });
  }
  for (const auto& [rows, columns] : measured::broadcast) {
    INFO(rows, " x ", columns);
    const Tensor row = values({columns}, 2);
    check_some_rows(values({rows, columns}, 1), [&](const Var& x, const Tensor&) { return x * Var(row.to(x.dtype())); });
  }
}
