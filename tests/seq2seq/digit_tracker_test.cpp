#include "weft/seq2seq/digit_tracker.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/optim/adam.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

constexpr DigitTrackerOptions small = {.size = 8, .channels = 2, .hidden = 5, .classes = 3};

constexpr DigitTrackerOptions with_conv_lstm() {
  DigitTrackerOptions options = small;
  options.conv_lstm = 3;
  return options;
}

TrackTargets some_targets(DType dtype = f64) {
  return {test::integers({2, 2}, 3, 1, i32), test::uniform({2, 3, 2, 2}, 0, 8, 2, dtype)};
}

// -log of the share of exp(z[k]) among all.
double missing(const Tensor& logits, std::int64_t row, std::int64_t track, std::int64_t name) {
  double all = 0;
  for (std::int64_t k = 0; k < logits.size(2); ++k) all += std::exp(logits.at({row, track, k}));
  return std::log(all) - logits.at({row, track, name});
}

}  // namespace

TEST_CASE("gradients of every parameter of a tracker are right") {
  DigitTrackerOptions with_gru = small;
  with_gru.recurrent = nn::RecurrentKind::gru;
  for (const DigitTrackerOptions& options : {small, with_gru, with_conv_lstm()}) {
    CAPTURE(to_json(options));
    DigitTracker tracker(options);
    tracker.to(f64);
    const Tensor frames = test::uniform({2, 3, 8, 8}, 0, 1, 3);
    const auto report = gradcheck_parameters([&] { return tracking_loss(tracker(frames), some_targets()); },
                                             tracker.parameters(), {.elements = test::elements(20)});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > test::elements(200));
  }
}

TEST_CASE("a tracker tells names, centres and weights that add up to 1") {
  for (const DigitTrackerOptions& options : {small, with_conv_lstm()}) {
    CAPTURE(to_json(options));
    DigitTracker tracker(options);
    tracker.eval();
    const Tracks tracks = tracker(test::uniform({2, 3, 8, 8}, 0, 1, 3, f32));
    CHECK(tracks.names.shape() == Shape{2, 2, 3});
    CHECK(tracks.centres.shape() == Shape{2, 3, 2, 2});
    CHECK(tracks.front.shape() == Shape{2});
    CHECK(tracks.frame_weights.shape() == Shape{2, 2, 3});
    CHECK(tracks.cell_weights.shape() == Shape{2, 2, 3, 2, 2});
    CHECK(test::largest_difference(sum(tracks.frame_weights, {2}).value(), Tensor::ones({2, 2})) < 1e-5);
    CHECK(test::largest_difference(sum(tracks.cell_weights, {3, 4}).value(), Tensor::ones({2, 2, 3})) < 1e-5);
  }
}

TEST_CASE("a ConvLSTM stands in a tracker's state where it is asked for alone") {
  const auto shapes_of = [](const DigitTrackerOptions& options) {
    std::map<std::string, std::string> shapes;
    const DigitTracker tracker(options);
    for (const auto& [name, tensor] : tracker.state_dict()) shapes[name] = tensor.shape().str();
    return shapes;
  };
  const auto plain = shapes_of(small), beside = shapes_of(with_conv_lstm());
  CHECK(beside.size() == plain.size() + 3);
  CHECK(beside.at("conv_lstm.cells.0.weight_ih") == "[12, 8, 3, 3]");
  CHECK(beside.at("conv_lstm.cells.0.weight_hh") == "[12, 3, 3, 3]");
  CHECK(plain.at("query.weight") == "[16, 5]");
  CHECK(beside.at("query.weight") == "[22, 5]");
}

TEST_CASE("a film gives what it gives alone, and earlier frames don't know of later ones") {
  for (const DigitTrackerOptions& options : {small, with_conv_lstm()}) {
    CAPTURE(to_json(options));
    DigitTracker tracker(options);
    tracker.to(f64);
    tracker.eval();
    const Tensor frames = test::uniform({2, 3, 8, 8}, 0, 1, 3);
    const Tracks together = tracker(frames);
    const Tracks alone = tracker(frames.slice(0, 1, 2)), earlier = tracker(frames.slice(1, 0, 2));
    CHECK(test::largest_difference(together.names.value().slice(0, 1, 2), alone.names.value()) < 1e-12);
    CHECK(test::largest_difference(together.centres.value().slice(0, 1, 2), alone.centres.value()) < 1e-12);
    CHECK(test::largest_difference(together.centres.value().slice(1, 0, 2), earlier.centres.value()) < 1e-12);
    CHECK(test::largest_difference(together.cell_weights.value().slice(2, 0, 2), earlier.cell_weights.value()) < 1e-12);
  }
}

