#include "weft/seq2seq/speech_recognizer.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/elements.hpp"
#include "support/random.hpp"
#include "support/support.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/data/deltas.hpp"
#include "weft/data/spoken_strings.hpp"
#include "weft/optim/adam.hpp"
#include "weft/seq2seq/speech_score.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

SpeechRecognizerOptions small(SpeechModel model) {
  SpeechRecognizerOptions options;
  options.model = model;
  for (int digit = 0; digit < 10; ++digit) options.labels.push_back("digit" + std::to_string(digit));
  options.log_mel.bands = 8;
  options.stack = 4;
  options.hidden = 6;
  options.layers = 1;
  options.embedding = 4;
  options.dropout = 0;
  return options;
}

constexpr SpeechModel models[] = {SpeechModel::ctc, SpeechModel::attention, SpeechModel::transducer};

struct Sounds {
  explicit Sounds(SpeechRecognizer& recognizer) {
    std::vector<Tensor> log_mels;
    for (const data::SpokenWord& word : words) log_mels.push_back(recognizer.log_mel()(word.samples));
    recognizer.learn_normalisation(log_mels);
    for (const std::size_t i : {std::size_t{0}, std::size_t{4}, std::size_t{7}}) {
      features.push_back(recognizer.features(words[i].samples));
      labels.push_back({words[i].label});
    }
    labels[1].push_back(2);
  }
  std::vector<data::SpokenWord> words = data::tone_words(1, 1);
  std::vector<Tensor> features;
  std::vector<TokenIds> labels;
};

void learn(SpeechRecognizer& recognizer, const Sounds& sounds, int steps) {
  optim::Adam optimizer(recognizer.parameters(), {.lr = 0.03});
  for (int step = 0; step < steps; ++step) {
    Tape tape;
    tape.backward(recognizer.loss(sounds.features, sounds.labels));
    optimizer.step();
  }
}

}  // namespace

TEST_CASE("features are normalised log-mel energies with deltas, some frames a step") {
  SpeechRecognizer recognizer(small(SpeechModel::ctc));
  const Sounds sounds(recognizer);
  const std::vector<float>& samples = sounds.words[3].samples;
  // Mean and deviation over the frames of all sounds, band by band.
  Tensor x = recognizer.log_mel()(samples).clone();
  for (std::int64_t b = 0; b < 8; ++b) {
    double sum = 0, squares = 0, frames = 0;
    for (const data::SpokenWord& word : sounds.words) {
      const Tensor each = recognizer.log_mel()(word.samples);
      for (std::int64_t t = 0; t < each.size(0); ++t, ++frames) {
        sum += each.at({t, b});
        squares += each.at({t, b}) * each.at({t, b});
      }
    }
    const double mean = sum / frames, deviation = std::sqrt(squares / frames - mean * mean);
    for (std::int64_t t = 0; t < x.size(0); ++t) {
      float& value = x.mutable_data<float>()[t * 8 + b];
      value = static_cast<float>((static_cast<double>(value) - mean) / deviation);
    }
  }
  const Tensor expected = data::stack_frames(data::with_deltas(x, 1, 2), 4), found = recognizer.features(samples);
  CHECK(found.shape() == Shape{(x.size(0) + 3) / 4, 64});
  CHECK(test::largest_difference(found, expected) < 1e-4);
  CHECK(recognizer.steps(static_cast<std::int64_t>(samples.size())) == found.size(0));
  Generator generator(1);
  CHECK(test::largest_difference(recognizer.features(samples, generator, {.time_masks = 0, .frequency_masks = 0}), found) == 0);
  CHECK(test::largest_difference(recognizer.features(samples, generator, {.frequency_width = 8}), found) > 0);
  recognizer.to(f64);
  const std::vector<Tensor> log_mels = {recognizer.log_mel()(samples)};
  recognizer.learn_normalisation(log_mels);  // whatever the weights' dtype
  CHECK(test::largest(recognizer.features(samples)) > 0);
  recognizer.to(f32);
  CHECK_THROWS_AS(recognizer.features({}), ValueError);
  CHECK_THROWS_WITH_AS(recognizer.learn_normalisation({}),
                       "[SpeechRecognizer] there are no sounds to learn the normalisation from", ValueError);
}

