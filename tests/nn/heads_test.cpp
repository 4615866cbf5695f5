#include "nn/heads.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/attention/sparse.hpp"
#include "weft/nn/dynamic_conv.hpp"
#include "weft/nn/gated_attention.hpp"
#include "weft/nn/lightweight_conv.hpp"
#include "weft/nn/linear_attention.hpp"
#include "weft/nn/multihead_attention.hpp"

using namespace weft;
using doctest::Contains;
using test::uniform;

namespace {

/// Calls `f` with each mixing of width 8, and its name.
void for_each_mixing(const std::function<void(nn::PlaceMixing&, const std::string&)>& f) {
  nn::MultiheadAttention multihead({.embed_dim = 8, .num_heads = 2});
  nn::LinearAttention linear({.embed_dim = 8, .num_heads = 2});
  nn::GatedAttentionUnit gated({.embed_dim = 8, .hidden = 10, .key_dim = 3});
  nn::LightweightConv light({.embed_dim = 8, .num_heads = 2, .kernel_size = 3});
  nn::DynamicConv dynamic({.embed_dim = 8, .num_heads = 2, .kernel_size = 3});
  nn::attention::SparseSelfAttention sparse({.embed_dim = 8, .num_heads = 2, .reach = 2});
  f(multihead, "[MultiheadAttention]");
  f(linear, "[LinearAttention]");
  f(gated, "[GatedAttentionUnit]");
  f(light, "[LightweightConv]");
  f(dynamic, "[DynamicConv]");
  f(sparse, "[attention::SparseSelfAttention]");
}

}  // namespace

TEST_CASE("heads stand side by side and come together again") {
  const Tensor x = uniform({2, 3, 8}, -1, 1, 1);
  const Var heads = nn::in_heads(x, 4);
  CHECK(heads.shape() == Shape{2, 4, 3, 2});
  CHECK(heads.value().at({1, 2, 0, 1}) == x.at({1, 0, 5}));
  CHECK(test::largest_difference(nn::together(heads).value(), x) == 0);
}

TEST_CASE("places behind others follow them, and stand alone where there are none") {
  const Tensor x = uniform({2, 3, 4}, -1, 1, 1), y = uniform({2, 1, 4}, -1, 1, 2);
  CHECK(nn::behind({}, y, 1).value().is_same(y));
  CHECK(test::largest_difference(nn::behind(x, y, 1).value().slice(1, 3, 4), y) == 0);
}

TEST_CASE("every mixing of places names itself and what it got where an input doesn't fit") {
  for_each_mixing([](nn::PlaceMixing& mixing, const std::string& name) {
    CAPTURE(name);
    const Tensor narrow = Tensor::zeros({2, 3, 7}), wide = Tensor::zeros({2, 3, 8}, f64);
    const AttentionMask mask = {.causal = true};
    CHECK_THROWS_WITH_AS(mixing.mix(narrow, mask, nn::Padding::finite), Contains((name + " ").c_str()), ShapeError);
    CHECK_THROWS_WITH_AS(mixing.mix(narrow, mask, nn::Padding::finite), Contains("f32[2, 3, 7] is not [batch, places, 8]"),
                         ShapeError);
    CHECK_THROWS_WITH_AS(mixing.step(wide, {}), Contains("f64[2, 3, 8] and the module's weights f32["), DTypeError);
    CHECK_THROWS_WITH_AS(mixing.step({}, {}), Contains((name + " the input is undefined").c_str()), ValueError);
  });
}

TEST_CASE("no mixing of places goes on from what another has kept, or from other rows") {
  const Tensor x = uniform({2, 2, 8}, -1, 1, 1, f32), more = uniform({3, 1, 8}, -1, 1, 2, f32);
  nn::AttentionCache before;
  for_each_mixing([&](nn::PlaceMixing& mixing, const std::string& name) {
    CAPTURE(name);
    const nn::AttentionCache own = mixing.step(x, {}).cache;
    CHECK_THROWS_WITH_AS(mixing.step(more, own), Contains(name.c_str()), ShapeError);
    CHECK_THROWS_WITH_AS(mixing.step(more, own), Contains("f32[3, 1, 8]"), ShapeError);
    if (before.keys.defined() && name != "[DynamicConv]")
      CHECK_THROWS_WITH_AS(mixing.step(x, before), Contains(name.c_str()), ShapeError);
    CHECK_NOTHROW(mixing.step(x, own));
    before = own;
  });
}

TEST_CASE("a cache of another dtype, or another mixing's that has a convolution's shape, is refused") {
  const Tensor x = uniform({2, 2, 8}, -1, 1, 1, f32);
  for_each_mixing([&](nn::PlaceMixing& mixing, const std::string& name) {
    CAPTURE(name);
    nn::AttentionCache own = mixing.step(x, {}).cache;
    own.keys = own.keys.value().to(f64);
    CHECK_THROWS_WITH_AS(mixing.step(x, own), Contains(name.c_str()), DTypeError);
  });
  nn::MultiheadAttention attention({.embed_dim = 8, .num_heads = 1});
  const nn::AttentionCache foreign = attention.step(x, {}).cache;  // two places, as a kernel of three keeps
  nn::LightweightConv light({.embed_dim = 8, .num_heads = 2, .kernel_size = 3});
  nn::DynamicConv dynamic({.embed_dim = 8, .num_heads = 2, .kernel_size = 3});
  for (nn::PlaceMixing* conv : std::initializer_list<nn::PlaceMixing*>{&light, &dynamic}) {
    CHECK_THROWS_WITH_AS(conv->step(x, foreign), Contains("which another mixing has kept"), ShapeError);
    CHECK_THROWS_AS(conv->step(x, nn::AttentionCache{{}, foreign.values}), ShapeError);
  }
}
