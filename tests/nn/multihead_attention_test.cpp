#include "weft/nn/multihead_attention.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/leaks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

namespace {

const Tensor lengths = Tensor::from<std::int64_t>({4, 1, 2}, {3});

nn::MultiheadAttention& attention() {
  static nn::MultiheadAttention made({.embed_dim = 6, .num_heads = 2, .dropout = 0.2}, {.seed = 3});
  made.to(f64);
  made.eval();
  return made;
}

const test::BeforeTests attention_is_made([] { attention(); });

}  // namespace

TEST_CASE("MultiheadAttention starts as PyTorch's") {
  nn::MultiheadAttention plain({.embed_dim = 6, .num_heads = 2});
  std::vector<std::string> names;
  for (const auto& [name, tensor] : plain.state_dict()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"});
  const double bound = std::sqrt(6.0 / (18 + 6));
  CHECK(test::largest(plain.in_proj_weight->value()) <= bound);
  CHECK(test::largest(plain.in_proj_weight->value()) > 0.8 * bound);
  CHECK(test::largest(plain.in_proj_bias->value()) == 0);
  CHECK(test::largest(plain.out_proj.bias->value()) == 0);
  nn::MultiheadAttention other({.embed_dim = 6, .num_heads = 2, .bias = false, .kdim = 4});
  names.clear();
  for (const auto& [name, tensor] : other.state_dict()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"});
}

TEST_CASE("gradients to second order, of every way to call it") {
  const Tensor x = uniform({3, 4, 6}, -1, 1, 1), memory = uniform({3, 5, 6}, -1, 1, 2);
  const auto check = [&](const auto& output) {
    const auto loss = [&] { return sum(square(output())); };
    gradcheck_parameters(loss, attention().parameters(), {.elements = 60}).require();
    gradgradcheck_parameters(loss, attention().parameters(), {.rtol = 1e-4, .directions = 2}).require();
    attention().zero_grad();
  };
  check([&] { return attention()(x, x, x, AttentionMask{.lengths = lengths, .causal = true}).output; });
  check([&] { return attention()(x, memory, memory, AttentionMask{.lengths = lengths}).output; });
  check([&] { return attention()(x, memory, memory, AttentionMask{}, nn::AttentionWeights::averaged).weights; });
  check([&] { return attention()(x, attention().remember(memory, memory)).output; });
  attention().train();
  check([&] { return attention()(x, x, x).output; });
  attention().eval();
}

TEST_CASE("a padded row gives what it gives alone, whatever its padding holds") {
  const Tensor x = uniform({3, 4, 6}, -1, 1, 1);
  Tensor spoilt = x.clone();
  for (std::int64_t b = 0; b < 3; ++b)
    spoilt.select(0, b).slice(0, lengths.data<std::int64_t>()[b], 4).fill(std::numeric_limits<double>::quiet_NaN());
  const auto run = [&](const Tensor& values) {
    Tape tape;
    const Var input = tape.leaf(values);
    const Var output = attention()(input, input, input, AttentionMask{.lengths = lengths}).output;
    Var total = Var::scalar(0, f64);
    for (std::int64_t b = 0; b < 3; ++b)
      total = total + sum(square(slice(select(output, 0, b), 0, 0, lengths.data<std::int64_t>()[b])));
    tape.backward(total);
    std::vector<Tensor> result = {output.value().clone(), tape.grad(input).clone()};
    for (Parameter* parameter : attention().parameters()) result.push_back(parameter->grad().clone());
    attention().zero_grad();
    return result;
  };
  const auto clean = run(x), dirty = run(spoilt);
  for (std::size_t i = 0; i < clean.size(); ++i) CHECK(largest_difference(clean[i], dirty[i]) == 0);
  for (std::int64_t b = 0; b < 3; ++b) {
    const Tensor alone = x.slice(0, b, b + 1).slice(1, 0, lengths.data<std::int64_t>()[b]);
    CHECK(largest_difference(attention()(alone, alone, alone).output.value(),
                             clean[0].slice(0, b, b + 1).slice(1, 0, alone.size(1))) <= 1e-14);
  }
}

TEST_CASE("what a mask closes to all queries reaches nothing, NaN included, where it is no query") {
  const Tensor query = uniform({2, 3, 6}, -1, 1, 1), memory = uniform({2, 4, 6}, -1, 1, 2);
  Tensor spoilt = memory.clone();
  spoilt.slice(1, 2, 3).fill(std::numeric_limits<double>::quiet_NaN());
  const Tensor keys = Tensor::from<bool>({true, true, false, true}, {1, 1, 1, 4});
  Tensor pairs = Tensor::full({2, 2, 3, 4}, 1, boolean);
  pairs.slice(3, 2, 3).fill(0);
  for (const Tensor& allowed : {keys, pairs}) {
    const auto run = [&](const Tensor& values) {
      Tape tape;
      const Var from = tape.leaf(query), to = tape.leaf(values);
      const Var output = attention()(from, to, to, AttentionMask{.allowed = allowed}).output;
      tape.backward(sum(square(output)));
      std::vector<Tensor> result = {output.value().clone(), tape.grad(from).clone(), tape.grad(to).clone()};
      for (Parameter* parameter : attention().parameters()) result.push_back(parameter->grad().clone());
      attention().zero_grad();
      return result;
    };
    const auto clean = run(memory), dirty = run(spoilt);
    for (std::size_t i = 0; i < clean.size(); ++i) CHECK(largest_difference(clean[i], dirty[i]) == 0);
  }
}

TEST_CASE("steps with a cache give what all places at once give") {
  const Tensor x = uniform({3, 7, 6}, -1, 1, 1);
  const Tensor whole = attention()(x, x, x, AttentionMask{.causal = true}).output.value();
  nn::AttentionCache cache;
  std::int64_t start = 0;
  for (const std::int64_t count : {1, 3, 1, 2}) {
    auto [output, grown] = attention().step(x.slice(1, start, start + count), cache);
    CHECK(largest_difference(output.value(), whole.slice(1, start, start + count)) <= 1e-14);
    cache = grown;
    start += count;
    CHECK(cache.places() == start);
  }
  const nn::AttentionCache chosen = cache.select(Tensor::from<std::int64_t>({2, 0, 0, 1}, {4}));
  CHECK(largest_difference(chosen.keys.value().select(0, 0), cache.keys.value().select(0, 2)) == 0);
  CHECK(largest_difference(chosen.values.value().select(0, 2), cache.values.value().select(0, 0)) == 0);
  CHECK(!nn::AttentionCache{}.select(Tensor::from<std::int64_t>({0}, {1})).keys.defined());
}

TEST_CASE("several rows of queries share one row of a memory") {
  const Tensor memory = uniform({3, 5, 6}, -1, 1, 2), x = uniform({6, 2, 6}, -1, 1, 1);
  const AttentionMask mask{.lengths = lengths};
  const nn::AttentionCache kept = attention().remember(memory, memory, lengths);
  const Tensor twice = Tensor::from<std::int64_t>({0, 0, 1, 1, 2, 2}, {6});
  const Tensor longer = Tensor::from<std::int64_t>({4, 4, 1, 1, 2, 2}, {6});
  for (const auto weights : {nn::AttentionWeights::averaged, nn::AttentionWeights::per_head}) {
    const auto shared = attention()(x, kept, mask, weights);
    const auto apart = attention()(x, kept.select(twice), AttentionMask{.lengths = longer}, weights);
    CHECK(largest_difference(shared.output.value(), apart.output.value()) <= 1e-14);
    CHECK(largest_difference(shared.weights.value(), apart.weights.value()) <= 1e-14);
  }
  CHECK_THROWS_AS(attention()(x.slice(0, 0, 4), kept), ShapeError);
}

TEST_CASE("rows that share a memory can't have masks that tell queries apart") {
  const Tensor memory = uniform({1, 3, 6}, -1, 1, 2), x = uniform({2, 3, 6}, -1, 1, 1);
  const nn::AttentionCache kept = attention().remember(memory, memory);
  const AttentionMask causal{.causal = true}, apart{.allowed = test::coins({1, 1, 3, 3}, 0.5, 3)},
      folded{.allowed = Tensor::ones({1, 1, 6, 3}, boolean)},
      of_keys{.allowed = Tensor::from<bool>({true, false, true}, {1, 1, 1, 3})};
  CHECK_THROWS_WITH_AS(attention()(x, kept, causal), doctest::Contains("AttentionCache::select"), ValueError);
  CHECK_THROWS_WITH_AS(attention()(x, kept, apart), doctest::Contains("[batch, 1, 1, keys]"), ValueError);
  CHECK_THROWS_AS(attention()(x, kept, folded), ValueError);
  // What the messages say to do.
  const nn::AttentionCache own = kept.select(Tensor::zeros({2}, i64));
  const Tensor twice = concat({Var(memory), Var(memory)}, 0).value();
  for (const AttentionMask& mask : {causal, apart})
    CHECK(largest_difference(attention()(x, own, mask).output.value(), attention()(x, twice, twice, mask).output.value()) <=
          1e-14);
  CHECK(largest_difference(attention()(x, kept, of_keys).output.value(),
                           attention()(x, twice, twice, of_keys).output.value()) <= 1e-14);
}

TEST_CASE("attention that can't be is refused") {
  CHECK_THROWS_WITH_AS(nn::MultiheadAttention({.embed_dim = 6, .num_heads = 4}),
                       doctest::Contains("embed_dim is 6 and num_heads 4"), ValueError);
  CHECK_THROWS_AS(nn::MultiheadAttention({.embed_dim = 6, .num_heads = 0}), ValueError);
  CHECK_THROWS_AS(nn::MultiheadAttention({.embed_dim = 6, .num_heads = 2, .dropout = 1}), ValueError);
  CHECK_THROWS_AS(nn::MultiheadAttention({.embed_dim = 6, .num_heads = 2, .kdim = -1}), ValueError);
  const Tensor x = uniform({2, 3, 6}, -1, 1, 1);
  CHECK_THROWS_WITH_AS(attention()(uniform({2, 3, 5}, -1, 1, 1), x, x),
                       "[MultiheadAttention] query f64[2, 3, 5] is not [batch, places, 6]", ShapeError);
  CHECK_THROWS_AS(attention()(x, x, x.slice(1, 0, 2)), ShapeError);
  CHECK_THROWS_AS(attention()(x, x.slice(0, 0, 1), x.slice(0, 0, 1)), ShapeError);
  CHECK_THROWS_AS(attention()(x, nn::AttentionCache{}), ValueError);
  const nn::AttentionCache kept = attention().remember(x, x);
  const Shape shape = kept.keys.shape();
  const std::string wanted = "f64[2, " + std::to_string(shape[1]) + ", places, " + std::to_string(shape[3]) + "]";
  // Values of another batch, which would be broadcast; of other places; keys of another module's heads.
  for (const nn::AttentionCache& other :
       {nn::AttentionCache{kept.keys, slice(kept.values, 0, 0, 1)}, nn::AttentionCache{kept.keys, slice(kept.values, 2, 0, 2)},
        nn::AttentionCache{slice(kept.keys, 1, 0, 1), kept.values}}) {
    const std::string message =
        "[MultiheadAttention] a cache of " + other.keys.value().describe() + " and " + other.values.value().describe() +
        " isn't one of this module's for input f64[2, 3, 6]: " + wanted + " and " + wanted + "; `remember` makes one";
    CHECK_THROWS_WITH_AS(attention()(x, other), message.c_str(), ShapeError);
  }
  CHECK_THROWS_WITH_AS(
      attention()(x, nn::AttentionCache{kept.keys.value().to(f32), kept.values}),
      ("[MultiheadAttention] a cache of " + kept.keys.value().to(f32).describe() + " and input f64[2, 3, 6] differ in dtype")
          .c_str(),
      DTypeError);
  const Tensor narrow = x.to(f32);
  CHECK_THROWS_WITH_AS(attention()(narrow, narrow, narrow),
                       "[MultiheadAttention] query f32[2, 3, 6] and the module's weights f64[6, 6] differ in dtype",
                       DTypeError);
  CHECK_THROWS_WITH_AS(attention()(x, narrow, x), doctest::Contains("[MultiheadAttention] key f32[2, 3, 6]"), DTypeError);
  CHECK_THROWS_AS(attention().remember(x, narrow), DTypeError);
  CHECK_THROWS_WITH_AS(attention().remember(x, x.slice(1, 1, x.size(1))), doctest::Contains("as many keys as values"),
                       ShapeError);
  CHECK_THROWS_AS(attention().step(narrow, {}), DTypeError);
  CHECK_THROWS_WITH_AS(attention()(Var(), x, x), "[MultiheadAttention] the query is undefined", ValueError);
  CHECK_THROWS_WITH_AS(attention()(x, Var(), x), "[MultiheadAttention] the key is undefined", ValueError);
  CHECK_THROWS_WITH_AS(attention().remember(x, Var()), "[MultiheadAttention] the value is undefined", ValueError);
  CHECK_THROWS_WITH_AS(attention().remember(x, x, Tensor::from<std::int64_t>({3, 99}, {2})),
                       doctest::Contains("length 99 of row 1 is outside 0 to 3"), ValueError);
  CHECK_THROWS_AS(attention().remember(x, x, Tensor::from<std::int64_t>({-5, 3}, {2})), ValueError);
  CHECK_THROWS_AS(attention()(x, x, x, AttentionMask{.lengths = lengths}), ShapeError);
  nn::MultiheadAttention other({.embed_dim = 6, .num_heads = 2, .kdim = 4});
  other.to(f64);
  CHECK_THROWS_AS(other.step(x, {}), ValueError);
}
