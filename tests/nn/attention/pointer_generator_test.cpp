#include "weft/nn/attention/pointer_generator.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "nn/attention/checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"
#include "weft/tensor/memory.hpp"

using namespace weft;
using nn::attention::PointerGenerator;
using nn::attention::PointerGeneratorInput;
using test::Vector;

namespace {

constexpr std::int64_t rows = 2, steps = 3, vocabulary = 5, places = 4, extended = 7;

// Row 0 has two words of its own (5 twice, and 6), row 1 one and padding.
const Tensor source = Tensor::from<std::int64_t>({5, 2, 5, 6, 3, 5, 0, 0}, {rows, places});
const Tensor targets = Tensor::from<std::int64_t>({5, 2, 4, 3, 5, -100}, {rows, steps});

std::vector<Tensor> values() {
  Tensor weights = softmax(test::uniform({rows, steps, places}, -1, 1, 5), -1).value().clone();
  weights.select(0, 1).slice(1, 2, 4).fill(0);
  return {test::uniform({rows, steps, 2}, -1, 1, 1), test::uniform({rows, steps, 3}, -1, 1, 2),
          test::uniform({rows, steps, 2}, -1, 1, 3), test::uniform({rows, steps, vocabulary}, -2, 2, 4), weights};
}

PointerGeneratorInput input_of(const std::vector<Var>& in) { return {in[0], in[1], in[2], in[3], in[4], source, extended}; }

PointerGeneratorInput input() {
  const std::vector<Tensor> all = values();
  return input_of({all.begin(), all.end()});
}

struct Head : PointerGenerator {
  Head() : PointerGenerator({.context_dim = 2, .state_dim = 3, .input_dim = 2}) { to(f64); }
};

// P of one word by loops.
double plain(const PointerGenerator& head, const PointerGeneratorInput& in, std::int64_t row, std::int64_t step,
             std::int64_t word) {
  const Vector w = test::matrix_of(head.gate.weight->value())[0];
  double z = head.gate.bias->value().item(), sum = 0, copied = 0;
  std::size_t at = 0;
  for (const Var* part : {&in.context, &in.state, &in.input})
    for (std::int64_t i = 0; i < part->size(2); ++i) z += w[at++] * part->value().at({row, step, i});
  const double g = 1 / (1 + std::exp(-z));
  for (std::int64_t v = 0; v < vocabulary; ++v) sum += std::exp(in.logits.value().at({row, step, v}));
  for (std::int64_t k = 0; k < places; ++k)
    if (static_cast<std::int64_t>(source.at({row, k})) == word) copied += in.weights.value().at({row, step, k});
  const double generated = word < vocabulary ? std::exp(in.logits.value().at({row, step, word})) / sum : 0;
  return g * generated + (1 - g) * copied;
}

}  // namespace

TEST_CASE("words are generated and copied, out of the vocabulary too") {
  Head head;
  const PointerGeneratorInput in = input();
  const auto out = head(in);
  CHECK(out.output.shape() == Shape{rows, steps, extended});
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t t = 0; t < steps; ++t) {
      double total = 0;
      for (std::int64_t word = 0; word < extended; ++word) {
        const double expected = plain(head, in, r, t, word);
        CHECK(std::abs(out.output.value().at({r, t, word}) - expected) < 1e-10);
        total += expected;
      }
      if (r == 0) CHECK(total == doctest::Approx(1));
    }
  }
  CHECK(out.output.value().at({1, 0, 6}) == 0);  // row 1 has no such word
}

TEST_CASE("logarithms of the distribution are exact where probabilities underflow") {
  Head head;
  PointerGeneratorInput in = input();
  const Tensor logs = head.log_probabilities(in).value();
  CHECK(logs.shape() == Shape{rows, steps, extended});
  CHECK(test::largest_difference(exp(Var(logs)).value(), head(in).output.value()) < 1e-14);
  CHECK(logs.at({1, 0, 6}) == -std::numeric_limits<double>::infinity());  // row 1 has no such word
  in.logits = in.logits * 1000;
  in.weights = in.weights * 0;
  const Tensor tiny = head.log_probabilities(in).value();
  CHECK(std::isfinite(tiny.at({0, 0, 4})));
  const double loss = head.loss(in, Tensor::full({rows, steps}, 4, i64), -100, LossReduction::none).value().at({0, 0});
  CHECK(tiny.at({0, 0, 4}) == doctest::Approx(-loss).epsilon(1e-12));
  CHECK(tiny.at({0, 0, 5}) == -std::numeric_limits<double>::infinity());
}

