#pragma once
#include "faithfulness.hpp"
#include "labelled_texts.hpp"
#include "trainer_settings.hpp"

/// How much of a classifier's decision hangs on the words that its attention weighs most: docs/faithfulness.md.
namespace sentiment_faithfulness {

using namespace faithfulness;
using namespace trainer_settings;
using namespace labelled_texts;
using seq2seq::Classification;
using seq2seq::Sentences;

/// The weights of a text's words in the whole, one after the other: each its own within the sentence, times the sentence's.
inline std::vector<double> weights_of(const Classification& c) {
  std::vector<double> weights;
  for (std::size_t s = 0; s < c.word_weights.size(); ++s)
    for (const double weight : c.word_weights[s]) weights.push_back(c.sentence_weights[s] * weight);
  return weights;
}

/// The text without the words at these places of all of its words; sentences that have lost all words go.
inline Sentences without(const Sentences& text, const std::vector<std::size_t>& places) {
  std::size_t place = 0;
  for (const auto& sentence : text) place += sentence.size();
  std::vector<bool> gone(place);
  for (const std::size_t each : places) gone[each] = true;
  place = 0;
  Sentences rest;
  for (const auto& sentence : text) {
    seq2seq::TokenIds words;
    for (const std::int32_t word : sentence)
      if (!gone[place++]) words.push_back(word);
    if (!words.empty()) rest.push_back(std::move(words));
  }
  return rest;
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

inline double accuracy(const std::vector<Classification>& classified, const std::vector<data::Document>& texts) {
  double right = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) right += classified[i].label == texts[i].label ? 1 : 0;
  return right / static_cast<double>(texts.size());
}

inline void examine(const std::string& model, const data::LabelledDocuments& data, bool all) {
  const auto classifier = seq2seq::TextClassifier::load(model);
  const std::vector<data::Document> texts = texts_for(*classifier, data, all, model);
  const std::vector<Sentences> read = encoded(*classifier, texts);
  const std::vector<Classification> before = classifier->classify(read);
  Generator generator(1);
  fmt::print("{}: {} texts, accuracy {:.1f} %\n", model, texts.size(), 100 * accuracy(before, texts));
  std::vector<std::vector<double>> weights;
  std::vector<Evenness> evenness;
  for (const Classification& c : before) evenness.push_back(evenness_of(weights.emplace_back(weights_of(c))));
  fmt::print("  {}\n", mean_of(evenness).str());
  for (const double share : shares) {
    fmt::print("  without {:2.0f} % of the words:", 100 * share);
    for (const auto& [order, name] : orders) {
      std::vector<Sentences> rest;
      for (std::size_t i = 0; i < read.size(); ++i)
        rest.push_back(without(read[i], first_places(weights[i], order, share, generator)));
      const Change moved = change(before, classifier->classify(rest));
      fmt::print(" {} {:+.3f}, {:.1f} % flip;", name, -moved.fall, 100 * moved.flips);
    }
    fmt::print("\n");
  }
  for (const bool noisy : {true, false}) {                                                  // from zeros there is no way back
    replace_vectors(classifier->model(), "pooling.context", noisy ? &generator : nullptr);  // of both levels
    const std::vector<Classification> after = classifier->classify(read);
    const Change moved = change(before, after);
    fmt::print("  with {} weights: {:+.3f}, {:.1f} % flip, accuracy {:.1f} %\n", noisy ? "random" : "even", -moved.fall,
               100 * moved.flips, 100 * accuracy(after, texts));
  }
}

inline int command(const std::vector<std::string>& words) {
  std::vector<std::string> models;
  std::string folder;
  bool all = false, quick = false;
  int threads = num_threads();
  po::options_description options("sentiment faithfulness");
  auto add = options.add_options();
  add("model", po::value(&models)->multitoken(), "folders of one or more training runs");
  add("data", option(folder), "the folder that they learned from");
  add("all", po::bool_switch(&all), "take all texts of the data, not those alone that a run kept for evaluation");
  add("quick", po::bool_switch(&quick), "on the generated reviews");
  add("threads", number(threads, 1, most_threads), "threads");
  if (!read_options::read(words, options, std::cout, "sentiment faithfulness --help")) return 0;
  if (models.empty()) throw UsageError("--model is needed");
  set_num_threads(threads);
  const data::LabelledDocuments data = data_for(quick, folder);
  for (const std::string& model : models) examine(model, data, all);
  return 0;
}

}  // namespace sentiment_faithfulness
