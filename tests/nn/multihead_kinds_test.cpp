#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "nn/attention_reference.hpp"
#include "support/leaks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/alibi.hpp"
#include "weft/nn/multihead_attention.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/memory.hpp"

// Every option of MultiheadAttention that makes another kind of attention of it.

using namespace weft;
using test::largest_difference;
using test::uniform;

namespace {

using nn::AttentionPositions;
using nn::Normaliser;
using Options = nn::MultiheadAttentionOptions;

const Tensor lengths = Tensor::from<std::int64_t>({5, 1, 3}, {3});

struct Kind {
  const char* name;
  Options options;
};

std::vector<Kind> kinds() {
  const auto with = [](const auto& change) {
    Options o{.embed_dim = 8, .num_heads = 4};
    change(o);
    return o;
  };
  return {
      {"grouped", with([](Options& o) { o.kv_heads = 2; })},
      {"multi-query", with([](Options& o) { o.kv_heads = 1; })},
      {"other sizes, grouped", with([](Options& o) { o.kdim = 8, o.vdim = 8, o.kv_heads = 2, o.bias = false; })},
      {"rotary", with([](Options& o) { o.positions = AttentionPositions::rotary; })},
      {"rotary, multi-query", with([](Options& o) { o.positions = AttentionPositions::rotary, o.kv_heads = 1; })},
      {"alibi", with([](Options& o) { o.positions = AttentionPositions::alibi; })},
      {"shaw", with([](Options& o) { o.positions = AttentionPositions::shaw, o.max_distance = 2; })},
      {"t5", with([](Options& o) { o.positions = AttentionPositions::t5, o.num_buckets = 8, o.max_distance = 4; })},
      {"t5, one way, grouped", with([](Options& o) {
         o.positions = AttentionPositions::t5, o.num_buckets = 4, o.max_distance = 4, o.bidirectional = false, o.kv_heads = 2;
       })},
      {"sparsemax", with([](Options& o) { o.normaliser = Normaliser::sparsemax; })},
      {"entmax15", with([](Options& o) { o.normaliser = Normaliser::entmax15; })},
      {"span", with([](Options& o) { o.max_span = 4, o.span_ramp = 3, o.initial_span = 0.3; })},
  };
}

// Weights away from their start, which is zeros for some and near equal for the positions' ones.
nn::MultiheadAttention& filled(nn::MultiheadAttention& attention) {
  attention.to(f64);
  std::uint64_t seed = 10;
  for (const nn::NamedParameter& p : attention.named_parameters())
    if (p.name != "span.span") p.parameter->mutable_value().copy_from(uniform(p.parameter->shape(), -0.8, 0.8, ++seed));
  if (attention.span) attention.span->span->mutable_value().copy_from(Tensor::from<double>({0.05, 0.3, 0.6, 0.9}, {4}));
  return attention;
}

template <class Check>
void for_each_kind(const Check& check) {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    nn::MultiheadAttention attention(kind.options, {.seed = 3});
    check(filled(attention), kind.options);
  }
}

Tensor spoilt(const Tensor& x) {
  Tensor result = x.clone();
  for (std::int64_t b = 0; b < x.size(0); ++b)
    result.select(0, b).slice(0, lengths.data<std::int64_t>()[b], x.size(1)).fill(std::numeric_limits<double>::quiet_NaN());
  return result;
}

// The heads of attention over x, from the parameters, by loops.
struct Heads {
  Tensor q, k, v;
  explicit Heads(nn::MultiheadAttention& a, const Options& o, const Tensor& x) {
    const std::int64_t kept = (o.kv_heads == 0 ? o.num_heads : o.kv_heads) * o.embed_dim / o.num_heads;
    const Tensor w = a.in_proj_weight->value(), b = a.in_proj_bias->value();
    const auto part = [&](std::int64_t start, std::int64_t count) {
      return test::plain_linear(x, w.slice(0, start, start + count), b.slice(0, start, start + count));
    };
    q = test::plain_heads(part(0, o.embed_dim), o.num_heads);
    k = test::plain_heads(part(o.embed_dim, kept), kept * o.num_heads / o.embed_dim);
    v = test::plain_heads(part(o.embed_dim + kept, kept), kept * o.num_heads / o.embed_dim);
  }
};

