#include "weft/ops/attention.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"
#include "weft/ops/triangle.hpp"
#include "weft/tensor/memory.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

namespace {

constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN();

struct Operands {
  Tensor query, key, value;
};

Operands operands(std::int64_t queries, std::int64_t keys, DType dtype = f64) {
  return {uniform({3, 2, queries, 5}, -2, 2, 1, dtype), uniform({3, 2, keys, 5}, -2, 2, 2, dtype),
          uniform({3, 2, keys, 4}, -2, 2, 3, dtype)};
}

const Tensor lengths = Tensor::from<std::int64_t>({4, 0, 7}, {3});

// bool [3, 1, 1, keys]
Tensor within_lengths(std::int64_t keys) {
  Tensor mask = Tensor::empty({3, 1, 1, keys}, boolean);
  for (std::int64_t i = 0; i < mask.numel(); ++i)
    mask.mutable_data<bool>()[i] = i % keys < lengths.data<std::int64_t>()[i / keys];
  return mask;
}

// [1, heads, queries, keys] of a bias by distance.
Tensor for_each_pair(const Tensor& bias, std::int64_t queries, std::int64_t keys) {
  Tensor pairs = Tensor::empty({1, bias.size(0), queries, keys}, f64);
  auto* to = pairs.mutable_data<double>();
  for (std::int64_t h = 0; h < bias.size(0); ++h)
    for (std::int64_t q = 0; q < queries; ++q)
      for (std::int64_t k = 0; k < keys; ++k) {
        const std::int64_t distance = k - (keys - queries + q);
        *to++ = bias.at({h, distance + keys - 1});
      }
  return pairs;
}

// By the operations of which it is made.
AttentionResult composed(const Operands& x, const Tensor& mask, double scale, const Tensor& bias) {
  const Var weights = masked_softmax(matmul(x.query, x.key.transpose(2, 3)) * scale + Var(bias), mask);
  return {matmul(weights, x.value), weights};
}

struct Run {
  Tensor output, query, key, value;  // output and gradients
};

Run run(const Operands& x, const AttentionMask& mask, const AttentionOptions& options = {}) {
  Generator generator(5);
  Tape tape(generator);
  const Var q = tape.leaf(x.query), k = tape.leaf(x.key), v = tape.leaf(x.value);
  const Var output = scaled_dot_product_attention(q, k, v, mask, options).output;
  tape.backward(output, uniform(output.shape(), -1, 1, 9, output.dtype()));
  return {output.value().clone(), tape.grad(q), tape.grad(k), tape.grad(v)};
}

void check_same(const Run& a, const Run& b, double tolerance) {
  CHECK(largest_difference(a.output, b.output) <= tolerance);
  CHECK(largest_difference(a.query, b.query) <= tolerance);
  CHECK(largest_difference(a.key, b.key) <= tolerance);
  CHECK(largest_difference(a.value, b.value) <= tolerance);
}

}  // namespace

TEST_CASE("attention equals the operations of which it is made") {
  const double scale = 1 / std::sqrt(5.0);
  for (const auto& entry : {std::pair<std::int64_t, std::int64_t>{7, 7}, {3, 7}, {9, 7}}) {
    const auto& queries = entry.first;
    const auto& keys = entry.second;
    CAPTURE(queries);
    const Operands x = operands(queries, keys);
    const Tensor causal = tril(Tensor::ones({queries, keys}, boolean), keys - queries).value();
    const Tensor some = test::coins({3, 2, queries, keys}, 0.6, 4);
    const auto check = [&](const AttentionMask& mask, const Tensor& whole) {
      for (const Var& bias : {Var(), Var(uniform({2, queries + keys - 1}, -2, 2, 7))}) {
        const Tensor pairs = bias.defined() ? for_each_pair(bias.value(), queries, keys) : Tensor::zeros({1}, f64);
        const AttentionResult expected = composed(x, whole, scale, pairs);
        const AttentionOptions without{.distance_bias = bias}, with{.need_weights = true, .distance_bias = bias};
        CHECK(largest_difference(scaled_dot_product_attention(x.query, x.key, x.value, mask, without).output.value(),
                                 expected.output.value()) <= 1e-14);
        const AttentionResult with_weights = scaled_dot_product_attention(x.query, x.key, x.value, mask, with);
        CHECK(largest_difference(with_weights.output.value(), expected.output.value()) <= 1e-14);
        CHECK(largest_difference(with_weights.weights.value(), expected.weights.value()) <= 1e-14);
      }
    };
    check({}, Tensor::ones({1}, boolean));
    check({.causal = true}, causal);
    check({.lengths = lengths}, within_lengths(keys));
    check({.allowed = some}, some);
    check({.allowed = some, .lengths = lengths.to(i32), .causal = true},
          logical_and(logical_and(some, causal), within_lengths(keys)));
  }
}

