#include "kernels/attention.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/isa_support.hpp"
#include "support/lengths.hpp"
#include "support/random.hpp"
#include "support/threads.hpp"
#include "weft/base/threads.hpp"
#include "weft/tensor/memory.hpp"

using namespace weft;
using kernels::AttentionSettings;
using test::largest;
using test::largest_difference;
using test::lengths_of;
using test::uniform;

namespace {

struct Sizes {
  std::int64_t batch, heads, queries, keys, size, value_size;
};

struct Operands {
  Tensor query, key, value, gradient;

  explicit Operands(const Sizes& n)
      : query(uniform({n.batch, n.heads, n.queries, n.size}, -2, 2, 1, f32)),
        key(uniform({n.batch, n.heads, n.keys, n.size}, -2, 2, 2, f32)),
        value(uniform({n.batch, n.heads, n.keys, n.value_size}, -2, 2, 3, f32)),
        gradient(uniform({n.batch, n.heads, n.queries, n.value_size}, -2, 2, 4, f32)) {}
};

struct Run {
  Tensor output, largest, log_sums, query, key, value;
  Tensor bias;  // its gradient; undefined without any
  std::vector<const Tensor*> all() const {
    std::vector<const Tensor*> all{&output, &log_sums, &query, &key, &value};
    if (bias.defined()) all.push_back(&bias);
    return all;
  }
};

Run run(const Operands& x, const AttentionSettings& settings) {
  const auto forward = kernels::attention(x.query, x.key, x.value, settings);
  const auto backward =
      kernels::attention_backward(x.query, x.key, x.value, forward, x.gradient, settings, settings.bias.defined());
  return {forward.output, forward.largest, forward.log_sums, backward.query, backward.key, backward.value, backward.bias};
}

Run run_reference(const Operands& x, AttentionSettings settings, DType dtype) {
  const bool with_bias = settings.bias.defined();
  if (with_bias) settings.bias = settings.bias.to(dtype);
  const Tensor q = x.query.to(dtype), k = x.key.to(dtype), v = x.value.to(dtype);
  const auto forward = kernels::reference::attention(q, k, v, settings);
  const auto backward = kernels::reference::attention_backward(q, k, v, forward, x.gradient.to(dtype), settings, with_bias);
  return {forward.output, forward.largest, forward.log_sums, backward.query, backward.key, backward.value, backward.bias};
}

// Against the plain kernel in f64, with every instruction set.
void check(const Operands& x, const AttentionSettings& settings) {
  const Run expected = run_reference(x, settings, f64);
  test::on_each_isa([&] {
    const Run found = run(x, settings);
    for (std::size_t i = 0; i < found.all().size(); ++i) {
      CAPTURE(i);
      CHECK(largest_difference(found.all()[i]->to(f64), *expected.all()[i]) <=
            2e-5 * std::max(1.0, largest(found.output)) *
                std::max(1.0, std::isinf(largest(*expected.all()[i])) ? 1.0 : largest(*expected.all()[i])));
    }
  });
}

// Below, within and across the blocks of queries and keys.
const Sizes sizes[] = {{2, 3, 1, 1, 1, 1},      {2, 2, 5, 7, 3, 2},      {1, 2, 128, 256, 8, 8},  {2, 1, 130, 260, 17, 9},
                       {1, 2, 300, 300, 5, 64}, {2, 1, 40, 600, 16, 16}, {1, 1, 600, 40, 16, 16}, {1, 1, 20, 30, 1, 1},
                       {1, 2, 20, 30, 2, 1},    {2, 1, 20, 30, 1, 3}};

}  // namespace