// Heads [batch, heads, places, size], each pair of elements turned by its own angle a place.
Tensor rotated(const Tensor& x) {
  Tensor turned = x.clone();
  auto* to = turned.mutable_data<double>();
  const std::int64_t size = x.size(3);
  for (std::int64_t i = 0; i < x.numel(); i += 2) {
    const auto place = static_cast<double>(i / size % x.size(2)), pair = static_cast<double>(i % size);
    const double a = to[i], b = to[i + 1], angle = place / std::pow(10000, pair / static_cast<double>(size));
    to[i] = a * std::cos(angle) - b * std::sin(angle);
    to[i + 1] = a * std::sin(angle) + b * std::cos(angle);
  }
  return turned;
}

}  // namespace

TEST_CASE("each kind's gradients to second order, masked, causal, with its weights and by what was remembered") {
  const Tensor x = uniform({3, 5, 8}, -1, 1, 1);
  for_each_kind([&](nn::MultiheadAttention& attention, const Options& o) {
    const auto check = [&](const auto& output) {
      const auto loss = [&] { return sum(square(output())); };
      gradcheck_parameters(loss, attention.parameters(), {.elements = 12}).require();
      gradgradcheck_parameters(loss, attention.parameters(), {.rtol = 1e-4, .directions = 1}).require();
      attention.zero_grad();
    };
    check([&] { return attention(x, x, x, AttentionMask{.lengths = lengths, .causal = true}).output; });
    check([&] { return attention(x, x, x, AttentionMask{}, nn::AttentionWeights::averaged).weights; });
    if (o.kdim == 0) check([&] { return attention(x, attention.remember(x, x)).output; });
    gradgradcheck([&](const std::vector<Var>& in) { return attention(in[0], in[0], in[0]).output; }, {x},
                  {.rtol = 1e-4, .directions = 1})
        .require();
    attention.zero_grad();
  });
}

TEST_CASE("rotary heads of several pairs turn each of them by its own angle") {
  const Options o{.embed_dim = 16, .num_heads = 2, .positions = AttentionPositions::rotary};
  nn::MultiheadAttention attention(o);
  filled(attention);
  const Tensor x = uniform({2, 6, 16}, -1, 1, 1);
  const Heads heads(attention, o, x);
  test::PlainAttention plain;
  plain.score = [](auto, auto, auto, auto, double dot) { return dot / std::sqrt(8.0); };
  const Tensor expected = test::plain_linear(plain(rotated(heads.q), rotated(heads.k), heads.v),
                                             attention.out_proj.weight->value(), attention.out_proj.bias->value());
  CHECK(largest_difference(attention(x, x, x).output.value(), expected) <= 1e-10);
}

TEST_CASE("each kind is the formula by plain loops") {
  const Tensor x = uniform({3, 5, 8}, -1, 1, 1);
  const std::int64_t* length = lengths.data<std::int64_t>();
  for_each_kind([&](nn::MultiheadAttention& attention, const Options& o) {
    if (o.kdim != 0 || o.normaliser != Normaliser::softmax) return;  // the operations' tests have these
    for (const bool causal : {false, true}) {
      Heads heads(attention, o, x);
      if (o.positions == AttentionPositions::rotary)
        for (Tensor* t : {&heads.q, &heads.k}) {
          *t = rotated(*t);
        }
      test::PlainAttention plain;
      plain.open = [&](auto b, auto, auto i, auto j) { return j < length[b] && (!causal || j <= i); };
      plain.score = [&](auto b, auto h, auto i, auto j, double dot) {
        if (attention.relative)
          for (std::int64_t d = 0; d < 2; ++d)
            dot +=
                heads.q.at({b, h, i, d}) * attention.relative->key->value().at({std::clamp<std::int64_t>(j - i, -2, 2) + 2, d});
        double score = dot / std::sqrt(2.0);
        if (o.positions == AttentionPositions::alibi)
          score -= std::pow(2, -2 * static_cast<double>(h + 1)) * static_cast<double>(std::abs(i - j));
        if (attention.relative_bias)
          score += attention.relative_bias->weight->value().at({attention.relative_bias->bucket(j - i), h});
        return score;
      };
      if (attention.span)
        plain.factor = [&](auto h, auto i, auto j) {
          const double z = 4 * attention.span->span->value().at({h});
          return std::clamp((3 + z - static_cast<double>(std::abs(i - j))) / 3, 0.0, 1.0);
        };
      if (attention.relative)
        plain.value = [&](auto i, auto j, auto d) {
          return attention.relative->value->value().at({std::clamp<std::int64_t>(j - i, -2, 2) + 2, d});
        };
      const Tensor expected = test::plain_linear(plain(heads.q, heads.k, heads.v), attention.out_proj.weight->value(),
                                                 attention.out_proj.bias->value());
      const Tensor got = attention(x, x, x, AttentionMask{.lengths = lengths, .causal = causal}).output.value();
      for (std::int64_t b = 0; b < 3; ++b)
        CHECK(largest_difference(got.select(0, b).slice(0, 0, length[b]), expected.select(0, b).slice(0, 0, length[b])) <=
              1e-12);
    }
  });
}