TEST_CASE("the weights that are asked for have the gradients of those that aren't") {
  for (const DType dtype : {f32, f64}) {
    const Operands x = operands(7, 7, dtype);
    for (const AttentionMask& mask : {AttentionMask{}, AttentionMask{.lengths = lengths, .causal = true},
                                      AttentionMask{.allowed = test::coins({1, 1, 7, 7}, 0.5, 4), .lengths = lengths}})
      for (const double dropout : {0.0, 0.4})
        for (const Var& bias : {Var(), Var(uniform({2, 13}, -2, 2, 7, dtype))})
          check_same(run(x, mask, {.scale = 0.4, .dropout = dropout, .distance_bias = bias}),
                     run(x, mask, {.scale = 0.4, .dropout = dropout, .need_weights = true, .distance_bias = bias}),
                     dtype == f32 ? 2e-6 : 1e-14);
  }
}

TEST_CASE("a bias by distance has its gradients, first and second") {
  for (const AttentionMask& mask : {AttentionMask{}, AttentionMask{.lengths = lengths, .causal = true},
                                    AttentionMask{.allowed = test::coins({1, 2, 3, 7}, 0.5, 4)}}) {
    const Operands x = operands(3, 7);
    const auto attend = [&](const std::vector<Var>& in) {
      return scaled_dot_product_attention(in[0], in[1], in[2], mask, {.distance_bias = in[3]}).output;
    };
    const std::vector<Tensor> inputs = {x.query, x.key, x.value, uniform({2, 9}, -1, 1, 7)};
    gradcheck(attend, inputs).require();
    gradgradcheck(attend, inputs).require();
  }
}

TEST_CASE("what no query may attend to can be NaN") {
  for (const DType dtype : {f32, f64})
    for (const bool need_weights : {false, true}) {
      Operands x = operands(7, 7, dtype);
      const Tensor allowed = test::coins({3, 1, 1, 7}, 0.5, 4);
      const Tensor closed_by_mask = logical_not(allowed).transpose(2, 3),
                   closed_by_length = logical_not(within_lengths(7)).transpose(2, 3);
      const auto spoilt = [&](const Tensor& closed) {
        const auto spoil = [&](const Tensor& y) { return masked_fill(y, closed, quiet_nan).value(); };
        return Operands{x.query, spoil(x.key), spoil(x.value)};
      };
      const AttentionOptions options{.need_weights = need_weights};
      check_same(run(x, {.lengths = lengths}, options), run(spoilt(closed_by_length), {.lengths = lengths}, options), 0);
      check_same(run(x, {.allowed = allowed}, options), run(spoilt(closed_by_mask), {.allowed = allowed}, options), 0);
    }
}

