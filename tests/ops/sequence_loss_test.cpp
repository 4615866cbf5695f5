#include "weft/ops/sequence_loss.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "golden/golden.hpp"
#include "kernels/elementwise.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();
using Labels = std::vector<std::int64_t>;
using Loss = Var (*)(const Var&, const Tensor&, const Tensor&, const Tensor&, const SequenceLossOptions&);

Tensor integers(std::initializer_list<std::int64_t> values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

// All sequences of up to three classes other than the blank, the empty one first.
std::vector<Labels> all_targets(std::int64_t classes, std::int64_t blank) {
  std::vector<Labels> all{{}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].size() == 3) break;
    for (std::int64_t k = 0; k < classes; ++k) {
      if (k == blank) continue;
      all.push_back(all[i]);
      all.back().push_back(k);
    }
  }
  return all;
}

// The targets as [batch, 3] with a number that is no class behind them, and their lengths.
struct Targets {
  explicit Targets(const std::vector<Labels>& all)
      : values(Tensor::full({static_cast<std::int64_t>(all.size()), 3}, -7, i64)),
        lengths(Tensor::empty({static_cast<std::int64_t>(all.size())}, i64)) {
    std::int64_t* const value = values.mutable_data<std::int64_t>();
    std::int64_t* const length = lengths.mutable_data<std::int64_t>();
    for (std::size_t i = 0; i < all.size(); ++i) {
      length[i] = static_cast<std::int64_t>(all[i].size());
      std::copy(all[i].begin(), all[i].end(), value + 3 * i);
    }
  }
  Tensor values, lengths;
};

struct Enumeration {
  std::map<Labels, double> probabilities;
  std::int64_t paths = 0;
};

// What every path of classes through log-probabilities [time, classes] becomes: equal neighbours once, then without blanks.
Enumeration by_all_paths(const Tensor& log_probs, std::int64_t blank) {
  Enumeration result;
  Labels path;
  const std::function<void(double)> extend = [&](double log_prob) {
    const auto t = static_cast<std::int64_t>(path.size());
    if (t == log_probs.size(0)) {
      Labels labels;
      for (std::size_t i = 0; i < path.size(); ++i)
        if (path[i] != blank && (i == 0 || path[i] != path[i - 1])) labels.push_back(path[i]);
      result.probabilities[labels] += std::exp(log_prob);
      ++result.paths;
      return;
    }
    for (std::int64_t k = 0; k < log_probs.size(1); ++k) {
      path.push_back(k);
      extend(log_prob + log_probs.at({t, k}));
      path.pop_back();
    }
  };
  extend(0);
  return result;
}

// The summed probability of every way of the labels through log-probabilities [time, 4, classes].
double by_all_ways(const Tensor& log_probs, const Labels& labels, std::int64_t blank, std::int64_t& ways) {
  const auto count = static_cast<std::int64_t>(labels.size());
  if (log_probs.size(0) == 0) return count == 0 ? 1 : 0;
  double total = 0;
  const std::function<void(std::int64_t, std::int64_t, double)> go = [&](std::int64_t t, std::int64_t u, double log_prob) {
    if (u < count) go(t, u + 1, log_prob + log_probs.at({t, u, labels[static_cast<std::size_t>(u)]}));
    const double after = log_prob + log_probs.at({t, u, blank});
    if (t + 1 < log_probs.size(0)) return go(t + 1, u, after);
    if (u < count) return;
    total += std::exp(after);
    ++ways;
  };
  go(0, 0, 0);
  return total;
}

// Expected losses in the rows' order against `losses`: the largest difference; infinite where one alone is.
double worst_difference(const Tensor& losses, const std::vector<double>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double loss = losses.at({static_cast<std::int64_t>(i)});
    if (loss == inf && expected[i] == inf) continue;
    const double difference = std::abs(loss - expected[i]);
    worst = difference <= worst ? worst : difference;  // a NaN stays
  }
  return worst;
}

// Logits of one row, of up to six frames: ordinary, spread far, and with classes that are impossible.
Tensor logits_of(const Shape& shape, int kind, std::uint64_t seed) {
  Tensor logits = uniform(shape, kind == 1 ? -30 : -2, kind == 1 ? 30 : 2, seed);
  if (kind == 2)
    for (std::int64_t i = 0; i < logits.numel(); i += 3)
      if (i % shape.back() != 0) logits.mutable_data<double>()[i] = -inf;
  return logits;
}

