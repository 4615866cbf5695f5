#pragma once
#include <doctest/doctest.h>

#include <limits>

#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/module.hpp"
#include "weft/nn/place_mixing.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::test {

/// Four rows of seven places.
inline constexpr std::int64_t mixing_rows = 4;
inline const Tensor mixing_lengths = Tensor::from<std::int64_t>({7, 1, 4, 0}, {mixing_rows});

/// Random weights everywhere, in f64.
template <class Mixing>
Mixing& filled(Mixing& mixing) {
  mixing.to(f64);
  std::uint64_t seed = 10;
  for (const nn::NamedParameter& p : mixing.named_parameters())
    p.parameter->mutable_value().copy_from(uniform(p.parameter->shape(), -0.9, 0.9, ++seed));
  return mixing;
}

/// First and second derivatives of what it gives, causal and not, with lengths, by its input and its parameters.
template <class Mixing>
void check_mixing_gradients(Mixing& mixing, std::int64_t size) {
  const Tensor x = uniform({mixing_rows, 7, size}, -1, 1, 1);
  const auto check = [&](const auto& output) {
    const auto loss = [&] { return sum(square(output(x))); };
    gradcheck_parameters(loss, mixing.parameters(), {.elements = 12}).require();
    gradgradcheck_parameters(loss, mixing.parameters(), {.rtol = 1e-4, .directions = 2}).require();
    mixing.zero_grad();
    gradgradcheck([&](const std::vector<Var>& in) { return output(in[0]); }, {x}, {.rtol = 1e-4, .directions = 2}).require();
    mixing.zero_grad();
  };
  for (const bool causal : {false, true})
    check([&](const Var& in) { return mixing.mix(in, AttentionMask{.lengths = mixing_lengths, .causal = causal}, {}); });
}

/// The same of the weights that it gives on request, where they hang on the input.
template <class Mixing>
void check_mixing_weights_gradients(Mixing& mixing, std::int64_t size, bool by_input = true) {
  const Tensor x = uniform({mixing_rows, 7, size}, -1, 1, 1);
  for (const bool causal : {false, true}) {
    const auto weights = [&](const Var& in) {
      return mixing(in, AttentionMask{.lengths = mixing_lengths, .causal = causal}, nn::AttentionWeights::per_head).weights;
    };
    const auto loss = [&] { return sum(square(weights(x))); };
    gradcheck_parameters(loss, mixing.parameters(), {.elements = 12}).require();
    gradgradcheck_parameters(loss, mixing.parameters(), {.rtol = 1e-4, .directions = 2}).require();
    mixing.zero_grad();
    if (!by_input) continue;
    gradgradcheck([&](const std::vector<Var>& in) { return weights(in[0]); }, {x}, {.rtol = 1e-4, .directions = 2}).require();
    mixing.zero_grad();
  }
}

/// Padding reaches nothing, NaN included, forward and backward; a padded row gives what it gives alone.
template <class Mixing>
void check_mixing_padding(Mixing& mixing, std::int64_t size) {
  const Tensor x = uniform({mixing_rows, 7, size}, -1, 1, 1);
  const std::int64_t* length = mixing_lengths.data<std::int64_t>();
  Tensor spoilt = x.clone();
  for (std::int64_t b = 0; b < mixing_rows; ++b)
    spoilt.select(0, b).slice(0, length[b], 7).fill(std::numeric_limits<double>::quiet_NaN());
  for (const bool causal : {false, true}) {
    const auto run = [&](const Tensor& values) {
      Tape tape;
      const Var input = tape.leaf(values);
      const Var output = mixing.mix(input, AttentionMask{.lengths = mixing_lengths, .causal = causal}, nn::Padding::anything);
      Var total = Var::scalar(0, f64);
      for (std::int64_t b = 0; b < mixing_rows; ++b) total = total + sum(square(slice(select(output, 0, b), 0, 0, length[b])));
      tape.backward(total);
      std::vector<Tensor> result = {output.value().clone(), tape.grad(input).clone()};
      for (Parameter* parameter : mixing.parameters())
        if (parameter->grad().defined()) result.push_back(parameter->grad().clone());
      mixing.zero_grad();
      return result;
    };
    const auto clean = run(x), dirty = run(spoilt);
    REQUIRE(clean.size() == dirty.size());
    for (std::size_t i = 0; i < clean.size(); ++i) CHECK(largest_difference(clean[i], dirty[i]) == 0);
    for (std::int64_t b = 0; b < mixing_rows; ++b) {
      const Tensor alone = x.slice(0, b, b + 1).slice(1, 0, length[b]);
      CHECK(largest_difference(mixing.mix(alone, AttentionMask{.causal = causal}, nn::Padding::anything).value(),
                               clean[0].slice(0, b, b + 1).slice(1, 0, length[b])) <= 1e-12);
    }
  }
}

