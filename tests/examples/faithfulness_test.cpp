#include "../../examples/faithfulness.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"
#include "weft/nn/linear.hpp"

using namespace weft;
using namespace faithfulness;
using Places = std::vector<std::size_t>;

namespace {

Places sorted(Places places) {
  std::sort(places.begin(), places.end());
  return places;
}

double rms(const Tensor& values) {
  double sum = 0;
  for (const float each : std::span(values.data<float>(), static_cast<std::size_t>(values.numel())))
    sum += static_cast<double>(each) * static_cast<double>(each);
  return std::sqrt(sum / static_cast<double>(values.numel()));
}

}  // namespace

TEST_CASE("the places with the highest and the lowest weights come first, and one is left") {
  const std::vector<double> weights = {0.2, 0.4, 0.1, 0.3};
  Generator generator(1);
  CHECK(first_places(weights, Order::highest, 0.5, generator) == Places{1, 3});
  CHECK(first_places(weights, Order::lowest, 0.5, generator) == Places{2, 0});
  CHECK(first_places(weights, Order::highest, 0.1, generator).empty());  // 0.4 of a place
  CHECK(first_places(weights, Order::highest, 1, generator) == Places{1, 3, 0});
  CHECK(first_places({1}, Order::highest, 1, generator).empty());
}

TEST_CASE("random places are any of them, each once, and so are those of like weights") {
  const std::vector<double> weights(20, 0.05);
  for (const Order order : {Order::random, Order::highest, Order::lowest}) {
    Generator one(1), same(1);
    const Places places = first_places(weights, order, 0.5, one);
    CHECK(places == first_places(weights, order, 0.5, same));
    CHECK(places != first_places(weights, order, 0.5, one));
    CHECK(places.size() == 10);
    CHECK(std::adjacent_find(places.begin(), places.end()) == places.end());
    const Places ordered = sorted(places);
    CHECK(std::adjacent_find(ordered.begin(), ordered.end()) == ordered.end());
    CHECK(ordered.back() < 20);
  }
}

TEST_CASE("how even weights are") {
  const Evenness even = evenness_of({0.25, 0.25, 0.25, 0.25}), all_on_one = evenness_of({0, 1, 0, 0});
  CHECK(even.entropy == doctest::Approx(1));
  CHECK(even.zeros == 0);
  CHECK(even.tenth == 0.25);
  CHECK(all_on_one.entropy == 0);
  CHECK(all_on_one.zeros == 0.75);
  CHECK(all_on_one.tenth == 1);
  CHECK(evenness_of({1}).entropy == 1);  // there is no other way
  std::vector<double> many(20, 0.4 / 18);
  many[3] = many[11] = 0.3;
  CHECK(evenness_of(many).tenth == doctest::Approx(0.6));
  const Evenness mean = mean_of({even, all_on_one});
  CHECK(mean.entropy == doctest::Approx(0.5));
  CHECK(mean.zeros == 0.375);
  CHECK(mean.tenth == 0.625);
}

TEST_CASE("vectors are replaced by random ones of about the same length, or by zeros") {
  nn::Linear model({.in_features = 64, .out_features = 32}, nn::Scope{.owner = nullptr, .name = {}, .seed = 3});
  const auto value = [&](std::size_t place) { return model.named_parameters().at(place).parameter->value().clone(); };
  const Tensor weight = value(0), bias = value(1);
  Generator noise(1);
  replace_vectors(model, "weight", &noise);
  const Tensor random = value(0);
  CHECK(rms(random) == doctest::Approx(rms(weight)).epsilon(0.1));
  double product = 0;
  for (std::int64_t i = 0; i < random.numel(); ++i)
    product += static_cast<double>(random.data<float>()[i]) * static_cast<double>(weight.data<float>()[i]);
  CHECK(std::abs(product) < 0.1 * rms(random) * rms(weight) * static_cast<double>(random.numel()));  // another direction
  replace_vectors(model, "weight", nullptr);
  CHECK(rms(value(0)) == 0);
  CHECK(rms(value(1)) == rms(bias));
  CHECK_THROWS_WITH_AS(replace_vectors(model, "context", nullptr), "the model has no parameter whose name ends in 'context'",
                       ValueError);
}
