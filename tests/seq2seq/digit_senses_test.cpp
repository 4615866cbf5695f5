#include "weft/seq2seq/digit_senses.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::seq2seq;
using test::uniform;

namespace {

DigitSensesOptions small(Senses senses) {
  return {.senses = senses, .bands = 3, .height = 8, .width = 4, .classes = 4, .hidden = 6, .channels = 2, .dropout = 0};
}

struct Input {
  Tensor sound = uniform({3, 5, 3}, -1, 1, 1), image = uniform({3, 8, 4}, 0, 1, 2);
  Tensor lengths = Tensor::from<std::int64_t>({5, 2, 4}, {3});
};

constexpr Senses kinds[] = {Senses::sound, Senses::image, Senses::gated, Senses::co_attention};

}  // namespace

TEST_CASE("gradients of every kind of senses are right") {
  for (const Senses kind : kinds) {
    CAPTURE(name_of(kind));
    DigitSenses model(small(kind));
    model.to(f64);
    const Input in;
    const Tensor labels = Tensor::from<std::int64_t>({1, 3, 0}, {3});
    gradcheck_parameters([&] { return cross_entropy(model(in.sound, in.lengths, in.image).logits, labels); },
                         model.parameters(), {.elements = 20})
        .require();
  }
}

TEST_CASE("the sound is read by an LSTM where that is chosen; a GRU's names are as they were") {
  DigitSensesOptions options = small(Senses::gated);
  const std::string json = to_json(options);
  CHECK(json.find("recurrent") == std::string::npos);  // as it was before there was a choice
  CHECK(digit_senses_options_of(json, "file").recurrent == nn::RecurrentKind::gru);
  const auto rows = [](const DigitSenses& model) {
    for (const nn::NamedParameter& p : model.named_parameters())
      if (p.name == "hearing.encoder.weight_hh_l0") return p.parameter->shape();
    return Shape{};
  };
  CHECK(rows(DigitSenses(options)) == Shape{9, 3});
  options.recurrent = nn::RecurrentKind::lstm;
  CHECK(digit_senses_options_of(to_json(options), "file").recurrent == nn::RecurrentKind::lstm);
  DigitSenses model(options);
  CHECK(rows(model) == Shape{12, 3});
  model.to(f64);
  const Input in;
  const Tensor labels = Tensor::from<std::int64_t>({1, 3, 0}, {3});
  gradcheck_parameters([&] { return cross_entropy(model(in.sound, in.lengths, in.image).logits, labels); }, model.parameters(),
                       {.elements = 20})
      .require();
}

TEST_CASE("a pair gives what it gives alone, whatever stands behind its sound; weights are a distribution") {
  for (const Senses kind : kinds) {
    CAPTURE(name_of(kind));
    DigitSenses model(small(kind));
    model.to(f64);
    model.eval();
    Input in;
    in.sound.select(0, 1).slice(0, 2, 5).fill(std::numeric_limits<double>::quiet_NaN());
    const SensesOutput all = model(in.sound, in.lengths, in.image);
    const SensesOutput alone = model(in.sound.slice(0, 1, 2).slice(1, 0, 2), Tensor(), in.image.slice(0, 1, 2));
    CHECK(all.logits.shape() == Shape{3, 4});
    CHECK(test::largest_difference(all.logits.value().slice(0, 1, 2), alone.logits.value()) <= 1e-12);
    CHECK(all.gate.defined() == (kind == Senses::gated));
    CHECK(all.sound_weights.defined() == (kind != Senses::image));
    CHECK(all.image_weights.defined() == (kind != Senses::sound));
    if (all.sound_weights.defined()) {
      CHECK(all.sound_weights.shape() == Shape{3, 5});
      CHECK(all.sound_weights.value().at({1, 2}) == 0);
      for (std::int64_t row = 0; row < 3; ++row) CHECK(sum(all.sound_weights, {1}).value().at({row}) == doctest::Approx(1));
    }
    if (all.image_weights.defined()) {
      CHECK(all.image_weights.shape() == Shape{3, 2, 1});
      for (std::int64_t row = 0; row < 3; ++row) CHECK(sum(all.image_weights, {1, 2}).value().at({row}) == doctest::Approx(1));
    }
    if (all.gate.defined()) {
      CHECK(all.gate.shape() == Shape{3});
      for (std::int64_t row = 0; row < 3; ++row) CHECK(all.gate.value().at({row}) > 0);
      for (std::int64_t row = 0; row < 3; ++row) CHECK(all.gate.value().at({row}) < 1);
    }
  }
}

TEST_CASE("one sense alone needs nothing of the other") {
  const Input in;
  DigitSenses hearing(small(Senses::sound)), seeing(small(Senses::image));
  hearing.to(f64);
  seeing.to(f64);
  CHECK(hearing(in.sound, in.lengths, Tensor()).logits.shape() == Shape{3, 4});
  CHECK(seeing(Tensor(), Tensor(), in.image).logits.shape() == Shape{3, 4});
}

TEST_CASE("senses go through JSON, and what can't be is refused") {
  for (const Senses kind : kinds) {
    CHECK(senses_of(name_of(kind)) == kind);
    CHECK(to_json(digit_senses_options_of(to_json(small(kind)), "file")) == to_json(small(kind)));
  }
  CHECK_THROWS_WITH_AS(senses_of("smell"), "[DigitSenses] 'smell' is no kind of senses; sound, image, gated, co_attention are",
                       ValueError);
  for (const char* json : {"{}", "nothing", R"({"senses": "smell"})"})
    CHECK_THROWS_WITH_AS(digit_senses_options_of(json, "a file"), doctest::Contains("a file: "), FormatError);
  DigitSensesOptions bad = small(Senses::gated);
  bad.hidden = 5;
  CHECK_THROWS_WITH_AS(DigitSenses{bad}, "[DigitSenses] hidden is 5; it must be positive and even", ValueError);
  bad = small(Senses::gated);
  bad.width = 6;
  CHECK_THROWS_WITH_AS(DigitSenses{bad}, "[DigitSenses] images of 8 by 6 pixels; multiples of 4 are needed", ValueError);
  bad = small(Senses::gated);
  bad.bands = 0;
  CHECK_THROWS_AS(DigitSenses{bad}, ValueError);

  DigitSenses model(small(Senses::gated));
  model.to(f64);
  const Input in;
  CHECK_THROWS_WITH_AS(model(Tensor(), Tensor(), in.image), doctest::Contains("the sound isn't given"), ValueError);
  CHECK_THROWS_WITH_AS(model(in.sound, in.lengths, Tensor()), doctest::Contains("the image isn't given"), ValueError);
  CHECK_THROWS_WITH_AS(model(in.sound.slice(2, 0, 2), in.lengths, in.image), doctest::Contains("is not [batch, frames, 3]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(model(in.sound, in.lengths, in.image.slice(1, 0, 4)), doctest::Contains("is not [batch, 8, 4]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(model(in.sound, in.lengths, in.image.slice(0, 0, 2)), doctest::Contains("differ in their batch"),
                       ShapeError);
  CHECK_THROWS_AS(model(in.sound, Tensor::full({3}, 6, i64), in.image), ValueError);
}