TEST_CASE("attention in blocks is the plain attention") {
  for (const Sizes& n : sizes) {
    CAPTURE(n.queries);
    CAPTURE(n.keys);
    const Operands x(n);
    const Shape weights{n.batch, n.heads, n.queries, n.keys};
    Tensor lengths = Tensor::empty({n.batch}, i64);
    for (std::int64_t b = 0; b < n.batch; ++b) lengths.mutable_data<std::int64_t>()[b] = b == 0 ? (n.keys + 1) / 2 : n.keys;
    check(x, {.scale = 0.3});
    check(x, {.causal = true, .scale = 0.3});
    check(x, {.lengths = lengths, .scale = 0.3});
    check(x, {.allowed = test::coins(weights, 0.4, 5), .lengths = lengths, .causal = true, .scale = 0.3});
    check(x, {.allowed = test::coins({n.batch, 1, 1, n.keys}, 0.4, 5).expand(weights), .scale = 0.3});
    check(x, {.causal = true, .scale = 0.3, .draw = kernels::DropoutDraw{7, 9, 0.3, 11}});
    const Tensor bias = uniform({n.heads, n.queries + n.keys - 1}, -2, 2, 6, f32);
    check(x, {.scale = 0.3, .bias = bias});
    check(x, {.allowed = test::coins(weights, 0.4, 5), .lengths = lengths, .causal = true, .scale = 0.3, .bias = bias});
    check(x, {.scale = 0.3, .draw = kernels::DropoutDraw{7, 9, 0.3, 11}, .bias = bias});
  }
}

TEST_CASE("scores may be large") {
  const Operands x({1, 1, 200, 600, 64, 16});
  check(x, {.scale = 1});
  check(x, {.causal = true, .scale = -4});
}

// The weights are 1 / 64 each, whatever the scores are: the gradients of 64 values add up to what comes in.
TEST_CASE("backward keeps the digits of weights whose scores are large") {
  for (const double score : {1.0, 1e3, 1e5, 1.5e7}) {
    CAPTURE(score);
    Operands x({1, 1, 3, 64, 4, 2});
    x.query.fill(1);
    x.key.fill(score / 4);
    x.gradient.fill(1);
    for (const bool fused : {true, false}) {
      const Run found = fused ? run(x, {}) : run_reference(x, {}, f32);
      CHECK(found.largest.at({0, 0, 1}) == static_cast<float>(score));
      CHECK(found.log_sums.at({0, 0, 1}) == doctest::Approx(std::log(64.0)).epsilon(1e-6));
      for (std::int64_t k = 0; k < 64; ++k) CHECK(found.value.at({0, 0, k, 0}) == doctest::Approx(3.0 / 64).epsilon(1e-6));
    }
  }
}

// The gradients of scores are seen in those of queries where the keys are the unit vectors.
TEST_CASE("the gradients of scores have no denormal numbers") {
  constexpr std::int64_t n = 130;
  Operands x({1, 1, 1, n, n, 1});
  for (std::int64_t k = 0; k < n; ++k) {
    x.query.mutable_data<float>()[k] = static_cast<float>(k) * -0.7f;
    for (std::int64_t i = 0; i < n; ++i) x.key.mutable_data<float>()[k * n + i] = i == k ? 1 : 0;
  }
  x.gradient.fill(1e-3);
  test::on_each_isa([&] {
    const Tensor query = run(x, {}).query;
    const float* const begin = query.data<float>();
    const auto count = [&](int kind) {
      return std::count_if(begin, begin + n, [&](float element) { return std::fpclassify(element) == kind; });
    };
    CHECK(count(FP_SUBNORMAL) == 0);
    CHECK(count(FP_NORMAL) > n / 2);
  });
}

