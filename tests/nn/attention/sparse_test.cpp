#include "weft/nn/attention/sparse.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "nn/attention/checks.hpp"
#include "nn/mixing_checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/attention_recorder.hpp"
#include "weft/nn/multihead_attention.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/memory.hpp"

using namespace weft;
using nn::attention::sparse_attention;
using nn::attention::sparse_mask;
using nn::attention::SparsePattern;
using nn::attention::SparseSelfAttention;

namespace {

constexpr SparsePattern patterns[] = {SparsePattern::block, SparsePattern::strided, SparsePattern::window};

bool sees(SparsePattern pattern, std::int64_t i, std::int64_t j, std::int64_t reach, bool causal) {
  if (causal && j > i) return false;
  if (pattern == SparsePattern::block) return i / reach == j / reach;
  if (pattern == SparsePattern::strided) return (i - j) % reach == 0;
  return std::abs(i - j) <= reach;
}

struct Data {
  Tensor query, key, value;
  explicit Data(std::int64_t places)
      : query(test::uniform({2, 2, places, 3}, -1, 1, 1)),
        key(test::uniform({2, 2, places, 3}, -1, 1, 2)),
        value(test::uniform({2, 2, places, 2}, -1, 1, 3)) {}
};

}  // namespace

TEST_CASE("sparse attention is what plain loops over its places give") {
  for (const SparsePattern pattern : patterns) {
    for (const bool causal : {true, false}) {
      for (const std::int64_t places : {1, 6, 7}) {
        for (const std::int64_t reach : {1, 3, 8}) {
          CAPTURE(static_cast<int>(pattern));
          CAPTURE(places);
          CAPTURE(reach);
          const Data d(places);
          const Tensor lengths = Tensor::from<std::int64_t>({places, places / 2}, {2});
          const auto dense = sparse_attention(
              d.query, d.key, d.value,
              {.pattern = pattern, .reach = reach, .causal = causal, .lengths = lengths, .need_weights = true});
          const Tensor output = sparse_attention(d.query, d.key, d.value,
                                                 {.pattern = pattern, .reach = reach, .causal = causal, .lengths = lengths})
                                    .output.value();
          const Tensor mask = sparse_mask(pattern, places, reach, causal);
          for (std::int64_t b = 0; b < 2; ++b) {
            for (std::int64_t h = 0; h < 2; ++h) {
              const auto q = test::matrix_of(d.query.select(0, b).select(0, h)),
                         k = test::matrix_of(d.key.select(0, b).select(0, h)),
                         v = test::matrix_of(d.value.select(0, b).select(0, h));
              for (std::int64_t i = 0; i < places; ++i) {
                test::Vector scores;
                std::vector<bool> open;
                for (std::int64_t j = 0; j < places; ++j) {
                  const bool seen = sees(pattern, i, j, reach, causal);
                  CHECK((mask.at({i, j}) != 0) == seen);
                  open.push_back(seen && j < static_cast<std::int64_t>(lengths.at({b})));
                  scores.push_back(test::product(q[static_cast<std::size_t>(i)], k[static_cast<std::size_t>(j)]) /
                                   std::sqrt(3.0));
                }
                const test::Vector weights = test::plain_softmax(scores, open);
                double expected[2] = {};
                for (std::size_t j = 0; j < weights.size(); ++j) {
                  CHECK(std::abs(dense.weights.value().at({b, h, i, static_cast<std::int64_t>(j)}) - weights[j]) < 1e-10);
                  for (std::size_t n = 0; n < 2; ++n) expected[n] += weights[j] * v[j][n];
                }
                for (std::int64_t n = 0; n < 2; ++n) {
                  CHECK(std::abs(output.at({b, h, i, n}) - expected[n]) < 1e-10);
                  CHECK(std::abs(dense.output.value().at({b, h, i, n}) - expected[n]) < 1e-10);
                }
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("sparse attention's padding reaches nothing, a row without places gives zeros") {
  for (const SparsePattern pattern : patterns) {
    const Data d(7);
    Tensor key = d.key.clone(), value = d.value.clone();
    const Tensor lengths = Tensor::from<std::int64_t>({4, 0}, {2});
    for (Tensor* x : {&key, &value}) {
      x->select(0, 0).slice(1, 4, 7).fill(std::numeric_limits<double>::quiet_NaN());
      x->select(0, 1).fill(std::numeric_limits<double>::quiet_NaN());
    }
    Tape tape;
    const Var q = tape.leaf(d.query), k = tape.leaf(key), v = tape.leaf(value);
    const Var output = sparse_attention(q, k, v, {.pattern = pattern, .reach = 3, .lengths = lengths}).output;
    tape.backward(sum(square(output)));
    CHECK(test::largest(output.value().select(0, 1)) == 0);
    CHECK(test::largest(tape.grad(k).select(0, 1)) == 0);
    CHECK(test::largest(tape.grad(k).select(0, 0).slice(1, 4, 7)) == 0);
    CHECK(std::isfinite(test::largest(tape.grad(q))));
    CHECK(std::isfinite(test::largest(tape.grad(v))));
    const auto cut = [](const Tensor& x) { return x.slice(0, 0, 1).slice(2, 0, 4); };
    const Tensor alone =
        sparse_attention(cut(d.query), cut(d.key), cut(d.value), {.pattern = pattern, .reach = 3}).output.value();
    CHECK(test::largest_difference(cut(output.value()), alone) <= 1e-12);
  }
}

TEST_CASE("sparse attention passes the gradient check") {
  const Data d(5);
  for (const SparsePattern pattern : patterns) {
    for (const bool causal : {true, false}) {
      const Tensor lengths = Tensor::from<std::int64_t>({5, 3}, {2});
      const auto f = [&](const std::vector<Var>& in) {
        return sparse_attention(in[0], in[1], in[2], {.pattern = pattern, .reach = 2, .causal = causal, .lengths = lengths})
            .output;
      };
      gradcheck(f, {d.query, d.key, d.value}).require();
      gradgradcheck(f, {d.query, d.key, d.value}, {.rtol = 1e-4, .elements = 20}).require();
    }
  }
}

TEST_CASE("memory follows the reach, not the square") {
  constexpr std::int64_t places = 4096, reach = 64;
  const Tensor x = test::uniform({1, 1, places, 4}, -1, 1, 1, f32);
  for (const SparsePattern pattern : patterns) {
    reset_peak_memory();
    const auto before = memory_statistics().total.current;
    const Tensor output = sparse_attention(x, x, x, {.pattern = pattern, .reach = reach}).output.value();
    CHECK(memory_statistics().total.peak - before < places * places / 4);  // a bool for each pair would take 4 times that
  }
}

TEST_CASE("a window's memory is copies of its operands and its band") {
  const NoGrad nothing_recorded;
  constexpr std::int64_t places = 2048, heads = 2, size = 64, reach = 32;
  const Tensor x = test::uniform({1, heads, places, size}, -1, 1, 1, f32);
  constexpr std::int64_t one = heads * places * size * 4;
  reset_peak_memory();
  const auto before = memory_statistics().total.current;
  const Tensor output =
      sparse_attention(x, x, x, {.pattern = SparsePattern::window, .reach = reach, .causal = false}).output.value();
  // Padded keys or values while they are folded, 3 of each, the output, and what the kernel works in.
  CHECK(memory_statistics().total.peak - before < 10 * one);
}

TEST_CASE("a recorder changes nothing of sparse self-attention, and keeps its steps") {
  SparseSelfAttention attention({.embed_dim = 8, .num_heads = 2, .reach = 3, .dropout = 0.5});
  const Tensor x = test::uniform({2, 12, 8}, -1, 1, 1, f32);
  const auto run = [&] {
    Generator generator(7);
    Tape tape(generator);
    const Tensor output = attention.mix(x, AttentionMask{.causal = true}, nn::Padding::anything).value().clone();
    return std::pair(output, tape.size());
  };
  const auto [alone, nodes_alone] = run();
  nn::AttentionRecorder recorder;
  const auto [seen, nodes_seen] = run();
  CHECK(test::largest_difference(seen, alone) == 0);
  CHECK(nodes_seen == nodes_alone);
  const NoGrad nothing_recorded;
  attention.eval();
  const Tensor whole = recorder.calls().back().weights;
  nn::AttentionCache cache;
  for (const std::int64_t end : {1, 5, 12}) {
    cache = attention.step(x.slice(1, cache.places(), end), cache).cache;
    const Tensor weights = recorder.calls().back().weights;
    CHECK(weights.size(3) == end);
    CHECK(test::largest_difference(weights, whole.slice(2, end - weights.size(2), end).slice(3, 0, end)) < 1e-6);
  }
  CHECK(recorder.calls().size() == 4);
}

TEST_CASE("a reach beyond the places costs and gives what one of all places does") {
  constexpr std::int64_t farthest = std::numeric_limits<std::int64_t>::max();
  const Data d(5);
  for (const SparsePattern pattern : patterns) {
    CAPTURE(static_cast<int>(pattern));
    for (const bool causal : {true, false}) {
      const auto run = [&](std::int64_t reach) {
        return sparse_attention(d.query, d.key, d.value, {.pattern = pattern, .reach = reach, .causal = causal}).output.value();
      };
      const Tensor all = run(5);
      for (const std::int64_t reach : {std::int64_t{1} << 20, farthest}) {
        reset_peak_memory();
        const auto before = memory_statistics().total.current;
        CHECK(test::largest_difference(run(reach), all) == 0);
        CHECK(memory_statistics().total.peak - before < 1 << 20);
        CHECK(test::largest_difference(sparse_mask(pattern, 5, reach, causal).to(f64),
                                       sparse_mask(pattern, 5, 5, causal).to(f64)) == 0);
      }
    }
    SparseSelfAttention attention({.embed_dim = 8, .num_heads = 4, .reach = farthest, .patterns = {pattern}});
    attention.to(f64);
    const Tensor x = test::uniform({2, 5, 8}, -1, 1, 1), whole = attention(x, AttentionMask{.causal = true}).output.value();
    const nn::MixingStep first = attention.step(x.slice(1, 0, 2), {});
    CHECK(test::largest_difference(first.output.value(), whole.slice(1, 0, 2)) <= 1e-12);
    CHECK(test::largest_difference(attention.step(x.slice(1, 2, 5), first.cache).output.value(), whole.slice(1, 2, 5)) <=
          1e-12);
  }
}

TEST_CASE("sparse self-attention mixes places: heads of several patterns, padding, steps, gradients") {
  for (const std::vector<SparsePattern>& chosen : {std::vector<SparsePattern>{SparsePattern::window, SparsePattern::strided},
                                                   std::vector<SparsePattern>{SparsePattern::block}}) {
    SparseSelfAttention attention({.embed_dim = 8, .num_heads = 4, .reach = 2, .patterns = chosen});
    test::filled(attention);
    test::check_mixing_gradients(attention, 8);
    test::check_mixing_weights_gradients(attention, 8);
    test::check_mixing_padding(attention, 8);
    test::check_mixing_steps(attention, 8);
    test::check_mixing_refusals(attention, 8, "[attention::SparseSelfAttention]");
    const Tensor x = test::uniform({2, 7, 8}, -1, 1, 1), lengths = Tensor::from<std::int64_t>({7, 4}, {2});
    for (const bool causal : {true, false}) {
      const AttentionMask mask{.lengths = lengths, .causal = causal};
      const auto whole = attention(x, mask, nn::AttentionWeights::per_head);
      CHECK(whole.weights.shape() == Shape{2, 4, 7, 7});
      CHECK(test::largest_difference(whole.output.value(), attention(x, mask).output.value()) <= 1e-12);
      CHECK_FALSE(attention(x, mask).weights.defined());
      CHECK(test::largest_difference(attention(x, mask, nn::AttentionWeights::averaged).weights.value(),
                                     mean(whole.weights, {1}).value()) == 0);
      const nn::AttentionRecorder recorder;
      attention(x, mask);
      REQUIRE(recorder.calls().size() == 1);
      CHECK(test::largest_difference(recorder.calls()[0].weights, whole.weights.value()) == 0);
      // The parameters are MultiheadAttention's, which with a mask gives the same.
      nn::MultiheadAttention dense({.embed_dim = 8, .num_heads = 4});
      dense.to(f64);
      dense.load_state_dict(attention.state_dict());
      Tensor allowed = Tensor::empty({4, 7, 7}, boolean);
      for (std::int64_t head = 0; head < 4; ++head)
        allowed.select(0, head).copy_from(
            sparse_mask(chosen[static_cast<std::size_t>(head) * chosen.size() / 4], 7, 2, causal));
      const Var same = dense(x, x, x, AttentionMask{.allowed = allowed.unsqueeze(0), .lengths = lengths}).output;
      CHECK(test::largest_difference(same.value(), whole.output.value()) <= 1e-12);
    }
  }
}

TEST_CASE("dropout of sparse self-attention falls on the weights in training alone, in steps too") {
  SparseSelfAttention attention({.embed_dim = 8, .num_heads = 4, .reach = 4, .dropout = 0.5});
  const Tensor x = test::uniform({2, 8, 8}, -1, 1, 1, f32);
  const auto check = [&](const auto& output) {
    const auto run = [&](std::uint64_t seed) {
      Generator generator(seed);
      Tape tape(generator);
      return output().value().clone();
    };
    attention.train();
    CHECK(test::largest_difference(run(1), run(1)) == 0);
    CHECK(test::largest_difference(run(1), run(2)) > 1e-3);
    attention.eval();
    CHECK(test::largest_difference(run(1), run(2)) == 0);
  };
  check([&] { return attention(x).output; });
  check([&] { return attention.step(x, {}).output; });
}

TEST_CASE("sparse attention that can't be is refused") {
  const Data d(4);
  const auto call = [&](const Tensor& query, const Tensor& key, std::int64_t reach, const Tensor& lengths = {}) {
    return sparse_attention(query, key, d.value, {.reach = reach, .lengths = lengths});
  };
  CHECK_THROWS_WITH_AS(call(d.query, d.key, 0), "[sparse_attention] reach is 0; it must be 1 or more", ValueError);
  CHECK_THROWS_WITH_AS(call(d.query, d.key.slice(2, 0, 3), 2), doctest::Contains("query f64[2, 2, 4, 3], key f64[2, 2, 3, 3]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(call(d.query, d.key.to(f32), 2),
                       doctest::Contains("[sparse_attention] query f64[2, 2, 4, 3], key f32[2, 2, 4, 3] and value f64["),
                       DTypeError);
  CHECK_THROWS_AS(call(Tensor(), d.key, 2), ValueError);
  CHECK_THROWS_AS(call(d.query, d.key, 2, Tensor::full({2}, 5, i64)), ValueError);
  CHECK_THROWS_AS(call(d.query, d.key, 2, Tensor::ones({3}, i64)), ShapeError);
  CHECK_THROWS_AS(call(d.query, d.key, 2, Tensor::ones({2})), DTypeError);
  CHECK_THROWS_AS(sparse_mask(SparsePattern::block, 4, 0, true), ValueError);
  CHECK_THROWS_AS(sparse_mask(SparsePattern::block, -1, 2, true), ValueError);
  CHECK(sparse_attention(Tensor::zeros({0, 2, 4, 3}), Tensor::zeros({0, 2, 4, 3}), Tensor::zeros({0, 2, 4, 2}), {.reach = 2})
            .output.shape() == Shape{0, 2, 4, 2});
  CHECK(sparse_attention(Tensor::zeros({1, 2, 0, 3}), Tensor::zeros({1, 2, 0, 3}), Tensor::zeros({1, 2, 0, 2}), {.reach = 2})
            .output.shape() == Shape{1, 2, 0, 2});

  CHECK_THROWS_WITH_AS(SparseSelfAttention({.embed_dim = 8, .num_heads = 4}), doctest::Contains("reach is 0"), ValueError);
  CHECK_THROWS_WITH_AS(SparseSelfAttention({.embed_dim = 8, .num_heads = 3, .reach = 2}), doctest::Contains("num_heads 3"),
                       ValueError);
  CHECK_THROWS_WITH_AS(SparseSelfAttention({.embed_dim = 9, .num_heads = 3, .reach = 2}),
                       doctest::Contains("2 patterns for 3 heads"), ValueError);
  CHECK_THROWS_AS(SparseSelfAttention({.embed_dim = 8, .num_heads = 4, .reach = 2, .patterns = {}}), ValueError);
  CHECK_THROWS_AS(SparseSelfAttention({.embed_dim = 8, .num_heads = 4, .reach = 2, .dropout = 1}), ValueError);
  SparseSelfAttention attention({.embed_dim = 8, .num_heads = 4, .reach = 2});
  CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 7, 9})),
                       "[attention::SparseSelfAttention] input f32[2, 7, 9] is not [batch, places, 8]", ShapeError);
  CHECK_THROWS_AS(attention(Var()), ValueError);
  CHECK_THROWS_AS(attention(Tensor::ones({2, 7, 8}), AttentionMask{.lengths = Tensor::full({2}, 8, i64)}), ValueError);
  CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 7, 8}), AttentionMask{.allowed = Tensor::ones({7, 7}, boolean)}),
                       "[attention::SparseSelfAttention] a mask bool[7, 7] of pairs of places can't be followed for input "
                       "f32[2, 7, 8]; give lengths, and `causal`",
                       ValueError);
}