// One row's logits [time, ...] for each of `rows` rows, two frames of padding behind them.
Tensor padded(const Tensor& logits, std::int64_t rows) {
  const std::int64_t time = logits.size(0);
  Tensor all = Tensor::full(logits.shape().with(0, time + 2), not_a_number, f64);
  all.slice(0, 0, time).copy_from(logits);
  return all.unsqueeze(0).expand(all.shape().with_inserted(0, rows));
}

void check_gradient(Loss loss, const Tensor& logits, const Targets& targets, std::int64_t blank) {
  const auto f = [&](const std::vector<Var>& in) {
    const Var rows = expand(unsqueeze(in[0], 0), logits.shape().with_inserted(0, targets.lengths.numel()));
    return loss(rows, targets.values, {}, targets.lengths,
                {.blank = blank, .zero_infinity = true, .reduction = LossReduction::none});
  };
  const GradcheckReport report = gradcheck(f, {logits});
  CHECK_MESSAGE(report.ok(), report.str());
}

// Losses and gradient of the rows, each loss times 1, 2, ...
struct Outcome {
  Tensor losses, gradient;
};

Outcome run(Loss loss, const Tensor& logits, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
            SequenceLossOptions options = {}) {
  options.reduction = LossReduction::none;
  Tape tape;
  const Var x = tape.leaf(logits), losses = loss(x, targets, input_lengths, target_lengths, options);
  Tensor cotangent = losses.value().empty_like();
  for (std::int64_t i = 0; i < cotangent.numel(); ++i) {
    Tensor one = cotangent.slice(0, i, i + 1);
    one.fill(static_cast<double>(i + 1));
  }
  tape.backward(losses, cotangent);
  return {losses.value(), tape.grad(x).clone()};
}

Outcome row_of(const Outcome& o, std::int64_t row) { return {o.losses.select(0, row), o.gradient.select(0, row)}; }

bool same(const Outcome& a, const Outcome& b) {
  return largest_difference(a.losses, b.losses) == 0 && largest_difference(a.gradient, b.gradient) == 0;
}

// Logits of a batch of four with lengths for either loss; `most` is 3 labels.
struct Ragged {
  explicit Ragged(Loss loss, DType dtype = f64)
      : logits(uniform(loss == ctc_loss ? Shape{4, 5, 4} : Shape{4, 5, 4, 4}, -2, 2, 3, dtype)) {}
  Tensor logits, targets = Tensor::from<std::int64_t>({1, 2, 2, 3, 1, 99, -1, -1, -1, 2, 0, 0}, {4, 3}),
                 input_lengths = integers({5, 3, 4, 2}), target_lengths = integers({3, 2, 0, 1});
};

const std::vector<std::pair<const char*, Loss>> both{{"ctc_loss", ctc_loss}, {"transducer_loss", transducer_loss}};

}  // namespace

TEST_CASE("ctc_loss is the sum over all paths, for every target of up to 3 labels in up to 6 frames of up to 4 classes") {
  std::int64_t paths = 0;
  double worst = 0;
  for (std::int64_t classes = 1; classes <= 4; ++classes)
    for (std::int64_t blank = 0; blank < classes; ++blank)
      for (std::int64_t time = 0; time <= 6; ++time)
        for (int kind = 0; kind < 3; ++kind) {
          const Tensor logits = logits_of({time, classes}, kind, static_cast<std::uint64_t>(10 * time + classes));
          const Enumeration all = by_all_paths(log_softmax(logits, -1).value(), blank);
          paths += all.paths;
          const std::vector<Labels> labels = all_targets(classes, blank);
          std::vector<double> expected;
          for (const Labels& target : labels) {
            const auto found = all.probabilities.find(target);
            expected.push_back(found == all.probabilities.end() ? inf : -std::log(found->second));
          }
          const Targets targets(labels);
          const auto rows = static_cast<std::int64_t>(labels.size());
          const Tensor lengths = Tensor::full({rows}, static_cast<double>(time), i64);
          const double difference = worst_difference(ctc_loss(padded(logits, rows), targets.values, lengths, targets.lengths,
                                                              {.blank = blank, .reduction = LossReduction::none})
                                                         .value(),
                                                     expected);
          worst = difference <= worst ? worst : difference;
          if (kind == 0 && time > 0) check_gradient(ctc_loss, logits, targets, blank);
        }
  CHECK(worst <= 1e-10);
  CHECK(paths > 70000);
}