TEST_CASE("weights below e^-64 of the largest are 0, forward and backward") {
  const auto at = [](float score) {
    Operands x({1, 1, 1, 2, 1, 1});
    x.query.fill(1);
    x.key.copy_from(Tensor::from<float>({0, score}, {1, 1, 2, 1}));
    x.value.copy_from(Tensor::from<float>({0, 1e30f}, {1, 1, 2, 1}));
    x.gradient.fill(1);
    return run(x, {});
  };
  test::on_each_isa([&] {
    const Run near = at(-60), far = at(-70);
    CHECK(near.output.at({0, 0, 0, 0}) == doctest::Approx(1e30 * std::exp(-60.0)).epsilon(1e-5));
    CHECK(near.value.at({0, 0, 1, 0}) == doctest::Approx(std::exp(-60.0)).epsilon(1e-5));
    CHECK(far.output.at({0, 0, 0, 0}) == 0);
    CHECK(far.value.at({0, 0, 1, 0}) == 0);
  });
}

TEST_CASE("weights below e^-64 of a largest that comes in a later block are 0, forward and backward") {
  Operands x({1, 1, 1, 300, 1, 1});
  x.query.fill(1);
  x.key.fill(-200);
  x.key.mutable_data<float>()[0] = 0;
  x.key.mutable_data<float>()[299] = 70;
  x.value.fill(0);
  x.value.mutable_data<float>()[0] = 1e30f;
  x.gradient.fill(1);
  test::on_each_isa([&] {
    const Run found = run(x, {});
    CHECK(found.output.at({0, 0, 0, 0}) == 0);
    CHECK(found.value.at({0, 0, 0, 0}) == 0);
    CHECK(found.value.at({0, 0, 299, 0}) == doctest::Approx(1));
  });
}

TEST_CASE("attention takes views") {
  const auto as_heads = [](std::int64_t places, std::int64_t size, std::uint64_t seed) {
    return uniform({2, places, 3, size}, -2, 2, seed, f32).transpose(1, 2);
  };
  Operands x({1, 1, 1, 1, 1, 1});
  x.query = as_heads(140, 6, 1);
  x.key = as_heads(270, 6, 2);
  x.value = as_heads(270, 5, 3);
  x.gradient = as_heads(140, 5, 4);
  check(x, {.scale = 0.4});
  x.query = uniform({2, 3, 6, 140}, -2, 2, 1, f32).transpose(2, 3);
  x.key = uniform({2, 3, 270, 6}, -2, 2, 2, f32).flip(2);
  x.value = uniform({1, 1, 270, 5}, -2, 2, 3, f32).expand({2, 3, 270, 5});
  x.gradient = uniform({2, 3, 140, 5, 2}, -2, 2, 4, f32).select(4, 0);
  check(x, {.scale = 0.4});
}

TEST_CASE("queries without keys give zeros, whatever the blocks") {
  Operands x({2, 1, 300, 300, 8, 8});
  const AttentionSettings settings{.lengths = lengths_of({0, 300}), .causal = true, .scale = 0.3};
  const Run found = run(x, settings);
  for (const Tensor* each : {&found.output, &found.query, &found.key, &found.value}) CHECK(largest(each->select(0, 0)) == 0);
  CHECK(found.log_sums.at({0, 0, 7}) == std::numeric_limits<double>::infinity());
  check(x, settings);
}

TEST_CASE("what lies behind a length or counts for nothing may be NaN") {
  Operands x({2, 2, 300, 300, 8, 8});
  x.gradient.slice(2, 100, 150).fill(0);
  const AttentionSettings settings{.lengths = lengths_of({170, 260}), .scale = 0.3};
  const Run expected = run(x, settings);
  constexpr double quiet_nan = std::numeric_limits<double>::quiet_NaN();
  for (Tensor* each : {&x.key, &x.value}) {
    each->select(0, 0).slice(1, 170, 300).fill(quiet_nan);
    each->select(0, 1).slice(1, 260, 300).fill(quiet_nan);
  }
  x.query.slice(2, 100, 150).fill(quiet_nan);
  const Run found = run(x, settings);
  CHECK(largest_difference(found.output.slice(2, 0, 100), expected.output.slice(2, 0, 100)) == 0);
  for (std::size_t i = 2; i < 5; ++i) CHECK(largest_difference(*found.all()[i], *expected.all()[i]) == 0);
}

