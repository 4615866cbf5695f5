#include "weft/seq2seq/ctc_model.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/ctc_decode.hpp"
#include "weft/ops/sequence_loss.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

constexpr CTCModelOptions small = {.source_size = 3, .labels = 4, .hidden = 3};

Padded small_source() {
  const std::vector<Tensor> rows = {test::uniform({6, 3}, -1, 1, 1, f32), test::uniform({3, 3}, -1, 1, 2, f32)};
  return pad_features(rows);
}

}  // namespace

TEST_CASE("the loss is that of CTC over all labels, and every parameter's gradient is right") {
  for (const nn::RecurrentKind kind : {nn::RecurrentKind::lstm, nn::RecurrentKind::gru}) {
    CAPTURE(nn::name_of(kind));
    CTCModelOptions options = small;
    options.recurrent = kind;
    CTCModel model(options);
    model.to(f64);
    const TokenIds first = {0, 3, 3}, second = {2};
    const std::vector<const TokenIds*> targets = {&first, &second};
    const Padded source = small_source();
    const Tensor classes = Tensor::from<std::int64_t>({1, 4, 4, 3, 0, 0}, {2, 3}),
                 counts = Tensor::from<std::int64_t>({3, 1}, {2});
    const double sum = ctc_loss(model(source), classes, source.lengths, counts, {.reduction = LossReduction::sum}).item();
    CHECK(model.loss(source, targets).item() == doctest::Approx(sum / 4));
    const auto report =
        gradcheck_parameters([&] { return model.loss(source, targets); }, model.parameters(), {.elements = test::elements(40)});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > test::elements(100));
    // Rows of weight_ih: four gates or three.
    CHECK(model.named_parameters()[0].parameter->value().size(0) == (kind == nn::RecurrentKind::gru ? 9 : 12));
  }
}

TEST_CASE("a padded row gives what it gives alone, and NaN in the padding nothing") {
  CTCModel model(small);
  Padded source = small_source();
  source.features.select(0, 1).slice(0, 3, 6).fill(std::nan(""));
  const Tensor together = model(source).value();
  const std::vector<Tensor> one = {test::uniform({3, 3}, -1, 1, 2, f32)};
  CHECK(test::largest_difference(together.slice(0, 1, 2).slice(1, 0, 3), model(pad_features(one)).value()) <= 1e-6);
  REQUIRE(together.shape() == Shape{2, 6, 5});
}

TEST_CASE("steps that labels need") {
  CHECK(CTCModel::steps_needed({}) == 0);
  CHECK(CTCModel::steps_needed({1}) == 1);
  CHECK(CTCModel::steps_needed({1, 1}) == 3);
  CHECK(CTCModel::steps_needed({1, 2, 1, 1, 1}) == 7);
}

TEST_CASE("targets that can't be are named by their row") {
  CTCModel model(small);
  const TokenIds good = {0}, twice = {1, 1}, four = {0, 1, 2, 3}, none, wrong = {4};
  const auto loss = [&](const TokenIds& second) {
    const std::vector<const TokenIds*> targets = {&good, &second};
    return model.loss(small_source(), targets);
  };
  CHECK(std::isfinite(loss(twice).item()));
  // Lengths of any strides, and of 32 bits.
  Padded source = small_source();
  const std::vector<const TokenIds*> both = {&good, &twice};
  const double expected = model.loss(source, both).item();
  source.lengths = source.lengths.to(i32);
  CHECK(model.loss(source, both).item() == expected);
  source.lengths = Tensor::full({1}, 3, i64).expand({2});
  CHECK(std::isfinite(model.loss(source, both).item()));
  source.lengths = Tensor::full({2}, 99, i64);
  CHECK_THROWS_AS(model.loss(source, both), ValueError);
  CHECK_THROWS_WITH_AS(loss(four), "[CTCModel] row 1: 4 labels need 4 steps, and the source has 3", ValueError);
  CHECK_THROWS_WITH_AS(loss(none), "[CTCModel] the target of row 1 has no labels", ValueError);
  CHECK_THROWS_WITH_AS(loss(wrong), "[CTCModel] label 4 is outside 0..3", IndexError);
  const std::vector<const TokenIds*> one = {&good};
  CHECK_THROWS_AS(model.loss(small_source(), one), ShapeError);
  const TokenIds ids = {4, 5};
  const std::vector<const TokenIds*> text = {&ids};
  CHECK_THROWS_WITH_AS(model(pad(text)), "[CTCModel] the source has no features", ValueError);
  const std::vector<Tensor> wide = {Tensor::zeros({2, 4})};
  CHECK_THROWS_AS(model(pad_features(wide)), ShapeError);
  CHECK_THROWS_AS(CTCModel({.source_size = 3, .labels = 0}), ValueError);
  CHECK_THROWS_AS(CTCModel({.source_size = 0, .labels = 2}), ValueError);
}