TEST_CASE("what is out of a head's span takes no weight from what is in it, whatever makes the weights") {
  for (const Normaliser normaliser : {Normaliser::softmax, Normaliser::sparsemax, Normaliser::entmax15}) {
    CAPTURE(static_cast<int>(normaliser));
    nn::MultiheadAttention attention({.embed_dim = 2, .num_heads = 1, .normaliser = normaliser, .max_span = 4, .span_ramp = 1});
    attention.span->span->mutable_value().fill(0);  // each place sees itself alone
    for (const double far : {300, -300}) {          // of one sign it leads by far
      Tensor x = Tensor::ones({1, 5, 2});
      x.slice(1, 0, 1).fill(far);
      const auto seen = attention(x, x, x, AttentionMask{.causal = true}, nn::AttentionWeights::per_head).weights.value();
      for (std::int64_t query = 0; query < 5; ++query)
        for (std::int64_t key = 0; key < 5; ++key) CHECK(seen.at({0, 0, query, key}) == (query == key ? 1 : 0));
    }
  }
}

TEST_CASE(
    "each kind: a padded row gives what it gives alone, whatever its padding holds; rows without keys have the output's bias") {
  const Tensor x = uniform({3, 5, 8}, -1, 1, 1);
  for_each_kind([&](nn::MultiheadAttention& attention, const Options&) {
    for (const bool causal : {false, true}) {
      const AttentionMask mask{.lengths = lengths, .causal = causal};
      const Tensor clean = attention(x, x, x, mask).output.value(), dirty_input = spoilt(x);
      CHECK(largest_difference(attention(dirty_input, dirty_input, dirty_input, mask).output.value(), clean) == 0);
      for (std::int64_t b = 0; b < 3; ++b) {
        const std::int64_t n = lengths.data<std::int64_t>()[b];
        const Tensor alone = x.slice(0, b, b + 1).slice(1, 0, n);
        CHECK(largest_difference(attention(alone, alone, alone, AttentionMask{.causal = causal}).output.value(),
                                 clean.slice(0, b, b + 1).slice(1, 0, n)) <= 1e-13);
      }
    }
    const AttentionMask closed{.lengths = Tensor::from<std::int64_t>({0, 5, 0}, {3})};
    const auto result = attention(x, x, x, closed, nn::AttentionWeights::per_head);
    CHECK(test::largest(result.weights.value().select(0, 0)) == 0);
    for (std::int64_t i = 0; i < 8; ++i) {
      const double bias = attention.out_proj.bias.defined() ? attention.out_proj.bias->value().at({i}) : 0;
      CHECK(result.output.value().at({0, 2, i}) == bias);
      CHECK(attention(x, x, x, closed).output.value().at({2, 0, i}) == bias);
    }
  });
}