TEST_CASE("a query whose output counts for nothing can be NaN") {
  for (const DType dtype : {f32, f64}) {
    const Operands x = operands(7, 7, dtype);
    const auto gradients = [&](double filling, bool create_graph) {
      Tape tape;
      Tensor query = x.query.clone();
      query.slice(2, 4, 7).fill(filling);
      const Var q = tape.leaf(query), k = tape.leaf(x.key), v = tape.leaf(x.value);
      const Var output = slice(scaled_dot_product_attention(q, k, v).output, 2, 0, 4);
      tape.backward(output, uniform(output.shape(), -1, 1, 9, dtype), {.create_graph = create_graph});
      return Run{output.value().clone(), tape.grad(q), tape.grad(k), tape.grad(v)};
    };
    for (const bool create_graph : {false, true}) check_same(gradients(quiet_nan, create_graph), gradients(1, create_graph), 0);
  }
}

TEST_CASE("a query without keys can be NaN") {
  Tensor allowed = Tensor::ones({1, 1, 7, 7}, boolean);
  allowed.slice(2, 3, 4).fill(0);
  for (const DType dtype : {f32, f64})
    for (const bool create_graph : {false, true}) {
      const auto gradients = [&](double filling) {
        Tape tape;
        const Operands x = operands(7, 7, dtype);
        x.query.slice(2, 3, 4).fill(filling);
        const Var q = tape.leaf(x.query), k = tape.leaf(x.key), v = tape.leaf(x.value);
        const Var output = scaled_dot_product_attention(q, k, v, {.allowed = allowed}).output;
        tape.backward(output, uniform(output.shape(), -1, 1, 9, dtype), {.create_graph = create_graph});
        return Run{output.value().clone(), tape.grad(q), tape.grad(k), tape.grad(v)};
      };
      check_same(gradients(quiet_nan), gradients(1), 0);
    }
}

TEST_CASE("derivatives of derivatives are there where the first gradient is zero") {
  const Operands x = operands(3, 4);
  const Tensor probe = uniform(x.key.shape(), -1, 1, 8);
  const auto of_gradient = [&](double gradient) {  // of the keys' gradient, which is linear in it
    Tape tape;
    const Var k = tape.leaf(x.key), g = tape.leaf(Tensor::full({3, 2, 3, 4}, gradient, f64));
    tape.backward(scaled_dot_product_attention(x.query, k, x.value).output, g, {.create_graph = true});
    const Var loss = sum(tape.grad_var(k) * probe);
    tape.backward(loss);
    return tape.grad(g).clone();
  };
  CHECK(test::largest(of_gradient(0)) > 0.01);
  CHECK(largest_difference(of_gradient(0), of_gradient(1)) <= 1e-13);
}

TEST_CASE("a NaN that counts shows") {
  for (const DType dtype : {f32, f64}) {
    Operands x = operands(4, 5, dtype);
    x.key.slice(2, 2, 3).fill(quiet_nan);
    const Tensor output = scaled_dot_product_attention(x.query, x.key, x.value, {.causal = true}).output.value();
    for (std::int64_t q = 0; q < 4; ++q) CHECK(std::isnan(output.at({0, 0, q, 0})) == (q + 1 >= 2));
  }
}

TEST_CASE("a query without keys gives zeros and passes nothing on") {
  for (const DType dtype : {f32, f64}) {
    const Run result = run(operands(7, 7, dtype), {.lengths = lengths});
    for (const Tensor* each : {&result.output, &result.query, &result.key, &result.value}) {
      CHECK(test::largest(each->select(0, 1)) == 0);
      CHECK(test::largest(each->select(0, 0)) > 0);
    }
  }
}

TEST_CASE("keys and values are not copied for a mask that closes none to all") {
  const Tensor query = uniform({1, 1, 1, 64}, -1, 1, 1, f32), places = uniform({1, 1, 4096, 64}, -1, 1, 2, f32);
  const AttentionMask mask{.allowed = Tensor::ones({1, 1, 1, 4096}, boolean)};
  scaled_dot_product_attention(query, places, places, mask);
  const std::int64_t before = memory_statistics().total.current;
  reset_peak_memory();
  scaled_dot_product_attention(query, places, places, mask);
  CHECK(memory_statistics().total.peak - before < (std::int64_t{1} << 19));  // a copy would be 1 MiB
}

