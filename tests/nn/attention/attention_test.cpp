#include "weft/nn/attention.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::nn;

namespace {

constexpr std::int64_t size = 3;
using Make = std::function<std::unique_ptr<attention::Attention>(double dropout)>;

/// Every kind of one head, with the same parameters each time.
std::vector<std::pair<std::string, Make>> kinds() {
  using namespace attention;
  return {
      {"Dot", [](double p) { return std::make_unique<Dot>(DotOptions{.dropout = p}); }},
      {"General",
       [](double p) { return std::make_unique<General>(GeneralOptions{.query_dim = 3, .key_dim = 3, .dropout = p}); }},
      {"Additive",
       [](double p) {
         return std::make_unique<Additive>(AdditiveOptions{.query_dim = 3, .key_dim = 3, .hidden = 4, .dropout = p});
       }},
      {"Concat",
       [](double p) {
         return std::make_unique<Concat>(ConcatOptions{.query_dim = 3, .key_dim = 3, .hidden = 4, .dropout = p});
       }},
      {"Cosine", [](double p) { return std::make_unique<Cosine>(CosineOptions{.dropout = p}); }},
      {"Location",
       [](double p) {
         return std::make_unique<Location>(
             LocationOptions{.query_dim = 3, .key_dim = 3, .hidden = 4, .channels = 2, .kernel = 3, .dropout = p});
       }},
      {"Coverage",
       [](double p) {
         return std::make_unique<Coverage>(CoverageOptions{.query_dim = 3, .key_dim = 3, .hidden = 4, .dropout = p});
       }},
      {"LocalM", [](double p) { return std::make_unique<LocalM>(LocalOptions{.query_dim = 3, .key_dim = 3, .dropout = p}); }},
      {"LocalP",
       [](double p) {
         return std::make_unique<LocalP>(LocalPOptions{.query_dim = 3, .key_dim = 3, .hidden = 4, .dropout = p});
       }},
  };
}

}  // namespace

TEST_CASE("dropout on an attention's weights is in the context of training alone") {
  constexpr std::int64_t batch = 4, queries = 5, places = 8;
  const Tensor query = test::uniform({batch, queries, size}, -1, 1, 1, f32),
               keys = test::uniform({batch, places, size}, -1, 1, 2, f32);
  // With values that are a unit matrix a context is the weights that made it.
  Tensor values = Tensor::zeros({batch, places, places});
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t p = 0; p < places; ++p) values.mutable_data<float>()[(b * places + p) * places + p] = 1;
  for (const auto& [name, make] : kinds()) {
    CAPTURE(name);
    const auto plain = make(0), dropping = make(0.25);
    const AttentionOutput expected = (*plain)(query, keys, values);
    CHECK((*dropping)(query, keys, values).context.value().str() == expected.context.value().str());  // nothing records

    Generator generator(1);
    const Tape tape(generator);
    const AttentionOutput out = (*dropping)(query, keys, values);
    const Tensor weights = expected.weights.value().contiguous(), context = out.context.value().contiguous();
    // Kinds that look back see weights that nothing has dropped.
    CHECK(out.weights.value().str() == expected.weights.value().str());
    std::int64_t dropped = 0;
    for (std::int64_t i = 0; i < weights.numel(); ++i) {
      const double weight = weights.data<float>()[i], applied = context.data<float>()[i];
      if (applied == 0 && weight != 0)
        ++dropped;
      else
        CHECK(applied == doctest::Approx(weight / 0.75).epsilon(1e-6));
    }
    CHECK(dropped > 15);  // of 160, 40 on average
    CHECK(dropped < 70);
    dropping->eval();
    CHECK((*dropping)(query, keys, values).context.value().str() == expected.context.value().str());
    CHECK_THROWS_WITH_AS(make(1), doctest::Contains("dropout is 1; it must be in [0, 1)"), ValueError);
    CHECK_THROWS_AS(make(-0.1), ValueError);
  }
}

TEST_CASE("dropout on the weights of several heads") {
  const auto make = [](double p) { return attention::MultiHead({.query_dim = 4, .heads = 2, .dropout = p}); };
  auto plain = make(0), dropping = make(0.5);
  const Tensor x = test::uniform({2, 6, 4}, -1, 1, 3, f32);
  const std::string expected = plain(x, x, x).context.value().str();
  CHECK(dropping(x, x, x).context.value().str() == expected);
  Generator generator(1);
  const Tape tape(generator);
  CHECK(plain(x, x, x).context.value().str() == expected);
  CHECK(dropping(x, x, x).context.value().str() != expected);
  dropping.eval();
  CHECK(dropping(x, x, x).context.value().str() == expected);
  CHECK_THROWS_AS(make(1), ValueError);
}