TEST_CASE("transducer_loss is the sum over all ways, for every target of up to 3 labels in up to 6 frames of up to 4 classes") {
  std::int64_t ways = 0;
  double worst = 0;
  for (std::int64_t classes = 1; classes <= 4; ++classes)
    for (std::int64_t blank = 0; blank < classes; ++blank)
      for (std::int64_t time = 0; time <= 6; ++time)
        for (int kind = 0; kind < 3; ++kind) {
          const Tensor logits = logits_of({time, 4, classes}, kind, static_cast<std::uint64_t>(10 * time + classes));
          const Tensor log_probs = log_softmax(logits, -1).value();
          const std::vector<Labels> labels = all_targets(classes, blank);
          std::vector<double> expected;
          for (const Labels& target : labels) expected.push_back(-std::log(by_all_ways(log_probs, target, blank, ways)));
          const Targets targets(labels);
          const auto rows = static_cast<std::int64_t>(labels.size());
          const Tensor lengths = Tensor::full({rows}, static_cast<double>(time), i64);
          const double difference =
              worst_difference(transducer_loss(padded(logits, rows), targets.values, lengths, targets.lengths,
                                               {.blank = blank, .reduction = LossReduction::none})
                                   .value(),
                               expected);
          worst = difference <= worst ? worst : difference;
          if (kind == 0 && time > 0) check_gradient(transducer_loss, logits, targets, blank);
        }
  CHECK(worst <= 1e-10);
  CHECK(ways > 30000);
}

TEST_CASE("ctc_loss equals PyTorch's, the gradient with respect to log-probabilities too") {
  const Golden golden = Golden::load("ctc_loss");
  for (const DType dtype : {f32, f64})
    for (const auto& entry :
         {std::pair{"mean", LossReduction::mean}, {"sum", LossReduction::sum}, {"none", LossReduction::none}}) {
      const auto& name = entry.first;
      const auto& reduction = entry.second;
      CAPTURE(name);
      const double tolerance = dtype == f32 ? 1e-6 : 1e-12;
      Tape tape;
      const Var logits = tape.leaf(golden["logits"].to(dtype)), log_probs = tape.leaf(log_softmax(logits.value(), -1).value());
      for (const Var& x : {logits, log_probs}) {
        const Var loss = ctc_loss(x, golden["targets"], golden["input_lengths"], golden["target_lengths"],
                                  {.blank = 1, .zero_infinity = true, .reduction = reduction});
        CHECK(relative_error(loss.value(), golden[name]) <= tolerance);
        tape.backward(sum(loss));
        const std::string gradient = std::string("grad.") + (x.slot() == logits.slot() ? "logits." : "log_probs.") + name;
        CHECK(relative_error(tape.grad(x), golden[gradient]) <= tolerance);
      }
    }
}

TEST_CASE("sequence losses by hand") {
  const SequenceLossOptions sum_of{.reduction = LossReduction::sum};
  const Tensor one = Tensor::from<std::int64_t>({1}, {1, 1}), none = Tensor::empty({1, 0}, i64);
  // aa, a-, -a of four paths
  CHECK(ctc_loss(Tensor::zeros({1, 2, 2}, f64), one, {}, {}, sum_of).item() == doctest::Approx(std::log(4.0 / 3)));
  CHECK(ctc_loss(Tensor::zeros({1, 1, 5}), one, {}, {}, sum_of).item() == doctest::Approx(std::log(5.0)));
  CHECK(ctc_loss(Tensor::zeros({1, 3, 5}), none, {}, {}, sum_of).item() == doctest::Approx(3 * std::log(5.0)));
  // Two ways of three steps each
  CHECK(transducer_loss(Tensor::zeros({1, 2, 2, 2}, f64), one, {}, {}, sum_of).item() == doctest::Approx(std::log(4.0)));
  CHECK(transducer_loss(Tensor::zeros({1, 3, 1, 5}), none, {}, {}, sum_of).item() == doctest::Approx(3 * std::log(5.0)));
  // Neither frames nor labels; labels without frames
  CHECK(ctc_loss(Tensor::zeros({1, 0, 2}), none).item() == 0);
  CHECK(ctc_loss(Tensor::zeros({1, 0, 2}), one).item() == inf);
  CHECK(transducer_loss(Tensor::zeros({1, 0, 1, 2}), none).item() == 0);
  CHECK(transducer_loss(Tensor::zeros({1, 0, 2, 2}), one).item() == inf);
  // No rows
  for (const LossReduction reduction : {LossReduction::mean, LossReduction::sum}) {
    const SequenceLossOptions options{.reduction = reduction};
    CHECK(ctc_loss(Tensor::zeros({0, 3, 2}), Tensor::empty({0, 2}, i64), {}, {}, options).item() == 0);
    CHECK(transducer_loss(Tensor::zeros({0, 3, 3, 2}), Tensor::empty({0, 2}, i64), {}, {}, options).item() == 0);
  }
}