TEST_CASE("each kind: steps with a cache give what all places at once give, and weights add up to 1") {
  const Tensor x = uniform({3, 7, 8}, -1, 1, 1);
  for_each_kind([&](nn::MultiheadAttention& attention, const Options& o) {
    const auto all = attention(x, x, x, AttentionMask{.causal = true}, nn::AttentionWeights::per_head);
    const Tensor whole = all.output.value();
    CHECK(all.weights.shape() == Shape{3, 4, 7, 7});
    CHECK(largest_difference(sum(all.weights, {3}).value(), Tensor::ones({3, 4, 7}, f64)) <= 1e-13);
    CHECK(largest_difference(attention(x, x, x, AttentionMask{.causal = true}).output.value(), whole) <= 1e-13);
    if (o.kdim != 0) return;
    nn::AttentionCache cache;
    std::int64_t start = 0;
    for (const std::int64_t count : {1, 3, 1, 2}) {
      auto [output, grown] = attention.step(x.slice(1, start, start + count), cache);
      CHECK(largest_difference(output.value(), whole.slice(1, start, start + count)) <= 1e-13);
      cache = grown;
      start += count;
      CHECK(cache.places() == start);
      CHECK(cache.keys.size(1) == (o.kv_heads == 0 ? 4 : o.kv_heads));
    }
    // Remembered, and the last queries alone.
    const Tensor last = x.slice(1, 4, 7);
    CHECK(largest_difference(attention(last, attention.remember(x, x), AttentionMask{.causal = true}).output.value(),
                             whole.slice(1, 4, 7)) <= 1e-13);
    CHECK(largest_difference(attention(last, x, x, AttentionMask{.causal = true}).output.value(), whole.slice(1, 4, 7)) <=
          1e-13);
  });
}

TEST_CASE("as many kv_heads as heads is plain attention, and a group's heads share theirs") {
  nn::MultiheadAttention plain({.embed_dim = 8, .num_heads = 4}, {.seed = 3}),
      same({.embed_dim = 8, .num_heads = 4, .kv_heads = 4}, {.seed = 3}),
      grouped({.embed_dim = 8, .num_heads = 4, .kv_heads = 2}, {.seed = 3});
  CHECK(grouped.in_proj_weight->shape() == Shape{16, 8});
  CHECK(grouped.in_proj_bias->shape() == Shape{16});
  const Tensor x = uniform({2, 5, 8}, -1, 1, 1, f32);
  CHECK(largest_difference(plain(x, x, x).output.value(), same(x, x, x).output.value()) == 0);
  // Plain attention whose keys and values say the same twice.
  const Tensor w = grouped.in_proj_weight->value();
  std::vector<Var> rows = {w.slice(0, 0, 8)};
  for (const std::int64_t start : {8, 12})
    for (const std::int64_t head : {0, 0, 1, 1}) rows.emplace_back(w.slice(0, start + 2 * head, start + 2 * head + 2));
  plain.in_proj_weight->mutable_value().copy_from(concat(rows, 0).value());
  plain.out_proj.weight->mutable_value().copy_from(grouped.out_proj.weight->value());
  CHECK(largest_difference(plain(x, x, x).output.value(), grouped(x, x, x).output.value()) <= 1e-6);
}

TEST_CASE("dropout falls on the weights of every kind, in training alone") {
  std::vector<Kind> all = kinds();
  all.push_back({"plain", {.embed_dim = 8, .num_heads = 4}});
  for (Kind kind : all) {
    CAPTURE(kind.name);
    kind.options.dropout = 0.5;
    nn::MultiheadAttention dropping(kind.options);
    const Tensor x = uniform({2, 8, 8}, -1, 1, 1, f32);
    const auto run = [&](std::uint64_t seed) {
      Generator generator(seed);
      Tape tape(generator);
      return dropping(x, x, x).output.value().clone();
    };
    CHECK(largest_difference(run(1), run(1)) == 0);
    CHECK(largest_difference(run(1), run(2)) > 1e-3);
    dropping.eval();
    CHECK(largest_difference(run(1), run(2)) == 0);
  }
}