/// Steps give what all places at once give, from chosen rows of a cache too.
template <class Mixing>
void check_mixing_steps(Mixing& mixing, std::int64_t size, std::int64_t places = 9) {
  const Tensor x = uniform({3, places, size}, -1, 1, 1);
  const Tensor whole = mixing.mix(x, AttentionMask{.causal = true}, nn::Padding::anything).value();
  nn::AttentionCache cache;
  std::int64_t start = 0;
  for (const std::int64_t count : {std::int64_t{1}, std::int64_t{1}, std::int64_t{3}, places - 5}) {
    auto [output, grown] = mixing.step(x.slice(1, start, start + count), cache);
    CHECK(largest_difference(output.value(), whole.slice(1, start, start + count)) <= 1e-12);
    if (start == 2) {  // a beam goes on from the other row
      const Tensor chosen = Tensor::from<std::int64_t>({2, 0, 0}, {3});
      const Tensor next = index_select(x.slice(1, start, start + count), 0, chosen).value();
      CHECK(largest_difference(mixing.step(next, cache.select(chosen)).output.value(),
                               index_select(output, 0, chosen).value()) == 0);
    }
    cache = grown;
    start += count;
  }
}

/// What none of them can take.
template <class Mixing>
void check_mixing_refusals(Mixing& mixing, std::int64_t size, const char* name) {
  const Tensor x = uniform({3, 7, size}, -1, 1, 1);
  const auto mix = [&](const Var& in, const AttentionMask& mask) { return mixing.mix(in, mask, nn::Padding::anything); };
  CHECK_THROWS_WITH_AS(mix(uniform({3, 7, size + 1}, -1, 1, 1), {}), doctest::Contains(name), ShapeError);
  CHECK_THROWS_AS(mix(x.select(0, 0), {}), ShapeError);
  CHECK_THROWS_AS(mix(Var(), {}), Error);
  CHECK_THROWS_AS(mix(x, {.lengths = Tensor::from<std::int64_t>({1, 2}, {2})}), ShapeError);
  CHECK_THROWS_AS(mix(x, {.lengths = Tensor::from<std::int64_t>({1, 2, 8}, {3})}), ValueError);
  CHECK_THROWS_AS(mix(x, {.lengths = Tensor::from<std::int64_t>({1, 2, -1}, {3})}), ValueError);
  CHECK_THROWS_AS(mix(x, {.lengths = Tensor::ones({3})}), DTypeError);
  CHECK_THROWS_AS(mixing.step(x.slice(2, 0, size - 1), {}), ShapeError);
  const nn::AttentionCache cache = mixing.step(x, {}).cache;
  CHECK_THROWS_WITH_AS(mixing.step(x.slice(0, 0, 2), cache), doctest::Contains(name), ShapeError);
  // Nothing at all.
  for (const bool causal : {false, true}) {
    CHECK(mix(x.slice(1, 0, 0), {.causal = causal}).shape() == Shape{3, 0, size});
    CHECK(mix(x.slice(0, 0, 0), {.causal = causal}).shape() == Shape{0, 7, size});
  }
}

}  // namespace weft::test