TEST_CASE("equal neighbours need a blank between them") {
  const Tensor twice = Tensor::from<std::int64_t>({1, 1}, {1, 2});
  CHECK(ctc_loss(Tensor::zeros({1, 2, 2}), twice).item() == inf);
  CHECK(ctc_loss(Tensor::zeros({1, 3, 2}, f64), twice).item() == doctest::Approx(std::log(8.0) / 2));
}

TEST_CASE("mean divides each ctc loss by its target's length, those of the transducer by nothing") {
  for (const auto& entry : both) {
    const auto& name = entry.first;
    const auto& loss = entry.second;
    CAPTURE(name);
    const Ragged r(loss);
    const auto with = [&, loss = loss](LossReduction reduction) {
      return loss(r.logits, r.targets, r.input_lengths, r.target_lengths, {.reduction = reduction}).value();
    };
    const Tensor losses = with(LossReduction::none);
    double total = 0, mean = 0;
    for (std::int64_t i = 0; i < 4; ++i) {
      const double length = r.target_lengths.at({i});
      total += losses.at({i});
      mean += losses.at({i}) / (loss == ctc_loss ? std::max(1.0, length) : 1) / 4;
    }
    CHECK(with(LossReduction::sum).item() == doctest::Approx(total).epsilon(1e-14));
    CHECK(with(LossReduction::mean).item() == doctest::Approx(mean).epsilon(1e-14));
  }
}

TEST_CASE("what stands behind the lengths reaches no loss and no gradient") {
  for (const auto& entry : both)
    for (const DType dtype : {f32, f64}) {
      const auto& name = entry.first;
      const auto& loss = entry.second;
      CAPTURE(name);
      Ragged r(loss, dtype);
      const Outcome clean = run(loss, r.logits, r.targets, r.input_lengths, r.target_lengths);
      for (const double poison : {not_a_number, inf, -inf, 1e30}) {
        for (std::int64_t row = 0; row < 4; ++row) {
          const auto frames = static_cast<std::int64_t>(r.input_lengths.at({row}));
          Tensor own = r.logits.select(0, row), behind = own.slice(0, frames, 5);
          behind.fill(poison);
          if (loss != transducer_loss) continue;
          Tensor columns = own.slice(1, static_cast<std::int64_t>(r.target_lengths.at({row})) + 1, 4);
          columns.fill(poison);
        }
        CHECK(same(run(loss, r.logits, r.targets, r.input_lengths, r.target_lengths), clean));
      }
      for (std::int64_t row = 0; row < 4; ++row) {
        const auto frames = static_cast<std::int64_t>(r.input_lengths.at({row}));
        CHECK(largest(clean.gradient.select(0, row).slice(0, frames, 5)) == 0);
        // Alone and without padding it is the same.
        const auto labels = static_cast<std::int64_t>(r.target_lengths.at({row}));
        Tensor own = r.logits.slice(0, row, row + 1).slice(1, 0, frames);
        if (loss == transducer_loss) own = own.slice(2, 0, labels + 1);
        const Tensor target = r.targets.slice(0, row, row + 1).slice(1, 0, labels);
        const Tensor alone = loss(own, target, {}, {}, {.reduction = LossReduction::none}).value();
        CHECK(alone.item() == clean.losses.at({row}));
      }
    }
}

TEST_CASE("a row whose target is impossible is infinite, or nothing under zero_infinity, and leaves the others alone") {
  for (const auto& entry : both)
    for (const bool zero_infinity : {false, true}) {
      const auto& name = entry.first;
      const auto& loss = entry.second;
      CAPTURE(name);
      Ragged r(loss);
      const Outcome before = run(loss, r.logits, r.targets, r.input_lengths, r.target_lengths);
      // Row 1 becomes too short: two labels in one frame; where frames hold any number of labels, a class is ruled out.
      std::int64_t frames = 1;
      if (loss == transducer_loss) {
        frames = 3;
        for (std::int64_t t = 0; t < 3; ++t) {
          Tensor label = r.logits.select(0, 1).select(0, t).slice(0, 1, 2).slice(1, 1, 2);
          label.fill(-inf);
        }
      }
      const Outcome after =
          run(loss, r.logits, r.targets, integers({5, frames, 4, 2}), r.target_lengths, {.zero_infinity = zero_infinity});
      for (const std::int64_t row : {0, 2, 3}) CHECK(same(row_of(after, row), row_of(before, row)));
      CHECK(after.losses.at({1}) == (zero_infinity ? 0 : inf));
      const Tensor gradient = after.gradient.select(0, 1);
      CHECK(largest(gradient.slice(0, frames, 5)) == 0);
      if (zero_infinity)
        CHECK(largest(gradient) == 0);
      else
        CHECK(std::isnan(largest(gradient.slice(0, 0, frames))));
    }
}

