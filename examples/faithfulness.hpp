#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/nn/module.hpp"

/// What the experiments on the trust in attention weights have in common: docs/faithfulness.md.
namespace faithfulness {

using namespace weft;

/// How much of what is weighed is taken away, and by which order of the weights.
inline constexpr std::array shares = {0.02, 0.05, 0.1, 0.2};
enum class Order : std::uint8_t { highest, random, lowest };
inline constexpr std::array orders = {std::pair(Order::highest, "highest"), std::pair(Order::random, "random"),
                                      std::pair(Order::lowest, "lowest")};

/// The places of the weights in that order, like ones at random; so many of them that one is left at least.
inline std::vector<std::size_t> first_places(const std::vector<double>& weights, Order order, double share,
                                             Generator& generator) {
  std::vector<std::size_t> places(weights.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  for (std::size_t left = places.size(); left > 1; --left) std::swap(places[left - 1], places[generator.below(left)]);
  if (order != Order::random)
    std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
      return order == Order::highest ? weights[a] > weights[b] : weights[a] < weights[b];
    });
  const auto count = static_cast<std::size_t>(std::lround(share * static_cast<double>(places.size())));
  places.resize(std::min(count, places.size() - 1));
  return places;
}

/// Of weights that add up to 1: entropy as a share of that of even ones, the share that is 0, and how much the tenth with the
/// highest has.
struct Evenness {
  double entropy = 0, zeros = 0, tenth = 0;

  std::string str() const {
    return fmt::format("evenness {:.3f}, {:.1f} % of the weights are 0, the tenth with the highest has {:.1f} % of the weight",
                       entropy, 100 * zeros, 100 * tenth);
  }
};

inline Evenness evenness_of(std::vector<double> weights) {
  std::sort(weights.rbegin(), weights.rend());
  const auto count = static_cast<double>(weights.size());
  double entropy = 0;
  for (const double weight : weights) entropy -= weight > 0 ? weight * std::log(weight) : 0;
  const auto tenth = static_cast<std::ptrdiff_t>(std::ceil(count / 10));
  return {weights.size() > 1 ? entropy / std::log(count) : 1,
          static_cast<double>(std::count(weights.begin(), weights.end(), 0.0)) / count,
          std::accumulate(weights.begin(), weights.begin() + tenth, 0.0)};
}

inline Evenness mean_of(const std::vector<Evenness>& all) {
  Evenness sum;
  for (const Evenness& each : all) {
    sum.entropy += each.entropy;
    sum.zeros += each.zeros;
    sum.tenth += each.tenth;
  }
  const auto count = static_cast<double>(all.size());
  return {sum.entropy / count, sum.zeros / count, sum.tenth / count};
}

/// Gives the vectors that make scores, which are the parameters whose names end so, other values: of about the same length in a
/// random direction, or zeros, which make all weights even. Throws ValueError where no parameter is named so: the experiment
/// would compare a model with itself.
inline void replace_vectors(const nn::ModuleBase& model, const std::string& ending, Generator* noise) {
  bool found = false;
  for (const auto& [name, parameter] : model.named_parameters()) {
    if (!name.ends_with(ending)) continue;
    found = true;
    Tensor value = parameter->value().clone();
    double squares = 0;
    for (const float each : std::span(value.data<float>(), static_cast<std::size_t>(value.numel())))
      squares += static_cast<double>(each) * static_cast<double>(each);
    const auto deviation = static_cast<float>(std::sqrt(squares / static_cast<double>(value.numel())));
    if (noise == nullptr) {
      value.fill(0);
    } else {
      value = Tensor::randn(value.shape(), *noise);
      for (float& each : std::span(value.mutable_data<float>(), static_cast<std::size_t>(value.numel()))) each *= deviation;
    }
    parameter->mutable_value().copy_from(value);
  }
  if (!found) throw ValueError(fmt::format("the model has no parameter whose name ends in '{}'", ending));
}

}  // namespace faithfulness
