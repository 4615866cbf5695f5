#include "weft/nn/lightweight_conv.hpp"

#include <cmath>
#include <type_traits>

#include "nn/attention_reference.hpp"
#include "nn/mixing_checks.hpp"
#include "weft/nn/dynamic_conv.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

namespace {

// Both kinds, small and with kernels that are even, odd, 1 and longer than what they see.
template <class Check>
void for_each_convolution(const Check& check) {
  for (const std::int64_t kernel : {1, 2, 3, 9}) {
    CAPTURE(kernel);
    const nn::ConvMixingOptions options{.embed_dim = 6, .num_heads = 2, .kernel_size = kernel};
    nn::LightweightConv light(options);
    check(test::filled(light), options);
    nn::DynamicConv dynamic(options);
    check(test::filled(dynamic), options);
  }
}

// The kernel of head h at place t, by loops.
std::vector<double> kernel_at(const nn::LightweightConv& conv, const Tensor&, std::int64_t, std::int64_t, std::int64_t h) {
  std::vector<double> kernel;
  for (std::int64_t k = 0; k < conv.weight->shape()[1]; ++k) kernel.push_back(conv.weight->value().at({h, k}));
  return kernel;
}
std::vector<double> kernel_at(const nn::DynamicConv& conv, const Tensor& gated, std::int64_t b, std::int64_t t,
                              std::int64_t h) {
  const Tensor w = conv.weight_linear.weight->value();
  std::vector<double> kernel;
  for (std::int64_t k = 0; k < w.size(0) / 2; ++k) {
    kernel.push_back(0);
    for (std::int64_t i = 0; i < 6; ++i) kernel.back() += gated.at({b, t, i}) * w.at({h * w.size(0) / 2 + k, i});
  }
  return kernel;
}

struct Plain {
  Tensor output, weights;
};

template <class Conv>
Plain plain(const Conv& conv, const Tensor& x, std::int64_t size, bool causal) {
  const std::int64_t batch = x.size(0), places = x.size(1), left = causal ? size - 1 : (size - 1) / 2;
  const Tensor wide = test::plain_linear(x, conv.linear1.weight->value(), conv.linear1.bias->value());
  Tensor gated = Tensor::zeros({batch, places, 6}, f64), mixed = gated.clone();
  Tensor weights = Tensor::zeros({batch, 2, places, places}, f64);
  auto *g = gated.mutable_data<double>(), *m = mixed.mutable_data<double>(), *w = weights.mutable_data<double>();
  for (std::int64_t i = 0; i < gated.numel(); ++i) {
    const std::int64_t b = i / 6 / places, t = i / 6 % places, c = i % 6;
    g[i] = wide.at({b, t, c}) / (1 + std::exp(-wide.at({b, t, c + 6})));
  }
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t t = 0; t < places; ++t)
      for (std::int64_t h = 0; h < 2; ++h) {
        std::vector<double> kernel = kernel_at(conv, gated, b, t, h);
        double total = 0;
        for (double& k : kernel) total += k = std::exp(k);
        for (std::int64_t k = 0; k < size; ++k) {
          const std::int64_t from = t + k - left;
          if (from < 0 || from >= places) continue;
          const double share = kernel[static_cast<std::size_t>(k)] / total;
          w[((b * 2 + h) * places + t) * places + from] = share;
          for (std::int64_t c = 3 * h; c < 3 * h + 3; ++c)
            m[(b * places + t) * 6 + c] += share * g[(b * places + from) * 6 + c];
        }
      }
  return {test::plain_linear(mixed, conv.linear2.weight->value(), conv.linear2.bias->value()), weights};
}

}  // namespace