TEST_CASE("NaN in a frame that counts is seen, whatever class has it; +inf and frames without a class are NaN as in softmax") {
  for (const auto& entry : both)
    for (const DType dtype : {f32, f64})
      for (const double bad : {not_a_number, inf}) {
        const auto& name = entry.first;
        const auto& loss = entry.second;
        CAPTURE(name);
        Ragged r(loss, dtype);
        const Outcome before = run(loss, r.logits, r.targets, r.input_lengths, r.target_lengths);
        Tensor frame = r.logits.select(0, 3).select(0, 1);  // the second and last frame of row 3, whose label is 2
        Tensor at = frame.rank() == 1 ? frame.slice(0, 3, 4) : frame.slice(1, 3, 4);
        at.fill(bad);
        const Outcome after = run(loss, r.logits, r.targets, r.input_lengths, r.target_lengths, {.zero_infinity = true});
        CHECK(std::isnan(after.losses.at({3})));
        CHECK(std::isnan(largest(after.gradient.select(0, 3))));
        for (const std::int64_t row : {0, 1, 2}) CHECK(same(row_of(after, row), row_of(before, row)));
        frame.fill(-inf);
        CHECK(std::isnan(run(loss, r.logits, r.targets, r.input_lengths, r.target_lengths).losses.at({3})));
      }
}

TEST_CASE("a row that counts for nothing has no gradient, NaN or not") {
  for (const auto& entry : both) {
    const auto& name = entry.first;
    const auto& loss = entry.second;
    CAPTURE(name);
    const Ragged r(loss);
    r.logits.select(0, 0).fill(not_a_number);
    Tape tape;
    const Var x = tape.leaf(r.logits);
    const Var losses = loss(x, r.targets, r.input_lengths, r.target_lengths, {.reduction = LossReduction::none});
    tape.backward(sum(slice(losses, 0, 1, 4)));
    CHECK(largest(tape.grad(x).select(0, 0)) == 0);
    CHECK(largest(tape.grad(x)) > 0);
  }
}

TEST_CASE("sequence losses say that they have no second derivative") {
  for (const auto& entry : both) {
    const auto& name = entry.first;
    const auto& loss = entry.second;
    const Ragged r(loss);
    Tape tape;
    const Var x = tape.leaf(r.logits), value = loss(x, r.targets, r.input_lengths, r.target_lengths, {});
    CHECK_THROWS_WITH_AS(tape.backward(value, {.create_graph = true}), doctest::Contains(name), TapeError);
  }
}

TEST_CASE("sequence losses have the same bits for any number of threads, and f32 is close to f64 over long rows") {
  const int threads = num_threads();
  for (const auto& entry : both) {
    const auto& name = entry.first;
    const auto& loss = entry.second;
    CAPTURE(name);
    const std::int64_t labels = 40, classes = 30, rows = 3, time = 150;
    const Shape shape = loss == ctc_loss ? Shape{rows, time, classes} : Shape{rows, time, labels + 1, classes};
    Tensor targets = test::integers({rows, labels}, classes - 1, 5);
    targets = kernels::dense(add(targets, Tensor::full({}, 1, i64)).value());
    const Tensor input_lengths = integers({150, 120, 99}), target_lengths = integers({40, 33, 7});
    const Tensor logits = uniform(shape, -3, 3, 6, f32);
    set_num_threads(1);
    const Outcome one = run(loss, logits, targets, input_lengths, target_lengths);
    set_num_threads(3);
    CHECK(same(run(loss, logits, targets.to(i32), input_lengths.to(i32), target_lengths.to(i32)), one));
    const Outcome wide = run(loss, logits.to(f64), targets, input_lengths, target_lengths);
    CHECK(largest_difference(one.losses, wide.losses) <= 1e-6 * largest(wide.losses));
    CHECK(largest_difference(one.gradient, wide.gradient) <= 2e-6 * largest(wide.gradient));
  }
  set_num_threads(threads);
}

