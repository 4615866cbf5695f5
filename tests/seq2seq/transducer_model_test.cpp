#include "weft/seq2seq/transducer_model.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/sequence_loss.hpp"
#include "weft/optim/adam.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

constexpr TransducerModelOptions small = {
    .source_size = 3, .labels = 4, .hidden = 3, .layers = 1, .embedding = 2, .prediction = 3, .joint = 5};

Padded small_source() {
  const std::vector<Tensor> rows = {test::uniform({5, 3}, -1, 1, 1, f32), test::uniform({3, 3}, -1, 1, 2, f32)};
  return pad_features(rows);
}

std::vector<std::int64_t> from_zero(const TokenIds& labels) { return {labels.begin(), labels.end()}; }

}  // namespace

TEST_CASE("the loss is the transducer's over all labels, and every parameter's gradient is right") {
  for (const nn::RecurrentKind kind : {nn::RecurrentKind::lstm, nn::RecurrentKind::gru}) {
    CAPTURE(nn::name_of(kind));
    TransducerModelOptions options = small;
    options.recurrent = kind;
    TransducerModel model(options);
    model.to(f64);
    const TokenIds first = {0, 3, 3}, second = {2};
    const std::vector<const TokenIds*> targets = {&first, &second};
    const Padded source = small_source();
    const Var logits = model(source, targets);
    REQUIRE(logits.shape() == Shape{2, 5, 4, 5});
    const Tensor classes = Tensor::from<std::int64_t>({1, 4, 4, 3, 0, 0}, {2, 3}),
                 counts = Tensor::from<std::int64_t>({3, 1}, {2});
    const double sum = transducer_loss(logits, classes, source.lengths, counts, {.reduction = LossReduction::sum}).item();
    CHECK(model.loss(source, targets).item() == doctest::Approx(sum / 4));
    const auto report =
        gradcheck_parameters([&] { return model.loss(source, targets); }, model.parameters(), {.elements = test::elements(40)});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > test::elements(150));
  }
}

TEST_CASE("a padded row gives what it gives alone, and NaN in the padding nothing") {
  TransducerModel model(small);
  Padded source = small_source();
  source.features.select(0, 1).slice(0, 3, 5).fill(std::nan(""));
  const TokenIds first = {0, 3, 3}, second = {2};
  const std::vector<const TokenIds*> targets = {&first, &second}, last = {&second};
  const Tensor together = model(source, targets).value();
  const std::vector<Tensor> one = {test::uniform({3, 3}, -1, 1, 2, f32)};
  const Tensor alone = model(pad_features(one), last).value();
  CHECK(test::largest_difference(together.slice(0, 1, 2).slice(1, 0, 3).slice(2, 0, 2), alone) <= 1e-6);
  CHECK(model.transcribe(source)[1].labels == model.transcribe(pad_features(one))[0].labels);
}

TEST_CASE("a wide beam's probability is that of the loss, for LSTM and GRU") {
  for (const nn::RecurrentKind kind : {nn::RecurrentKind::lstm, nn::RecurrentKind::gru}) {
    CAPTURE(nn::name_of(kind));
    TransducerModelOptions options = small;
    options.labels = 2;
    options.recurrent = kind;
    TransducerModel model(options);
    model.to(f64);
    const Padded source = small_source();
    const auto found = model.transcribe(source, 200, 3);
    for (std::size_t r = 0; r < 2; ++r) {
      if (found[r].labels.empty()) continue;  // a loss has one label at least
      const TokenIds labels(found[r].labels.begin(), found[r].labels.end());
      const std::vector<const TokenIds*> targets = {&labels};
      const std::vector<Tensor> row = {
          source.features.select(0, static_cast<std::int64_t>(r)).slice(0, 0, source.lengths.data<std::int64_t>()[r])};
      const double loss = model.loss(pad_features(row), targets).item() * static_cast<double>(labels.size());
      CHECK(found[r].log_probability == doctest::Approx(-loss).epsilon(1e-9));
    }
  }
}

TEST_CASE("a transducer learns strings of tones and says them greedily and by a beam") {
  // Each label is two frames of a vector of its own; some come twice in a row.
  const std::vector<TokenIds> strings = {{0, 1, 2}, {2, 2, 1}, {1, 0}, {3}, {3, 0, 0, 1}, {2, 3, 1}};
  std::vector<Tensor> sounds;
  std::vector<const TokenIds*> targets;
  for (const TokenIds& string : strings) {
    Tensor sound = test::uniform({2 * static_cast<std::int64_t>(string.size()) + 1, 3}, -0.1, 0.1, sounds.size() + 1, f32);
    for (std::size_t i = 0; i < string.size(); ++i)
      for (std::int64_t d = 0; d < 3; ++d)
        sound.mutable_data<float>()[2 * static_cast<std::int64_t>(i) * 3 + d] += (((string[i] + 1) >> d) & 1) != 0 ? 1.F : -1.F;
    sounds.push_back(sound);
    targets.push_back(&string);
  }
  TransducerModel model(
      {.source_size = 3, .labels = 4, .hidden = 16, .layers = 1, .embedding = 8, .prediction = 16, .joint = 24});
  optim::Adam optimizer(model.parameters(), {.lr = 0.02});
  const Padded source = pad_features(sounds);
  double loss = 0;
  for (int step = 0; step < 120; ++step) {
    Tape tape;
    const Var each = model.loss(source, targets);
    tape.backward(each);
    optimizer.step();
    loss = each.item();
  }
  CHECK(loss < 0.1);
  model.eval();
  for (const std::int64_t beam : {1, 4}) {
    const auto said = model.transcribe(source, beam);
    REQUIRE(said.size() == strings.size());
    for (std::size_t i = 0; i < strings.size(); ++i) CHECK(said[i].labels == from_zero(strings[i]));
  }
}

TEST_CASE("what a transducer can't take is named") {
  TransducerModel model(small);
  const TokenIds good = {0}, none, wrong = {4};
  const auto loss = [&](const TokenIds& second) {
    const std::vector<const TokenIds*> targets = {&good, &second};
    return model.loss(small_source(), targets);
  };
  CHECK(std::isfinite(loss(good).item()));
  CHECK_THROWS_WITH_AS(loss(none), "[TransducerModel] the target of row 1 has no labels", ValueError);
  CHECK_THROWS_WITH_AS(loss(wrong), "[TransducerModel] label 4 is outside 0..3", IndexError);
  const std::vector<const TokenIds*> one = {&good};
  CHECK_THROWS_AS(model.loss(small_source(), one), ShapeError);
  CHECK_THROWS_AS(model.transcribe({}), ValueError);
  for (const nn::NamedParameter& p : model.named_parameters())
    if (p.name == "output.bias") p.parameter->mutable_value().slice(0, 0, 1).fill(-HUGE_VAL);  // the blank's
  CHECK_THROWS_WITH_AS(model.transcribe(small_source(), 2, 1),
                       "[TransducerModel] row 0: the blank has the probability 0, without which nothing ends", ValueError);
  TransducerModelOptions options = small;
  options.joint = 0;
  CHECK_THROWS_WITH_AS(TransducerModel{options}, doctest::Contains("joint 0"), ValueError);
}