TEST_CASE("the loss is that of the mixed distribution") {
  Head head;
  const PointerGeneratorInput in = input();
  const Tensor each = head.loss(in, targets, -100, LossReduction::none).value();
  double total = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t t = 0; t < steps; ++t) {
      const auto target = static_cast<std::int64_t>(targets.at({r, t}));
      const double expected = target == -100 ? 0 : -std::log(plain(head, in, r, t, target));
      CHECK(std::abs(each.at({r, t}) - expected) < 1e-10);
      total += expected;
    }
  }
  CHECK(head.loss(in, targets, -100, LossReduction::sum).item() == doctest::Approx(total).epsilon(1e-12));
  CHECK(head.loss(in, targets).item() == doctest::Approx(total / 5).epsilon(1e-12));
  CHECK(head.loss(in, Tensor::full({rows, steps}, -100, i64)).item() == 0);
  // Neither in the vocabulary nor in row 1's source.
  CHECK(std::isinf(head.loss(in, Tensor::full({rows, steps}, 6, i64), -100, LossReduction::none).value().at({1, 0})));
}

TEST_CASE("any number can stand for targets that don't count") {
  Head head;
  for (const std::int64_t ignored : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    Tensor other = targets.clone();
    other.mutable_data<std::int64_t>()[rows * steps - 1] = ignored;
    CHECK(head.loss(input(), other, ignored).item() == head.loss(input(), targets).item());
  }
}

TEST_CASE("the loss is exact where probabilities underflow") {
  Head head;
  PointerGeneratorInput in = input();
  in.logits = in.logits * 1000;
  in.weights = in.weights * 0;
  const double loss = head.loss(in, Tensor::full({rows, steps}, 4, i64)).item();
  CHECK(std::isfinite(loss));
  CHECK(loss > 300);
}

TEST_CASE("gradients of the pointer-generator") {
  Head head;
  const auto f = [&](const std::vector<Var>& in) { return sum(square(head(input_of(in)).output)); };
  const auto loss = [&](const std::vector<Var>& in) { return head.loss(input_of(in), targets); };
  const std::vector<Tensor> all = values();
  gradcheck(f, all).require();
  gradgradcheck(f, all).require();
  gradcheck_parameters([&] { return f({all.begin(), all.end()}); }, head.parameters()).require();
  // Of the words that row 0 can say.
  const auto logs = [&](const std::vector<Var>& in) { return sum(square(select(head.log_probabilities(input_of(in)), 0, 0))); };
  gradcheck(logs, all).require();
  gradgradcheck(logs, all).require();
  gradcheck_parameters([&] { return logs({all.begin(), all.end()}); }, head.parameters()).require();
  // Logits, gate and weights of a softmax, as an attention gives them.
  const auto attended = [&](const std::vector<Var>& in) {
    std::vector<Var> inputs = in;
    inputs[4] = masked_softmax(in[4], Tensor::from<bool>({true, true, true, true, true, true, false, false}, {2, 1, 4}));
    return loss(inputs);
  };
  gradcheck(attended, all).require();
  gradgradcheck(attended, all).require();
  gradgradcheck_parameters([&] { return loss({all.begin(), all.end()}); }, head.parameters()).require();
}

TEST_CASE("logarithms of the distribution need memory by places, not by their pairs") {
  constexpr std::int64_t many = 3000;
  Head head;
  Tensor ids = Tensor::empty({1, many}, i64);
  for (std::int64_t i = 0; i < many; ++i) ids.mutable_data<std::int64_t>()[i] = i % 1000;
  const PointerGeneratorInput in{Tensor::ones({1, 1, 2}, f64),
                                 Tensor::ones({1, 1, 3}, f64),
                                 Tensor::ones({1, 1, 2}, f64),
                                 Tensor::zeros({1, 1, 1000}, f64),
                                 Tensor::full({1, 1, many}, 1.0 / many, f64),
                                 ids,
                                 1000};
  reset_peak_memory();
  const std::int64_t before = memory_statistics().total.current;
  const Tensor logs = head.log_probabilities(in).value();
  CHECK(memory_statistics().total.peak - before < 4'000'000);  // pairs would be 81 MB
  for (std::int64_t word = 0; word < 1000; ++word)
    CHECK(logs.at({0, 0, word}) == doctest::Approx(std::log(1e-3)).epsilon(1e-9));
}