TEST_CASE("a batch whose targets are overwritten before backward keeps its own") {
  for (const auto& entry : both) {
    const auto& name = entry.first;
    const auto& loss = entry.second;
    CAPTURE(name);
    Ragged r(loss);
    const Outcome expected = run(loss, r.logits, r.targets, r.input_lengths, r.target_lengths);
    Tape tape;
    const Var x = tape.leaf(r.logits);
    const Var losses = loss(x, r.targets, r.input_lengths, r.target_lengths, {.reduction = LossReduction::none});
    r.targets.fill(3);
    r.input_lengths.fill(1);
    tape.backward(losses, Tensor::from<double>({1, 2, 3, 4}, {4}));
    CHECK(largest_difference(tape.grad(x), expected.gradient) == 0);
  }
}

TEST_CASE("errors of the sequence losses name the row") {
  for (const auto& entry : both) {
    const auto& name = entry.first;
    const auto& loss = entry.second;
    CAPTURE(name);
    const Ragged r(loss);
    const auto call = [&, loss = loss](const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
                                       std::int64_t blank = 0) {
      loss(r.logits, targets, input_lengths, target_lengths, {.blank = blank});
    };
    const std::string op = std::string("[") + name + "] ";
    const auto says = [&](const char* text) { return doctest::Contains((op + text).c_str()); };
    const Tensor &t = r.targets, &in = r.input_lengths, &out = r.target_lengths;
    CHECK_THROWS_WITH_AS(call(t, integers({6, 5, 4, 2}), out), says("length 6 of row 0 in input_lengths is outside 0 to 5"),
                         ValueError);
    CHECK_THROWS_WITH_AS(call(t, integers({5, 6, 4, 2}), out), says("length 6 of row 1 in input_lengths is outside 0 to 5"),
                         ValueError);
    CHECK_THROWS_WITH_AS(call(t, integers({5, 3, -1, 2}), out), says("length -1 of row 2 in input_lengths"), ValueError);
    CHECK_THROWS_WITH_AS(call(t, in, integers({3, 4, 0, 1})), says("length 4 of row 1 in target_lengths is outside 0 to 3"),
                         ValueError);
    CHECK_THROWS_WITH_AS(call(t, in, integers({3, 2, 0, -1})), says("length -1 of row 3 in target_lengths"), ValueError);
    CHECK_THROWS_WITH_AS(call(t, in, integers({3, 3, 0, 1})), says("target 99 at [1, 2] is outside 0 to 3"), IndexError);
    CHECK_THROWS_WITH_AS(call(t, in, integers({3, 2, 1, 1})), says("target -1 at [2, 0] is outside 0 to 3"), IndexError);
    CHECK_THROWS_WITH_AS(call(t, in, integers({3, 2, 0, 2})), says("the target at [3, 1] is the blank, 0"), ValueError);
    CHECK_THROWS_WITH_AS(call(t, in, out, 4), says("blank 4 is outside 0 to 3"), IndexError);
    CHECK_THROWS_WITH_AS(call(t, in, out, -1), says("blank -1 is outside 0 to 3"), IndexError);
    CHECK_THROWS_WITH_AS(call(t, integers({5, 3, 4}), out), says("input_lengths [3] don't fit logits [4, 5, 4"), ShapeError);
    CHECK_THROWS_WITH_AS(call(t.slice(0, 0, 3), in, out), says("logits [4, 5, 4"), ShapeError);
    CHECK_THROWS_AS(call(t.reshape({12}), in, out), ShapeError);
    CHECK_THROWS_AS(call(t.to(f32), in, out), DTypeError);
    CHECK_THROWS_AS(call(t, in.to(f64), out), DTypeError);
    CHECK_THROWS_AS(call({}, in, out), ValueError);
    CHECK_THROWS_AS(loss({}, t, in, out, {}), ValueError);
    CHECK_THROWS_AS(loss(r.logits.select(0, 0), t, in, out, {}), ShapeError);
    CHECK_THROWS_AS(loss(r.logits.to(i64), t, in, out, {}), DTypeError);
    CHECK_THROWS_AS(loss(r.logits.slice(-1, 0, 0), t, in, out, {}), IndexError);
  }
  CHECK_THROWS_WITH_AS(transducer_loss(Tensor::zeros({2, 4, 3, 5}), Tensor::zeros({2, 3}, i64)),
                       doctest::Contains("[batch, time, most + 1, classes]"), ShapeError);
}