TEST_CASE("the loss is that of the cheaper pairing, film by film") {
  const Tracks tracks{.names = test::uniform({2, 2, 3}, -2, 2, 4),
                      .centres = test::uniform({2, 3, 2, 2}, -4, 12, 5),
                      .front = test::uniform({2}, -2, 2, 6),
                      .frame_weights = {},
                      .cell_weights = {}};
  const TrackTargets targets = some_targets();
  double expected = 0;
  bool straight = false, crossed = false;
  for (std::int64_t row = 0; row < 2; ++row) {
    double costs[2];
    for (std::int64_t first : {0, 1}) {
      double cost = std::log1p(std::exp((first == 0 ? -1 : 1) * tracks.front.value().at({row})));
      for (std::int64_t digit : {0, 1}) {
        const std::int64_t track = digit == 0 ? first : 1 - first;
        cost += missing(tracks.names.value(), row, track, static_cast<std::int64_t>(targets.names.at({row, digit})));
        for (std::int64_t t = 0; t < 3; ++t)
          for (std::int64_t axis = 0; axis < 2; ++axis) {
            const double d =
                std::abs(tracks.centres.value().at({row, t, track, axis}) - targets.centres.at({row, t, digit, axis})) / 4;
            cost += (d < 1 ? d * d / 2 : d - 0.5) / 3;
          }
      }
      costs[first] = cost;
    }
    (costs[0] < costs[1] ? straight : crossed) = true;
    expected += std::min(costs[0], costs[1]) / 2;
  }
  CHECK(tracking_loss(tracks, targets).item() == doctest::Approx(expected).epsilon(1e-10));
  // The tracks the other way round are as good.
  const Tracks turned{.names = tracks.names.value().flip(1),
                      .centres = tracks.centres.value().flip(2),
                      .front = Var(test::uniform({2}, -2, 2, 6)).value(),
                      .frame_weights = {},
                      .cell_weights = {}};
  Tensor front = turned.front.value().clone();
  for (std::int64_t i = 0; i < 2; ++i) front.mutable_data<double>()[i] *= -1;
  CHECK(tracking_loss({turned.names, turned.centres, front, {}, {}}, targets).item() ==
        doctest::Approx(expected).epsilon(1e-10));
  CHECK((straight || crossed));
}

TEST_CASE("a few steps of training bring the loss of a film down") {
  for (const DigitTrackerOptions& options : {small, with_conv_lstm()}) {
    CAPTURE(to_json(options));
    DigitTracker tracker(options);
    optim::Adam optimizer(tracker.parameters(), {.lr = 0.02});
    const Tensor frames = test::uniform({2, 3, 8, 8}, 0, 1, 3, f32);
    double first = 0, last = 0;
    for (int step = 0; step < 60; ++step) {
      Tape tape;
      const Var loss = tracking_loss(tracker(frames), some_targets(f32));
      last = loss.item();
      if (step == 0) first = last;
      tape.backward(loss);
      for (const Parameter* parameter : tracker.parameters()) CHECK_MESSAGE(parameter->grad().defined(), parameter->name());
      optimizer.step();
    }
    CHECK(last < first / 4);
  }
}

TEST_CASE("a tracker's options go to JSON and back") {
  const std::string json = to_json(small);
  CHECK(json == R"({"size":8,"channels":2,"hidden":5,"classes":3})");
  CHECK(to_json(digit_tracker_options_of(json, "here")) == json);
  CHECK_THROWS_WITH_AS(digit_tracker_options_of("[", "here"),
                       doctest::Contains("[DigitTracker] here: its metadata don't describe a tracker of digits ("),
                       FormatError);
  DigitTrackerOptions gru = small;
  gru.recurrent = nn::RecurrentKind::gru;
  CHECK(to_json(gru) == R"({"size":8,"channels":2,"hidden":5,"classes":3,"recurrent":"gru"})");
  CHECK(digit_tracker_options_of(to_json(gru), "here").recurrent == nn::RecurrentKind::gru);
  CHECK(to_json(with_conv_lstm()) == R"({"size":8,"channels":2,"hidden":5,"classes":3,"conv_lstm":3})");
  CHECK(digit_tracker_options_of(to_json(with_conv_lstm()), "here").conv_lstm == 3);
  CHECK(digit_tracker_options_of(json, "here").conv_lstm == 0);
  CHECK_THROWS_WITH_AS(digit_tracker_options_of(R"({"size":8,"channels":2,"hidden":5,"classes":3,"recurrent":"rnn"})", "here"),
                       doctest::Contains("[DigitTracker] here: [recurrent_kind] 'rnn'"), FormatError);
}

TEST_CASE("what a tracker can't do is refused") {
  CHECK_THROWS_WITH_AS(DigitTracker({.size = 30}), "[DigitTracker] size is 30; a multiple of 4 is needed", ValueError);
  CHECK_THROWS_WITH_AS(DigitTracker({.channels = 0}),
                       "[DigitTracker] 0 channels, hidden 192, 10 classes; each must be positive", ValueError);
  CHECK_THROWS_WITH_AS(DigitTracker({.conv_lstm = -1}),
                       "[DigitTracker] conv_lstm is -1; a number of channels is needed, 0 for none", ValueError);
  DigitTracker tracker(small);
  CHECK_THROWS_WITH_AS(
      tracker(Tensor::zeros({2, 3, 8, 9})),
      doctest::Contains("[DigitTracker] frames f32[2, 3, 8, 9] are not [batch, frames, 8, 8] with one of each at least"),
      ShapeError);
  const Tracks tracks = tracker(Tensor::zeros({2, 3, 8, 8}));
  TrackTargets targets = some_targets(f32);
  targets.names = Tensor::zeros({2, 3}, i32);
  CHECK_THROWS_WITH_AS(tracking_loss(tracks, targets),
                       "[tracking_loss] names i32[2, 3] and centres f32[2, 3, 2, 2] don't fit tracks of names f32[2, 2, 3] and "
                       "centres f32[2, 3, 2, 2]",
                       ShapeError);
  targets = some_targets(f32);
  targets.names = Tensor::full({2, 2}, 3, i32);
  CHECK_THROWS_AS(tracking_loss(tracks, targets), IndexError);
}
