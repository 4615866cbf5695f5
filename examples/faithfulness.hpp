#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "labelled_texts.hpp"
#include "trainer_settings.hpp"
#include "weft/base/random.hpp"

/// How much of a classifier's decision hangs on the words that its attention weighs most: docs/faithfulness.md.
namespace faithfulness {

using namespace trainer_settings;
using namespace labelled_texts;
using seq2seq::Classification;
using seq2seq::Sentences;

/// A word of a text by its weight in the whole: its own within the sentence, times the sentence's.
struct Place {
  std::size_t sentence, word;
  double weight;
};

inline std::vector<Place> places_of(const Classification& c) {
  std::vector<Place> places;
  for (std::size_t s = 0; s < c.word_weights.size(); ++s)
    for (std::size_t w = 0; w < c.word_weights[s].size(); ++w)
      places.push_back({s, w, c.sentence_weights[s] * c.word_weights[s][w]});
  return places;
}

/// The text without the first `count` of the places; sentences that have lost all words go.
inline Sentences without(const Sentences& text, const std::vector<Place>& places, std::size_t count) {
  std::vector<std::vector<bool>> gone;
  for (const auto& sentence : text) gone.emplace_back(sentence.size());
  for (std::size_t i = 0; i < count; ++i) gone[places[i].sentence][places[i].word] = true;
  Sentences rest;
  for (std::size_t s = 0; s < text.size(); ++s) {
    seq2seq::TokenIds words;
    for (std::size_t w = 0; w < text[s].size(); ++w)
      if (!gone[s][w]) words.push_back(text[s][w]);
    if (!words.empty()) rest.push_back(std::move(words));
  }
  return rest;
}

enum class Order { highest, random, lowest };

inline std::vector<Place> ordered(std::vector<Place> places, Order order, Generator& generator) {
  for (std::size_t left = places.size(); left > 1; --left) std::swap(places[left - 1], places[generator.below(left)]);
  if (order == Order::random) return places;
  std::stable_sort(places.begin(), places.end(), [order](const Place& a, const Place& b) {
    return order == Order::highest ? a.weight > b.weight : a.weight < b.weight;
  });
  return places;
}

/// How far decisions moved: the mean fall of the probability of what was decided, and how often it is decided otherwise.
struct Change {
  double fall = 0, flips = 0;
};

inline Change change(const std::vector<Classification>& before, const std::vector<Classification>& after) {
  Change sum;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto label = static_cast<std::size_t>(before[i].label);
    sum.fall += before[i].probabilities[label] - after[i].probabilities[label];
    sum.flips += before[i].label == after[i].label ? 0 : 1;
  }
  const auto count = static_cast<double>(before.size());
  return {sum.fall / count, sum.flips / count};
}

/// Of the words' weights in the whole texts: entropy as a share of that of even weights, the share of weights that are 0, and
/// how much of all weight the tenth of the words with the highest weights has; means over the texts.
inline std::array<double, 3> evenness(const std::vector<Classification>& classified) {
  std::array<double, 3> sum = {};
  for (const Classification& c : classified) {
    std::vector<double> weights;
    for (const Place& place : places_of(c)) weights.push_back(place.weight);
    std::sort(weights.rbegin(), weights.rend());
    const auto count = static_cast<double>(weights.size());
    double entropy = 0;
    for (const double weight : weights) entropy -= weight > 0 ? weight * std::log(weight) : 0;
    sum[0] += weights.size() > 1 ? entropy / std::log(count) : 1;
    sum[1] += static_cast<double>(std::count(weights.begin(), weights.end(), 0.0)) / count;
    const auto tenth = static_cast<std::ptrdiff_t>(std::ceil(count / 10));
    sum[2] += std::accumulate(weights.begin(), weights.begin() + tenth, 0.0);
  }
  for (double& each : sum) each /= static_cast<double>(classified.size());
  return sum;
}

inline double accuracy(const std::vector<Classification>& classified, const std::vector<data::Document>& texts) {
  double right = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) right += classified[i].label == texts[i].label ? 1 : 0;
  return right / static_cast<double>(texts.size());
}