TEST_CASE("kinds that make weights in full copy keys and values only where a mask may close some") {
  nn::MultiheadAttention attention({.embed_dim = 64, .num_heads = 1, .normaliser = nn::Normaliser::sparsemax});
  const Tensor x = uniform({1, 4096, 64}, -1, 1, 1, f32), query = x.slice(1, 0, 1);
  const nn::AttentionCache memory = attention.remember(x, x);
  const auto extra = [&](const AttentionMask& mask) {
    reset_peak_memory();
    const auto before = memory_statistics().total.current;
    attention(query, memory, mask);
    return memory_statistics().total.peak - before;
  };
  constexpr std::int64_t keys = 4096 * 64 * 4;  // bytes
  CHECK(extra({}) < keys / 2);
  CHECK(extra({.causal = true}) < keys / 2);
}

TEST_CASE("a span's loss is the mean of what heads see, and clamp brings spans back") {
  nn::MultiheadAttention attention({.embed_dim = 8, .num_heads = 4, .max_span = 10, .initial_span = 0.25});
  CHECK(attention.span->loss().item() == doctest::Approx(2.5));
  attention.span->span->mutable_value().copy_from(Tensor::from<float>({-0.5f, 0.5f, 1.0f, 2.0f}, {4}));
  CHECK(attention.span->loss().item() == doctest::Approx(6.25));
  attention.span->clamp();
  CHECK(attention.span->span->value().at({0}) == 0);
  CHECK(attention.span->span->value().at({1}) == 0.5);
  CHECK(attention.span->span->value().at({3}) == 1);
}

TEST_CASE("kinds that can't be are refused") {
  const auto refuse = [](const auto& change, const char* message) {
    Options o{.embed_dim = 8, .num_heads = 4};
    change(o);
    CHECK_THROWS_WITH_AS(nn::MultiheadAttention{o}, doctest::Contains(message), ValueError);
  };
  refuse([](Options& o) { o.kv_heads = 3; }, "kv_heads is 3 and num_heads 4");
  refuse([](Options& o) { o.kv_heads = -1; }, "kv_heads is -1");
  refuse([](Options& o) { o.kv_heads = 8; }, "kv_heads is 8");
  refuse([](Options& o) { o.num_heads = 8, o.positions = AttentionPositions::rotary; }, "rotary positions need an even size");
  refuse([](Options& o) { o.positions = AttentionPositions::rotary, o.rotary_base = 1; }, "base is 1");
  refuse([](Options& o) { o.positions = AttentionPositions::shaw, o.max_distance = -1; }, "max_distance is -1");
  refuse([](Options& o) { o.positions = AttentionPositions::t5, o.num_buckets = 5; }, "num_buckets is 5");
  refuse([](Options& o) { o.positions = AttentionPositions::t5, o.max_distance = 8; }, "max_distance is 8");
  refuse([](Options& o) { o.max_distance = 5; }, "max_distance 5 is of shaw's and t5's positions");
  refuse([](Options& o) { o.max_span = -1; }, "max_span -1");
  refuse([](Options& o) { o.max_span = 4, o.span_ramp = 0; }, "ramp 0");
  refuse([](Options& o) { o.max_span = 4, o.initial_span = 1.5; }, "initial is 1.5");
  const Tensor x = uniform({2, 3, 8}, -1, 1, 1), twice = uniform({4, 3, 8}, -1, 1, 1);
  for_each_kind([&](nn::MultiheadAttention& attention, const Options& o) {
    for (const Shape& shape : {Shape{3, 3}, Shape{1, 1, 3, 4}, Shape{1, 1, 2, 3}, Shape{1, 3, 3, 3}, Shape{3, 1, 3, 3}})
      CHECK_THROWS_AS(attention(x, x, x, AttentionMask{.allowed = Tensor::ones(shape, boolean)}), ShapeError);
    CHECK_THROWS_AS(attention(x, x, x, AttentionMask{.allowed = Tensor::ones({1, 1, 3, 3})}), DTypeError);
    CHECK_THROWS_AS(attention(x, x, x, AttentionMask{.lengths = Tensor::from<std::int64_t>({1, 4}, {2})}), ValueError);
    CHECK_THROWS_AS(attention(x.slice(2, 0, 6), x, x), ShapeError);
    CHECK_THROWS_AS(attention(Var(), x, x), Error);
    if (o.positions != AttentionPositions::none || o.max_span > 0)
      CHECK_THROWS_WITH_AS(attention(twice, attention.remember(x, x)), doctest::Contains("AttentionCache::select"), ValueError);
  });
}