TEST_CASE("lightweight and dynamic convolutions are the formula by plain loops, with their weights") {
  const Tensor x = uniform({2, 5, 6}, -1, 1, 1);
  for_each_convolution([&](auto& conv, const nn::ConvMixingOptions& o) {
    for (const bool causal : {false, true}) {
      const Plain expected = plain(conv, x, o.kernel_size, causal);
      const auto got = conv(x, AttentionMask{.causal = causal}, nn::AttentionWeights::per_head);
      CHECK(largest_difference(got.output.value(), expected.output) <= 1e-13);
      CHECK(largest_difference(got.weights.value(), expected.weights) <= 1e-14);
      const auto averaged = conv(x, AttentionMask{.causal = causal}, nn::AttentionWeights::averaged);
      CHECK(largest_difference(averaged.weights.value(), mean(got.weights, {1}).value()) == 0);
      CHECK(!conv(x, AttentionMask{.causal = causal}).weights.defined());
    }
    const AttentionMask short_rows{.lengths = Tensor::from<std::int64_t>({2, 5}, {2})};
    CHECK(test::largest(conv(x, short_rows, nn::AttentionWeights::averaged).weights.value().select(0, 0).slice(1, 2, 5)) == 0);
  });
}

TEST_CASE("gradients of lightweight and dynamic convolutions to second order") {
  for_each_convolution([](auto& conv, const auto&) {
    test::check_mixing_gradients(conv, 6);
    test::check_mixing_weights_gradients(conv, 6, std::is_same_v<std::decay_t<decltype(conv)>, nn::DynamicConv>);
  });
}

TEST_CASE("padding reaches nothing through lightweight and dynamic convolutions") {
  for_each_convolution([](auto& conv, const auto&) { test::check_mixing_padding(conv, 6); });
}

TEST_CASE("steps of lightweight and dynamic convolutions give what all places at once give") {
  for_each_convolution([](auto& conv, const nn::ConvMixingOptions& o) {
    test::check_mixing_steps(conv, 6);
    CHECK(conv.step(uniform({2, 1, 6}, -1, 1, 1), {}).cache.keys.size(2) == o.kernel_size - 1);
  });
}

TEST_CASE("dropout falls on the kernels in training alone") {
  const auto check = [](auto&& conv) {
    const Tensor x = uniform({2, 8, 6}, -1, 1, 1, f32);
    const auto run = [&](std::uint64_t seed) {
      Generator generator(seed);
      Tape tape(generator);
      return conv(x).output.value().clone();
    };
    CHECK(largest_difference(run(1), run(1)) == 0);
    CHECK(largest_difference(run(1), run(2)) > 1e-3);
    conv.eval();
    CHECK(largest_difference(run(1), run(2)) == 0);
  };
  const nn::ConvMixingOptions options{.embed_dim = 6, .num_heads = 2, .kernel_size = 5, .dropout = 0.5};
  check(nn::LightweightConv(options));
  check(nn::DynamicConv(options));
}

TEST_CASE("convolutions that can't be are refused") {
  for_each_convolution([](auto& conv, const nn::ConvMixingOptions& o) {
    const bool light = std::is_same_v<std::remove_cvref_t<decltype(conv)>, nn::LightweightConv>;
    if (o.kernel_size > 1) test::check_mixing_refusals(conv, 6, light ? "[LightweightConv]" : "[DynamicConv]");
    const Tensor x = uniform({2, 3, 6}, -1, 1, 1);
    CHECK_THROWS_WITH_AS(conv(x, AttentionMask{.allowed = Tensor::ones({3, 3}, boolean)}), doctest::Contains("give lengths"),
                         ValueError);
  });
  const auto refuse = [](const nn::ConvMixingOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS(nn::LightweightConv{options}, doctest::Contains(message), ValueError);
    CHECK_THROWS_WITH_AS(nn::DynamicConv{options}, doctest::Contains(message), ValueError);
  };
  refuse({.embed_dim = 6, .num_heads = 4}, "embed_dim is 6 and num_heads 4");
  refuse({.embed_dim = 6, .num_heads = 0}, "num_heads 0");
  refuse({.embed_dim = 0, .num_heads = 1}, "embed_dim is 0");
  refuse({.embed_dim = 6, .num_heads = 2, .kernel_size = 0}, "kernel_size is 0");
  refuse({.embed_dim = 6, .num_heads = 2, .dropout = 1}, "dropout is 1");
}