TEST_CASE("gradients of every parameter are right, whatever the model, its network and what makes the weights") {
  std::vector<SpeechRecognizerOptions> kinds;
  for (const SpeechModel model : models)
    for (const nn::RecurrentKind recurrent : {nn::RecurrentKind::lstm, nn::RecurrentKind::gru}) {
      kinds.push_back(small(model));
      kinds.back().recurrent = recurrent;
    }
  for (const nn::Normaliser normaliser : {nn::Normaliser::sparsemax, nn::Normaliser::entmax15}) {
    kinds.push_back(small(SpeechModel::attention));
    kinds.back().normaliser = normaliser;
  }
  for (const SpeechRecognizerOptions& options : kinds) {
    CAPTURE(to_json(options));
    SpeechRecognizer recognizer(options);
    const Sounds sounds(recognizer);
    recognizer.to(f64);
    const auto report = gradcheck_parameters([&] { return recognizer.loss(sounds.features, sounds.labels, 0.1); },
                                             recognizer.parameters(), {.elements = test::elements(20)});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > test::elements(100));
    CHECK(recognizer.tokens(sounds.labels) == (options.model == SpeechModel::attention ? 7 : 4));
  }
}

TEST_CASE("all models learn some sounds, read them greedily and with a beam, and look at their steps") {
  for (const SpeechModel kind : models) {
    SpeechRecognizer recognizer(small(kind));
    const Sounds sounds(recognizer);
    learn(recognizer, sounds, 80);
    recognizer.eval();
    for (const std::int64_t beam : {1, 4})
      for (const std::int64_t batch : {1, 2, 32}) {
        const auto heard = recognizer.recognize(sounds.features, {.beam = beam, .batch = batch});
        REQUIRE(heard.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) {
          CHECK(heard[i].labels == sounds.labels[i]);
          CHECK_FALSE(heard[i].weights.defined());
          CHECK(heard[i].log_probability <= 0);
        }
        CHECK(heard[1].text == "digit4 digit2");
      }
    if (kind == SpeechModel::transducer) {
      CHECK_THROWS_WITH_AS(recognizer.recognize(sounds.features, {.weights = true}),
                           "[SpeechRecognizer] a transducer has no weights; leave them out", ValueError);
      continue;
    }
    const auto heard = recognizer.recognize(sounds.features, {.weights = true});
    for (std::size_t i = 0; i < 3; ++i) {
      const auto rows = static_cast<std::int64_t>(sounds.labels[i].size());
      const std::int64_t steps = sounds.features[i].size(0);
      REQUIRE(heard[i].weights.shape() == Shape{rows + (kind == SpeechModel::ctc ? 0 : 1), steps});
      for (std::int64_t r = 0; r < rows; ++r) {
        double sum = 0, most = 0;
        for (std::int64_t t = 0; t < steps; ++t) {
          sum += heard[i].weights.at({r, t});
          most = std::max(most, heard[i].weights.at({r, t}));
        }
        CHECK(most > 0);
        if (kind == SpeechModel::attention) CHECK(sum == doctest::Approx(1).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("what is heard in a sound doesn't depend on the others, of a model that never learnt to end either") {
  for (const SpeechModel kind : models) {
    SpeechRecognizer recognizer(small(kind));
    Sounds sounds(recognizer);
    recognizer.eval();
    const std::int64_t width = sounds.features[0].size(1);
    const std::vector<Tensor> together = {test::uniform({3, width}, -1, 1, 1, f32), test::uniform({30, width}, -1, 1, 2, f32)};
    for (const std::int64_t beam : {1, 3}) {
      const auto all = recognizer.recognize(together, {.beam = beam});
      for (std::size_t i = 0; i < together.size(); ++i) {
        const auto alone = recognizer.recognize(std::span(together).subspan(i, 1), {.beam = beam});
        CHECK(alone[0].labels == all[i].labels);
        CHECK(alone[0].log_probability == doctest::Approx(all[i].log_probability).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("an attention model that goes on and on hears no more labels than a sound has room for") {
  SpeechRecognizerOptions options = small(SpeechModel::attention);
  options.label_frames = 7;
  SpeechRecognizer recognizer(options);
  recognizer.eval();
  for (auto& [name, tensor] : recognizer.state_dict())  // the end is never likely
    if (name == "attention.output.bias") tensor.mutable_data<float>()[end_id] = -1000;
  const std::int64_t width = 4 * 8 * 2;
  for (const std::int64_t steps : {1, 2, 10}) {
    const std::vector<Tensor> sound = {test::uniform({steps, width}, -1, 1, 1, f32)};
    for (const std::int64_t beam : {1, 3}) {
      const auto heard = recognizer.recognize(sound, {.beam = beam, .weights = true});
      CHECK(heard[0].weights.size(0) == 4 * steps / 7 + 1);
      CHECK(static_cast<std::int64_t>(heard[0].labels.size()) <= 4 * steps / 7 + 1);
    }
  }
}

TEST_CASE("what is said can be told to an attention model, whose weights are those of what it hears") {
  SpeechRecognizer recognizer(small(SpeechModel::attention));
  const Sounds sounds(recognizer);
  learn(recognizer, sounds, 80);
  recognizer.eval();
  const auto heard = recognizer.recognize(sounds.features, {.weights = true});
  for (const std::int64_t batch : {1, 2, 32}) {
    const auto read = recognizer.read_labels(sounds.features, sounds.labels, batch);
    REQUIRE(read.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      REQUIRE(heard[i].labels == sounds.labels[i]);
      CHECK(read[i].log_probabilities.size() == sounds.labels[i].size() + 1);
      double sum = 0;
      for (const double each : read[i].log_probabilities) sum += each;
      CHECK(sum == doctest::Approx(heard[i].log_probability).epsilon(1e-3));
      CHECK(test::largest_difference(read[i].attention, heard[i].weights) < 1e-5);
    }
  }
  const std::vector<TokenIds> nothing(3);
  CHECK(recognizer.read_labels(sounds.features, nothing)[2].log_probabilities.size() == 1);  // the end alone
  CHECK(recognizer.read_labels({}, {}).empty());
  CHECK_THROWS_WITH_AS(recognizer.read_labels(sounds.features, {}), "[SpeechRecognizer] 3 sounds, but labels of 0", ValueError);
  CHECK_THROWS_AS(recognizer.read_labels(sounds.features, sounds.labels, 0), ValueError);
  const std::vector<TokenIds> unknown = {{1}, {10}, {2}};
  CHECK_THROWS_WITH_AS(recognizer.read_labels(sounds.features, unknown), "[SpeechRecognizer] label 10 of row 1 is outside 0..9",
                       IndexError);
  SpeechRecognizer ctc(small(SpeechModel::ctc));
  CHECK_THROWS_WITH_AS(ctc.read_labels(sounds.features, sounds.labels),
                       "[SpeechRecognizer] a model of kind ctc weighs no steps for its labels; an attention model is needed",
                       ValueError);
}

TEST_CASE("hidden steps have their bands' mean, and no delta tells of what was there") {
  SpeechRecognizer recognizer(small(SpeechModel::attention));
  const Sounds sounds(recognizer);
  const std::vector<float>& samples = sounds.words[3].samples;
  const Tensor whole = recognizer.features(samples);
  const std::int64_t steps = whole.size(0);
  REQUIRE(steps > 5);
  CHECK(test::largest_difference(recognizer.features(samples, std::vector<std::int64_t>{}), whole) == 0);
  // The energies of all frames, with those of two steps and of the last one, which is shorter, at 0; then as ever.
  Tensor energies = Tensor::empty({4 * steps, 8});
  for (std::int64_t t = 0; t < 4 * steps; ++t)
    for (std::int64_t b = 0; b < 8; ++b) {
      const bool hidden = t / 4 == 1 || t / 4 == 2 || t / 4 == steps - 1;
      energies.mutable_data<float>()[t * 8 + b] = hidden ? 0 : static_cast<float>(whole.at({t / 4, t % 4 * 16 + b}));
    }
  const std::int64_t frames = recognizer.log_mel().frames(static_cast<std::int64_t>(samples.size()));
  const Tensor expected = data::stack_frames(data::with_deltas(energies.slice(0, 0, frames), 1, 2), 4),
               found = recognizer.features(samples, std::vector<std::int64_t>{1, steps - 1, 2});
  CHECK(test::largest_difference(found, expected) < 1e-6);
  CHECK_THROWS_AS(recognizer.features(samples, std::vector<std::int64_t>{steps}), IndexError);
  CHECK_THROWS_WITH_AS(recognizer.features(samples, std::vector<std::int64_t>{-1}),
                       doctest::Contains("[SpeechRecognizer] step -1 to hide is outside the sound's 0.."), IndexError);
}

TEST_CASE("a run's folder gives the recogniser back, its normalisation too") {
  for (const SpeechModel kind : models) {
    const test::TemporaryFolder folder;
    SpeechRecognizerOptions options = small(kind);
    options.log_mel.scale = data::MelScale::slaney;
    options.dropout = 0.25;
    options.label_frames = 11;
    options.recurrent = nn::RecurrentKind::gru;
    if (kind == SpeechModel::attention) options.normaliser = nn::Normaliser::entmax15;
    SpeechRecognizer recognizer(options);
    const Sounds sounds(recognizer);
    CHECK_THROWS_AS(SpeechRecognizer::load(folder.path()), IoError);
    nn::save(recognizer, folder.path() / "best.safetensors", recognizer.metadata());
    const auto loaded = SpeechRecognizer::load(folder.path());
    CHECK_FALSE(loaded->training());
    CHECK(to_json(loaded->options()) == to_json(options));
    CHECK(loaded->options().normaliser == options.normaliser);
    CHECK(loaded->options().label_frames == 11);
    CHECK(test::largest_difference(loaded->features(sounds.words[2].samples), recognizer.features(sounds.words[2].samples)) ==
          0);
    recognizer.eval();
    CHECK(loaded->loss(sounds.features, sounds.labels).item() == recognizer.loss(sounds.features, sounds.labels).item());
    nn::save(recognizer, folder.path() / "best.safetensors", {});
    CHECK_THROWS_WITH_AS(SpeechRecognizer::load(folder.path()), doctest::Contains("don't describe a speech recogniser"),
                         FormatError);
  }
  CHECK_THROWS_WITH_AS(speech_recognizer_options_of("{}", "a file"), doctest::Contains("a file: its metadata"), FormatError);
  std::string json = to_json(small(SpeechModel::ctc));
  CHECK_THROWS_WITH_AS(speech_recognizer_options_of(json.replace(json.find("htk"), 3, "xyz"), "a file"),
                       "[SpeechRecognizer] a file: its metadata describe a scale 'xyz', which isn't known", FormatError);
  json = to_json(small(SpeechModel::attention));
  CHECK(json.find("normaliser") == std::string::npos);  // as it was before there was a choice
  CHECK_THROWS_WITH_AS(speech_recognizer_options_of(json.insert(json.size() - 1, R"(,"normaliser":"max")"), "a file"),
                       doctest::Contains("[SpeechRecognizer] a file: [normaliser_of] 'max' is no normaliser"), FormatError);
}

TEST_CASE("which labels fit into a sound") {
  SpeechRecognizer ctc(small(SpeechModel::ctc)), attention(small(SpeechModel::attention));
  CHECK(ctc.steps(200) == 1);
  CHECK(ctc.fits(200, {1}));
  CHECK_FALSE(ctc.fits(200, {1, 2}));
  CHECK_FALSE(ctc.fits(0, {}));
  CHECK(ctc.fits(200 + 7 * 80, {1, 2}));
  CHECK_FALSE(ctc.fits(200 + 7 * 80, {1, 1}));
  CHECK(attention.fits(200, {1, 2}));
  CHECK_FALSE(attention.fits(0, {}));
}

TEST_CASE("a step's weight goes evenly over its frames") {
  const Tensor weights = Tensor::from<float>({0.5f, 0.5f, 0, 0, 0.25f, 0.75f}, {2, 3}), frames = over_frames(weights, 5, 2);
  REQUIRE(frames.shape() == Shape{2, 5});
  CHECK(test::largest_difference(
            frames, Tensor::from<float>({0.25f, 0.25f, 0.25f, 0.25f, 0, 0, 0, 0.125f, 0.125f, 0.75f}, {2, 5})) == 0);
  CHECK_THROWS_AS(over_frames(weights, 7, 2), ShapeError);
}

TEST_CASE("scores of strings and of single words") {
  SpeechRecognizer recognizer(small(SpeechModel::ctc));
  const Sounds sounds(recognizer);
  recognizer.eval();
  const data::SpokenStringOptions options{.strings = 6, .min_words = 2, .max_words = 3};
  const auto strings = data::compose_strings(sounds.words, options);
  std::int64_t words = 0;
  for (const data::SpokenString& string : strings) words += static_cast<std::int64_t>(string.words.size());
  const SpeechScore score = score_strings(recognizer, sounds.words, strings, options);
  CHECK(score.sounds == 6);
  CHECK(score.words.edits.reference_length() == words);
  const SpeechScore single = score_words(recognizer, sounds.words);
  CHECK(single.sounds == 10);
  CHECK(single.accuracy() == 10.0 * static_cast<double>(single.correct));
  std::vector<data::SpokenWord> unknown = sounds.words;
  unknown[0].label = 10;
  CHECK_THROWS_AS(score_words(recognizer, unknown), IndexError);
  CHECK_THROWS_AS(score_words(recognizer, {}), ValueError);
  std::vector<Tensor> features;
  std::vector<TokenIds> labels;
  for (const data::SpokenString& string : strings) {
    features.push_back(recognizer.features(data::joined(sounds.words, string, options)));
    labels.push_back(data::labels_of(sounds.words, string));
  }
  CHECK(score_features(recognizer, features, labels).words.score == score.words.score);
  labels.pop_back();
  CHECK_THROWS_WITH_AS(score_features(recognizer, features, labels), "[SpeechScore] 6 sounds, but labels of 5", ValueError);
}

TEST_CASE("speech recognisers and calls that can't be are refused") {
  SpeechRecognizerOptions options = small(SpeechModel::ctc);
  options.labels.clear();
  CHECK_THROWS_WITH_AS(SpeechRecognizer{options}, "[SpeechRecognizer] there are no labels", ValueError);
  options.labels = {"a", "b c"};
  CHECK_THROWS_WITH_AS(SpeechRecognizer{options},
                       "[SpeechRecognizer] the label 'b c' isn't a word: it is empty or has white space", ValueError);
  options.labels = {"a", "a"};
  CHECK_THROWS_WITH_AS(SpeechRecognizer{options}, "[SpeechRecognizer] the label 'a' stands twice", ValueError);
  options.labels = {"a"};
  options.stack = 0;
  CHECK_THROWS_AS(SpeechRecognizer{options}, ValueError);
  options = small(SpeechModel::ctc);
  options.normaliser = nn::Normaliser::sparsemax;
  CHECK_THROWS_WITH_AS(
      SpeechRecognizer{options},
      "[SpeechRecognizer] normaliser sparsemax: a model of kind ctc has no attention to weigh by; leave it at softmax, "
      "or take an attention model",
      ValueError);
  for (const SpeechModel kind : models) {
    SpeechRecognizer recognizer(small(kind));
    const Sounds sounds(recognizer);
    std::vector<TokenIds> labels = sounds.labels;
    labels[2] = {10};
    CHECK_THROWS_AS(recognizer.loss(sounds.features, labels), IndexError);
    labels.pop_back();
    CHECK_THROWS_WITH_AS(recognizer.loss(sounds.features, labels), "[SpeechRecognizer] 3 sounds, but labels of 2", ValueError);
    CHECK_THROWS_AS(recognizer.recognize(sounds.features, {.beam = 0}), ValueError);
    CHECK(recognizer.recognize({}).empty());
  }
  SpeechRecognizer recognizer(small(SpeechModel::ctc));
  CHECK_THROWS_WITH_AS(recognizer.recognize({}, {.beam = 2, .weights = true}),
                       "[SpeechRecognizer] a beam of 2 over CTC has no weights; take 1, or leave them out", ValueError);
}