/// Gives both levels' context vectors other values: zeros make all weights even.
inline void replace_contexts(seq2seq::TextClassifier& classifier, Generator* noise) {
  for (const auto& [name, parameter] : classifier.model().named_parameters()) {
    if (!name.ends_with("pooling.context")) continue;
    Tensor value = parameter->value().clone();
    double squares = 0;
    for (std::int64_t i = 0; i < value.numel(); ++i) squares += value.at({i}) * value.at({i});
    const double deviation = std::sqrt(squares / static_cast<double>(value.numel()));
    if (noise == nullptr) {
      value.fill(0);
    } else {  // of the same length, in another direction
      value = Tensor::randn(value.shape(), *noise);
      float* element = value.mutable_data<float>();
      for (std::int64_t i = 0; i < value.numel(); ++i) element[i] *= static_cast<float>(deviation);
    }
    parameter->mutable_value().copy_from(value);
  }
}

inline void examine(const std::string& model, const data::LabelledDocuments& data, bool all) {
  const auto classifier = seq2seq::TextClassifier::load(model);
  const std::vector<data::Document> texts = texts_for(*classifier, data, all, model);
  const std::vector<Sentences> read = encoded(*classifier, texts);
  const std::vector<Classification> before = classifier->classify(read);
  Generator generator(1);
  fmt::print("{}: {} texts, accuracy {:.1f} %\n", model, texts.size(), 100 * accuracy(before, texts));
  const auto [entropy, zeros, tenth] = evenness(before);
  fmt::print("  evenness {:.3f}, {:.1f} % of the weights are 0, the tenth with the highest has {:.1f} % of the weight\n",
             entropy, 100 * zeros, 100 * tenth);
  for (const double share : {0.02, 0.05, 0.1, 0.2}) {
    fmt::print("  without {:2.0f} % of the words:", 100 * share);
    for (const auto& [order, name] :
         {std::pair(Order::highest, "highest"), {Order::random, "random"}, {Order::lowest, "lowest"}}) {
      std::vector<Sentences> rest;
      for (std::size_t i = 0; i < read.size(); ++i) {
        const std::vector<Place> places = ordered(places_of(before[i]), order, generator);
        const auto count = static_cast<std::size_t>(std::lround(share * static_cast<double>(places.size())));
        rest.push_back(without(read[i], places, std::min(count, places.size() - 1)));
      }
      const Change moved = change(before, classifier->classify(rest));
      fmt::print(" {} {:+.3f}, {:.1f} % flip;", name, -moved.fall, 100 * moved.flips);
    }
    fmt::print("\n");
  }
  for (const bool noisy : {true, false}) {  // from zeros there is no way back
    replace_contexts(*classifier, noisy ? &generator : nullptr);
    const std::vector<Classification> after = classifier->classify(read);
    const Change moved = change(before, after);
    fmt::print("  with {} weights: {:+.3f}, {:.1f} % flip, accuracy {:.1f} %\n", noisy ? "random" : "even", -moved.fall,
               100 * moved.flips, 100 * accuracy(after, texts));
  }
}

inline int command(const std::vector<std::string>& words) {
  std::vector<std::string> models;
  std::string folder;
  bool all = false;
  int threads = num_threads();
  po::options_description options("sentiment faithfulness");
  auto add = options.add_options();
  add("model", po::value(&models)->multitoken(), "folders of one or more training runs");
  add("data", option(folder), "the folder that they learned from");
  add("all", po::bool_switch(&all), "take all texts of the data, not those alone that a run kept for evaluation");
  add("threads", number(threads, 1, most_threads), "threads");
  if (!read_options::read(words, options, std::cout, "sentiment faithfulness --help")) return 0;
  if (models.empty()) throw UsageError("--model is needed");
  set_num_threads(threads);
  const data::LabelledDocuments data = read_data(required(folder, "data"));
  for (const std::string& model : models) examine(model, data, all);
  return 0;
}

}  // namespace faithfulness
