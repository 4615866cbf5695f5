#pragma once
#include <cmath>
#include <iostream>

#include "faithfulness.hpp"
#include "spoken_strings.hpp"
#include "weft/seq2seq/speech_recognizer.hpp"
#include "weft/seq2seq/speech_score.hpp"

/// How much of what a recogniser with attention hears hangs on the steps that it weighs most: docs/faithfulness.md.
namespace speech_faithfulness {

using namespace faithfulness;
using namespace spoken_strings;
using seq2seq::SpeechRecognizer;
using seq2seq::TokenIds;

struct Sounds {
  std::vector<std::vector<float>> samples;
  std::vector<TokenIds> said;
};

/// What a recogniser heard in each sound, and the weights of its steps, summed over what was heard.
struct Heard {
  std::vector<TokenIds> labels;
  std::vector<std::vector<double>> weights;
  std::vector<Evenness> evenness;  ///< of each sound in which something was heard: the mean over its labels
};

inline Heard hear(SpeechRecognizer& recognizer, const std::vector<Tensor>& features) {
  Heard heard;
  for (auto& recognition : recognizer.recognize(features)) heard.labels.push_back(std::move(recognition.labels));
  const auto readings = recognizer.read_labels(features, heard.labels);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    std::vector<double>& sums = heard.weights.emplace_back(static_cast<std::size_t>(features[i].size(0)));
    std::vector<Evenness> evenness;
    const float* weight = readings[i].attention.data<float>();
    for (std::size_t label = 0; label < heard.labels[i].size(); ++label, weight += sums.size()) {
      const std::vector<double> row(weight, weight + sums.size());
      for (std::size_t step = 0; step < row.size(); ++step) sums[step] += row[step];
      evenness.push_back(evenness_of(row));
    }
    if (!evenness.empty()) heard.evenness.push_back(mean_of(evenness));
  }
  if (heard.evenness.empty()) throw ValueError("nothing is heard in any of the strings: there are no weights to try");
  return heard;
}

/// How sure a recogniser is of labels that it is told, means over the sounds of the means over their labels, and how wrong what
/// it hears itself is.
struct Trust {
  double probability = 0, log_probability = 0, error = 0;
};

inline Trust trust(SpeechRecognizer& recognizer, const std::vector<Tensor>& features, const std::vector<TokenIds>& labels,
                   const std::vector<TokenIds>& said) {
  Trust result;
  double sounds = 0;
  for (std::size_t i = 0; const auto& reading : recognizer.read_labels(features, labels)) {
    const auto count = static_cast<double>(labels[i].size());
    for (std::size_t label = 0; label < labels[i].size(); ++label) {  // and not the end
      result.probability += std::exp(reading.log_probabilities[label]) / count;
      result.log_probability += reading.log_probabilities[label] / count;
    }
    sounds += labels[i++].empty() ? 0 : 1;
  }
  result.probability /= sounds;
  result.log_probability /= sounds;
  result.error = seq2seq::score_features(recognizer, features, said).words.score;
  return result;
}

inline std::string difference(const Trust& before, const Trust& after) {
  return fmt::format("{:+.3f} (log {:+.2f}), digit error {:.1f} %", after.probability - before.probability,
                     after.log_probability - before.log_probability, after.error);
}

inline std::vector<Tensor> features_of(const SpeechRecognizer& recognizer, const Sounds& sounds) {
  std::vector<Tensor> features;
  for (const std::vector<float>& samples : sounds.samples) features.push_back(recognizer.features(samples));
  return features;
}

/// Without the share of each sound's steps that comes first in the order of the weights.
inline std::vector<Tensor> features_without(const SpeechRecognizer& recognizer, const Sounds& sounds, const Heard& heard,
                                            Order order, double share, Generator& generator) {
  std::vector<Tensor> features;
  for (std::size_t i = 0; i < sounds.samples.size(); ++i) {
    const std::vector<std::size_t> places = first_places(heard.weights[i], order, share, generator);
    features.push_back(recognizer.features(sounds.samples[i], std::vector<std::int64_t>(places.begin(), places.end())));
  }
  return features;
}

inline void examine(const std::string& model, const Sounds& sounds) {
  const auto recognizer = SpeechRecognizer::load(model);
  if (recognizer->options().model != seq2seq::SpeechModel::attention)
    throw ValueError(fmt::format("{} is a run of {}, which has no weights to try; train --model attention makes some", model,
                                 name_of(recognizer->options().model)));
  const std::vector<Tensor> whole = features_of(*recognizer, sounds);
  const Heard heard = hear(*recognizer, whole);
  const Trust before = trust(*recognizer, whole, heard.labels, sounds.said);
  Generator generator(1);
  fmt::print("{}: {} strings, digit error {:.2f} %, probability of what is heard {:.3f} (log {:.3f})\n", model,
             sounds.said.size(), before.error, before.probability, before.log_probability);
  fmt::print("  {}\n", mean_of(heard.evenness).str());
  for (const double share : shares) {
    fmt::print("  without {:2.0f} % of the steps:", 100 * share);
    for (const auto& [order, name] : orders) {
      const auto features = features_without(*recognizer, sounds, heard, order, share, generator);
      fmt::print(" {} {};", name, difference(before, trust(*recognizer, features, heard.labels, sounds.said)));
    }
    fmt::print("\n");
  }
  for (const bool noisy : {true, false}) {  // from zeros there is no way back
    replace_vectors(*recognizer, "attention.score.weight", noisy ? &generator : nullptr);
    fmt::print("  with {} weights: {}\n", noisy ? "random" : "even",
               difference(before, trust(*recognizer, whole, heard.labels, sounds.said)));
  }
}

inline int command(const std::vector<std::string>& words) {
  std::vector<std::string> models;
  TestStrings test;
  int threads = num_threads();
  po::options_description options("speech faithfulness");
  options.add_options()("model", po::value(&models)->multitoken(), "folders of one or more training runs of attention models");
  add_test_options(options, test);
  options.add_options()("threads", number(threads, 1, most_threads), "threads");
  if (!read_options::read(words, options, std::cout, "speech faithfulness --help")) return 0;
  if (models.empty()) throw UsageError("--model is needed");
  set_num_threads(threads);
  const std::vector<data::SpokenWord> recordings = read_test(test);
  Sounds sounds;
  for (const data::SpokenString& string : data::compose_strings(recordings, test.strings)) {
    sounds.samples.push_back(data::joined(recordings, string, test.strings));
    sounds.said.push_back(data::labels_of(recordings, string));
  }
  for (const std::string& model : models) examine(model, sounds);
  return 0;
}

}  // namespace speech_faithfulness