TEST_CASE("what stands at ignored targets reaches neither the loss nor a gradient") {
  // -100 at one step; 0, which stands in the source too, at another.
  for (const std::int64_t ignored : {-100, 0}) {
    Head head;
    Tensor chosen = targets.clone();
    chosen.select(0, 1).slice(0, 2, 3).fill(static_cast<double>(ignored));
    const auto run = [&](double spoilt) {
      Tape tape;
      std::vector<Var> in;
      for (const Tensor& clean : values()) {
        Tensor x = clean.clone();
        x.select(0, 1).slice(0, 2, 3).fill(spoilt);
        in.push_back(tape.leaf(x));
      }
      const Var loss = head.loss(input_of(in), chosen, ignored);
      tape.backward(loss);
      std::vector<Tensor> result = {loss.value().clone(), head.gate.weight->grad().clone(), head.gate.bias->grad().clone()};
      for (const Var& x : in) {
        result.push_back(tape.grad(x).clone());
        CHECK(test::largest(result.back().select(0, 1).slice(0, 2, 3)) == 0);
      }
      head.zero_grad();
      return result;
    };
    const std::vector<Tensor> clean = run(0.25), dirty = run(std::numeric_limits<double>::quiet_NaN());
    REQUIRE(clean.size() == dirty.size());
    for (std::size_t i = 0; i < clean.size(); ++i) CHECK(test::largest_difference(clean[i], dirty[i]) == 0);
  }
}

TEST_CASE("a gate without the decoder's input") {
  PointerGenerator head({.context_dim = 2, .state_dim = 3});
  PointerGeneratorInput in = input();
  CHECK_THROWS_WITH_AS(head(in), doctest::Contains("input undefined, as input_dim is 0"), ValueError);
  in.input = {};
  head.to(f64);
  CHECK(head(in).generate.shape() == Shape{rows, steps});
}

TEST_CASE("what doesn't fit a pointer-generator is refused") {
  Head head;
  const auto refused = [&](const auto& change, const char* part) {
    PointerGeneratorInput in = input();
    change(in);
    CHECK_THROWS_WITH(head(in), doctest::Contains(part));
    CHECK_THROWS_WITH(head.log_probabilities(in), doctest::Contains(part));
    CHECK_THROWS_WITH(head.loss(in, targets), doctest::Contains(part));
  };
  refused([](auto& in) { in.weights = slice(in.weights, 1, 0, 2); },
          "[attention::PointerGenerator] logits f64[2, 3, 5] and weights f64[2, 2, 4] don't fit");
  refused([](auto& in) { in.context = in.state; }, "context f64[2, 3, 3] doesn't fit logits f64[2, 3, 5]: [rows, steps, 2]");
  refused([](auto& in) { in.source = in.source.slice(1, 0, 3); }, "source i64[2, 3] doesn't fit weights f64[2, 3, 4]");
  refused([](auto& in) { in.source = in.source.to(f64); }, "must be integers");
  refused([](auto& in) { in.source = {}; }, "the source is undefined");
  refused([](auto& in) { in.extended = 6; }, "id 6 at [0, 3] is outside the extended vocabulary, 0 to 5");
  refused([](auto& in) { in.extended = 4; }, "extended is 4, less than the vocabulary of logits f64[2, 3, 5]");
  refused([](auto& in) { in.logits = {}; }, "must be defined");
  refused([](auto& in) { in.weights = Var(in.weights.value().to(f32)); }, "differ in dtype");
  CHECK_THROWS_WITH_AS(head.loss(input(), Tensor::full({rows, steps}, 7, i64)), doctest::Contains("targets i64[2, 3]: id 7"),
                       IndexError);
  CHECK_THROWS_AS(head.loss(input(), Tensor::full({rows, steps}, -1, i64)), IndexError);
  CHECK_THROWS_AS(head.loss(input(), Tensor::zeros({rows, 2}, i64)), ShapeError);
  CHECK_THROWS_AS(PointerGenerator({.context_dim = 2}), ValueError);
}
