#include "weft/nn/attention/location.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/attention/checks.hpp"
#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/index.hpp"

using namespace weft;
using test::Matrix;
using test::product;
using test::Vector;

TEST_CASE("location-aware attention") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    const auto normalise = test::plain_normaliser(normaliser);
    nn::attention::Location attention(
        {.query_dim = 3, .key_dim = 3, .hidden = 4, .channels = 2, .kernel = 3, .normaliser = normaliser});
    attention.to(f64);
    const Matrix w = test::matrix_of(attention.query.weight->value()), u = test::matrix_of(attention.key.weight->value()),
                 filters = test::matrix_of(attention.filters->value().squeeze(1)),
                 location = test::matrix_of(attention.location.weight->value());
    const Vector v = test::matrix_of(attention.score.weight->value())[0],
                 bias = test::matrix_of(attention.key.bias->value().unsqueeze(0))[0];
    test::check_attention(attention, [&](const Matrix& queries, const Matrix& keys, const std::vector<bool>& open) {
      Matrix all;
      Vector last(keys.size());
      for (const Vector& query : queries) {
        Vector scores;
        for (std::size_t k = 0; k < keys.size(); ++k) {
          Vector f;
          for (const Vector& filter : filters) {
            f.push_back(0);
            for (std::size_t j = 0; j < 3; ++j)  // centred at k
              if (k + j >= 1 && k + j - 1 < last.size()) f.back() += filter[j] * last[k + j - 1];
          }
          Vector hidden = product(w, query);
          for (std::size_t i = 0; i < hidden.size(); ++i)
            hidden[i] = std::tanh(hidden[i] + product(u[i], keys[k]) + bias[i] + product(location[i], f));
          scores.push_back(product(v, hidden));
        }
        all.push_back(last = normalise(scores, open));
      }
      return all;
    });
    test::check_history_gradients(attention);
    test::check_refusals(attention, "attention::Location");
  }
}

TEST_CASE("location-aware attention that can't be is refused") {
  using nn::attention::Location;
  for (const std::int64_t kernel : {0, -1, 4})
    CHECK_THROWS_WITH_AS(Location({.query_dim = 3, .key_dim = 3, .hidden = 4, .kernel = kernel}),
                         doctest::Contains("[attention::Location] kernel is"), ValueError);
  CHECK_THROWS_WITH_AS(Location({.query_dim = 3, .key_dim = 3, .hidden = 4, .channels = 0}), doctest::Contains("channels is 0"),
                       ValueError);
  CHECK_THROWS_AS(Location({.query_dim = 3, .key_dim = 3}), ValueError);
}

TEST_CASE("a history of other rows or places is refused with shapes") {
  nn::attention::Location attention({.query_dim = 3, .key_dim = 3, .hidden = 4});
  const nn::AttentionMemory memory = attention.remember(Tensor::ones({2, 5, 3}), Tensor::ones({2, 5, 3}));
  const nn::AttentionState state{Tensor::zeros({2, 4}), {}};
  CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 1, 3}), memory, state),
                       "[attention::Location] the state's history f32[2, 4] doesn't fit query f32[2, 1, 3] and the memory's "
                       "values f32[2, 5, 3]: [rows, places] is needed",
                       ShapeError);
}

TEST_CASE("what a given history holds at masked places counts for nothing") {
  nn::attention::Location attention({.query_dim = 3, .key_dim = 3, .hidden = 4, .kernel = 3});
  const Tensor x = test::uniform({2, 5, 3}, -1, 1, 1).to(f32);
  const nn::AttentionMemory memory = attention.remember(x, x, sequence_mask(Tensor::from<std::int64_t>({3, 5}, {2}), 5));
  Tensor clean = Tensor::full({4, 5}, 0.2), spoilt = clean.clone();  // two rows of queries for each of the memory
  for (Tensor* history : {&clean, &spoilt}) history->slice(0, 0, 2).slice(1, 3, 5).fill(history == &clean ? 0 : std::nan(""));
  const Tensor query = Tensor::ones({4, 1, 3});
  const auto output = [&](const Tensor& history) {
    return attention(query, memory, nn::AttentionState{history, {}}).weights.value();
  };
  CHECK(test::largest_difference(output(spoilt), output(clean)) == 0);
}