TEST_CASE("the output's heads join without a copy") {
  const Operands x = operands(7, 7);
  const Tensor joined = transpose(scaled_dot_product_attention(x.query, x.key, x.value).output, 1, 2).value();
  CHECK(joined.is_contiguous());
}

TEST_CASE("operands that don't fit are refused") {
  const Operands x = operands(3, 4);
  CHECK_THROWS_WITH_AS(scaled_dot_product_attention(x.query, x.key.slice(3, 0, 4), x.value),
                       "[scaled_dot_product_attention] key [3, 2, 4, 4] doesn't fit query [3, 2, 3, 5]: batch, heads and "
                       "head_dim must be equal",
                       ShapeError);
  CHECK_THROWS_AS(scaled_dot_product_attention(x.query, x.key, x.value.slice(2, 0, 3)), ShapeError);
  CHECK_THROWS_AS(scaled_dot_product_attention(x.query.select(0, 0), x.key, x.value), ShapeError);
  CHECK_THROWS_AS(scaled_dot_product_attention(x.query, x.key.to(f32), x.value), DTypeError);
  CHECK_THROWS_AS(scaled_dot_product_attention(x.query, x.key, Var()), ValueError);
  const auto refuse = [&]<class E>(const AttentionMask& mask, const AttentionOptions& options, const char* message, E*) {
    CHECK_THROWS_WITH_AS(scaled_dot_product_attention(x.query, x.key, x.value, mask, options), doctest::Contains(message), E);
  };
  refuse({.allowed = Tensor::ones({3, 4})}, {}, "bool is needed", static_cast<DTypeError*>(nullptr));
  refuse({.allowed = Tensor::ones({1, 1, 4, 3}, boolean)}, {}, "[1, 1, 4, 3]", static_cast<ShapeError*>(nullptr));
  // A mask of each row's keys would pass for one of queries and keys, of which there are as many.
  for (const Shape& shape : {Shape{3, 4}, Shape{4}, Shape{3, 1, 4}, Shape{1, 3, 2, 3, 4}})
    refuse({.allowed = Tensor::ones(shape, boolean)}, {},
           ("the mask " + shape.str() +
            " isn't [batch, heads, queries, keys] = [3, 2, 3, 4], each that size or 1; give one of each row's keys, [batch, "
            "keys], as mask.unsqueeze(1).unsqueeze(1) or by lengths, one of [queries, keys] as mask.unsqueeze(0).unsqueeze(0)")
               .c_str(),
           static_cast<ShapeError*>(nullptr));
  refuse({.lengths = Tensor::from<std::int64_t>({1, 2}, {2})}, {}, "one a row", static_cast<ShapeError*>(nullptr));
  refuse({.lengths = Tensor::from<std::int64_t>({1, 2, 5}, {3})}, {}, "length 5 of row 2 is outside 0 to 4",
         static_cast<ValueError*>(nullptr));
  refuse({.lengths = Tensor::ones({3})}, {}, "integers are needed", static_cast<DTypeError*>(nullptr));
  refuse({}, {.scale = quiet_nan}, "the scale is nan", static_cast<ValueError*>(nullptr));
  refuse({}, {.distance_bias = Tensor::ones({2, 5}, f64)}, "[heads, queries + keys - 1] = [2, 6] is needed",
         static_cast<ShapeError*>(nullptr));
  refuse({}, {.distance_bias = Tensor::ones({6}, f64)}, "[2, 6] is needed", static_cast<ShapeError*>(nullptr));
  refuse({}, {.distance_bias = Tensor::ones({2, 6})}, "must be f64", static_cast<DTypeError*>(nullptr));
  refuse({}, {.dropout = 1}, "it must be in [0, 1)", static_cast<ValueError*>(nullptr));
}