TEST_CASE("a NaN or an infinite score shows in its row alone") {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Operands x({1, 1, 140, 600, 4, 4});
    x.query.slice(2, 7, 8).fill(bad);
    test::on_each_isa([&] {
      const Run found = run(x, {.scale = 0.3});
      for (std::int64_t q = 0; q < 140; ++q) CHECK(std::isnan(found.output.at({0, 0, q, 2})) == (q == 7));
    });
  }
}

TEST_CASE("a score that overflows reaches no gradient of a key that its query can't see") {
  for (const std::int64_t keys : {200, 600})  // of one block, of several
    for (const bool causal : {false, true}) {
      Operands x({1, 1, 140, keys, 4, 4});
      x.query.slice(2, 7, 8).fill(1e20);
      x.key.slice(2, 3, 4).fill(1e20);
      Tensor allowed = Tensor::ones({1, 1, 140, keys}, boolean);
      allowed.slice(2, 7, 8).slice(3, 50, keys).fill(0);
      const AttentionSettings settings{.allowed = causal ? Tensor() : allowed, .causal = causal, .scale = 0.3};
      const std::int64_t open = causal ? keys - 140 + 8 : 50;
      test::on_each_isa([&] {
        const Run found = run(x, settings);
        for (const Tensor* each : {&found.key, &found.value})
          for (std::int64_t k = 0; k < keys; ++k) CHECK(std::isnan(each->at({0, 0, k, 1})) == (k < open));
      });
    }
}

TEST_CASE("scores that are all -inf are no lack of keys") {
  Operands x({1, 2, 140, 300, 4, 4});
  x.key.fill(-1e30);
  x.query.slice(2, 7, 9).fill(1e30);
  Tensor allowed = Tensor::ones({1, 1, 140, 300}, boolean);
  allowed.slice(2, 8, 9).fill(0);
  for (const bool masked : {false, true}) {
    const AttentionSettings settings{.allowed = masked ? allowed.expand({1, 2, 140, 300}) : Tensor(), .scale = 0.3};
    test::on_each_isa([&] {
      const Run found = run(x, settings);
      for (std::int64_t q = 6; q < 10; ++q) {
        const bool lost = q == 7 || (q == 8 && !masked);
        for (const Tensor* each : {&found.output, &found.query}) CHECK(std::isnan(each->at({0, 1, q, 2})) == lost);
        CHECK(std::isnan(found.log_sums.at({0, 1, q})) == lost);
      }
      if (masked) CHECK(largest(found.output.slice(2, 8, 9)) == 0);
      for (const Tensor* each : {&found.key, &found.value}) CHECK(std::isnan(each->at({0, 1, 299, 3})));
    });
  }
}

TEST_CASE("attention gives the same bits for any number of threads") {
  const test::ThreadsGuard guard;
  const Operands x({1, 3, 400, 400, 16, 16});
  const AttentionSettings settings{.causal = true, .scale = 0.3, .draw = kernels::DropoutDraw{7, 9, 0.3, 0}};
  set_num_threads(1);
  const Run one = run(x, settings);
  for (const int threads : {2, 3, 8}) {
    set_num_threads(threads);
    const Run many = run(x, settings);
    for (std::size_t i = 0; i < 5; ++i) {
      const Tensor a = one.all()[i]->contiguous(), b = many.all()[i]->contiguous();
      CHECK(std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * 4) == 0);
    }
  }
}

TEST_CASE("attention never has the whole matrix of scores") {
  const Operands x({1, 1, 4096, 4096, 8, 8});
  run(x, {.causal = true, .scale = 0.3});
  const std::int64_t before = memory_statistics().total.current;
  reset_peak_memory();
  const Run found = run(x, {.causal = true, .scale = 0.3});
  CHECK(memory_statistics().total.peak - before < (std::int64_t{4} << 20));  // the scores would be 64 MiB
}
