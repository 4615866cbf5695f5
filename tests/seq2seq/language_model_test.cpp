#include "weft/seq2seq/language_model.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/loss.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

constexpr LanguageModelKind kinds[] = {LanguageModelKind::lstm, LanguageModelKind::gru, LanguageModelKind::transformer};

LanguageModelOptions small(LanguageModelKind kind, bool tied = true) {
  return {
      .kind = kind, .vocabulary = 7, .width = 8, .layers = 2, .heads = 2, .feed_forward = 12, .dropout = 0, .tie_output = tied};
}

/// Of every kind, a Transformer with every mixing of places.
std::vector<LanguageModelOptions> all_kinds() {
  std::vector<LanguageModelOptions> all = {small(LanguageModelKind::lstm), small(LanguageModelKind::gru)};
  for (std::size_t i = 0; i < nn::mixing_names.size(); ++i) {
    all.push_back(small(LanguageModelKind::transformer));
    all.back().mixing = static_cast<nn::Mixing>(i);
    all.back().kernel_size = 3;
    all.back().reach = 2;
  }
  return all;
}

std::vector<std::int32_t> counted(std::int64_t size) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * i % 7);
  return ids;
}

// log p(next) under logits [1, steps, vocabulary], in double.
double log_chance(const Tensor& logits, std::int64_t step, std::int32_t next) {
  const std::int64_t size = logits.size(2);
  double sum = 0;
  for (std::int64_t v = 0; v < size; ++v) sum += std::exp(logits.at({0, step, v}));
  return logits.at({0, step, next}) - std::log(sum);
}

}  // namespace

TEST_CASE("windows of a text stand next to each other and miss nothing") {
  const std::vector<std::int32_t> ids = counted(24);
  const TextWindows text(ids, 3, 4, 1);
  CHECK(text.length == 7);
  CHECK(text.count() == 2);
  for (std::int64_t i = 0; i < text.count(); ++i) {
    const Tensor inputs = text.inputs(i), targets = text.targets(i);
    CHECK(inputs.shape() == Shape{3, i == 0 ? 4 : 3});
    for (std::int64_t row = 0; row < 3; ++row)
      for (std::int64_t t = 0; t < inputs.size(1); ++t) {
        const std::size_t place = static_cast<std::size_t>(1 + row * 7 + i * 4 + t);
        CHECK(inputs.at({row, t}) == ids[place]);
        CHECK(targets.at({row, t}) == ids[place + 1]);
      }
  }
  CHECK_THROWS_AS(text.inputs(2), IndexError);
  CHECK_THROWS_AS(text.targets(-1), IndexError);
  CHECK(TextWindows(ids, 23, 4).length == 1);
  CHECK_THROWS_AS(TextWindows(ids, 24, 4), ValueError);
  for (const LanguageModelKind kind : {LanguageModelKind::lstm, LanguageModelKind::gru}) {
    CHECK_THROWS_AS(LanguageModel({.kind = kind, .vocabulary = 5, .width = 4, .mixing = nn::Mixing::linear}), ValueError);
    CHECK_THROWS_AS(LanguageModel({.kind = kind, .vocabulary = 5, .width = 4, .normaliser = nn::Normaliser::sparsemax}),
                    ValueError);
  }
  CHECK_THROWS_AS(TextWindows(ids, 3, 0), ValueError);
  CHECK_THROWS_AS(TextWindows(ids, 0, 4), ValueError);
  CHECK_THROWS_AS(TextWindows(ids, 3, 4, 21), ValueError);
}

TEST_CASE("a model sees nothing of what comes later") {
  for (const LanguageModelOptions& options : all_kinds()) {
    CAPTURE(to_json(options));
    LanguageModel model(options);
    const std::vector<std::int32_t> ids = counted(6);
    std::vector<std::int32_t> other = ids;
    other[4] = (other[4] + 1) % 7;
    const Tensor a = model(Tensor::from<std::int32_t>(ids, {1, 6})).value();
    const Tensor b = model(Tensor::from<std::int32_t>(other, {1, 6})).value();
    for (std::int64_t t = 0; t < 6; ++t) {
      double difference = 0;
      for (std::int64_t v = 0; v < 7; ++v) difference += std::abs(a.at({0, t, v}) - b.at({0, t, v}));
      if (t <= 4) CHECK((difference == 0) == (t < 4));  // sparse mixings don't see every place before
    }
  }
}

TEST_CASE("of a token that isn't there the vector is zeros") {
  for (const LanguageModelOptions& options : all_kinds()) {
    CAPTURE(to_json(options));
    LanguageModel model(options);
    model.eval();
    model.to(f64);
    const NoGrad nothing_recorded;
    const Tensor ids = Tensor::from<std::int32_t>({3, 1, 4, 1, 5, 2}, {1, 6});
    Tensor presence = Tensor::ones({1, 6}, f64);
    CHECK(test::largest_difference(model(ids, presence).value(), model(ids).value()) == 0);
    presence.slice(1, 2, 3).fill(0);
    const Tensor found = model(ids, presence).value();
    CHECK(test::largest_difference(found.slice(1, 0, 2), model(ids).value().slice(1, 0, 2)) == 0);
    CHECK(test::largest_difference(found.slice(1, 2, 6), model(ids).value().slice(1, 2, 6)) > 0);
    // The same as another token in its place with such a vector; the output layer isn't the embedding then.
    LanguageModelOptions untied = options;
    untied.tie_output = false;
    LanguageModel other(untied);
    other.eval();
    other.to(f64);
    other.parameters().front()->mutable_value().select(0, 4).fill(0);
    CHECK(test::largest_difference(other(ids, presence).value(), other(ids).value()) == 0);
    CHECK_THROWS_WITH_AS(model(ids, Tensor::ones({6}, f64)), doctest::Contains("presence f64[6] is not one number for each"),
                         ShapeError);
  }
}

TEST_CASE("gradients hold to second order, tied and not") {
  for (const LanguageModelKind kind : kinds)
    for (const bool tied : {true, false}) {
      LanguageModel model(small(kind, tied));
      model.to(f64);
      const std::vector<std::int32_t> ids = counted(11);
      const Tensor inputs = Tensor::from<std::int32_t>(std::span(ids).first(10), {2, 5});
      const Tensor targets = Tensor::from<std::int32_t>(std::span(ids).last(10), {2, 5});
      const auto loss = [&] { return cross_entropy(model(inputs), targets); };
      gradcheck_parameters(loss, model.parameters(), {.elements = test::elements(20)}).require();
      gradgradcheck_parameters(loss, model.parameters()).require();
    }
}

TEST_CASE("an LSTM's loss is that of the whole text, whatever the windows") {
  LanguageModel model(small(LanguageModelKind::lstm));
  model.eval();
  const NoGrad nothing_recorded;
  const std::vector<std::int32_t> ids = counted(23);
  const Tensor logits = model(Tensor::from<std::int32_t>(ids, {1, 23})).value();
  double expected = 0;
  for (std::int64_t t = 0; t + 1 < 23; ++t) expected -= log_chance(logits, t, ids[static_cast<std::size_t>(t + 1)]) / 22;
  for (const std::int64_t window : {1, 5, 22, 100})
    CHECK(language_model_loss(model, ids, 1, window) == doctest::Approx(expected).epsilon(1e-5));
  CHECK_THROWS_AS(language_model_loss(model, ids, 23, 5), ValueError);
}

TEST_CASE("a Transformer's loss is that of its windows") {
  LanguageModel model(small(LanguageModelKind::transformer));
  model.eval();
  const NoGrad nothing_recorded;
  const std::vector<std::int32_t> ids = counted(13);
  double expected = 0;
  for (std::size_t first = 0; first < 12; first += 5) {
    const auto steps = std::min<std::int64_t>(5, 12 - static_cast<std::int64_t>(first));
    const auto part = std::span<const std::int32_t>(ids).subspan(first, static_cast<std::size_t>(steps));
    const Tensor logits = model(Tensor::from<std::int32_t>(part, {1, steps})).value();
    for (std::int64_t t = 0; t < steps; ++t)
      expected -= log_chance(logits, t, ids[first + static_cast<std::size_t>(t) + 1]) / 12;
  }
  CHECK(language_model_loss(model, ids, 1, 5) == doctest::Approx(expected).epsilon(1e-5));
}

TEST_CASE("each token's loss is its part of the whole text's") {
  for (const LanguageModelKind kind : kinds) {
    LanguageModel model(small(kind));
    model.eval();
    const std::vector<std::int32_t> ids = counted(13);
    const std::vector<double> losses = token_losses(model, ids);
    REQUIRE(losses.size() == 12);
    CHECK(std::accumulate(losses.begin(), losses.end(), 0.0) / 12 ==
          doctest::Approx(language_model_loss(model, ids, 1, 12)).epsilon(1e-6));
    // What comes later changes nothing before it.
    const std::vector<double> first = token_losses(model, std::span(ids).first(5));
    for (std::size_t i = 0; i < 4; ++i) CHECK(first[i] == doctest::Approx(losses[i]).epsilon(1e-5));
    CHECK(token_losses(model, std::span(ids).first(1)).empty());
    CHECK_THROWS_WITH_AS(token_losses(model, {}), doctest::Contains("the text is empty"), ValueError);
  }
}

TEST_CASE("tokens one by one get what they get all at once") {
  for (const LanguageModelOptions& options : all_kinds()) {
    CAPTURE(to_json(options));
    LanguageModel model(options);
    model.eval();
    model.to(f64);
    const NoGrad nothing_recorded;
    const std::vector<std::int32_t> ids = counted(12);
    const Tensor all = Tensor::from<std::int32_t>(ids, {2, 6}), whole = model(all).value();
    LanguageModelState state;
    for (std::int64_t t = 0; t < 6; t += t == 0 ? 2 : 1) {
      const std::int64_t end = t == 0 ? 2 : t + 1;
      const Tensor part = model.step(all.slice(1, t, end).contiguous(), state).value();
      CHECK(test::largest_difference(part, whole.slice(1, t, end)) <= 1e-12);
    }
  }
}

TEST_CASE("a Transformer that has seen a window begins anew with its later half") {
  LanguageModel model(small(LanguageModelKind::transformer));
  model.eval();
  Generator generator(1);
  std::vector<std::int32_t> text = {1, 2, 4, 3, 5};
  const auto written = continuation(model, text, generator, {.length = 8, .filter = {.top_k = 1}, .window = 4});
  const NoGrad nothing_recorded;
  std::size_t first = 3;  // of five tokens, the last two
  for (const std::int32_t token : written) {
    if (text.size() - first > 4) first = text.size() - 2;
    const auto seen = std::span<const std::int32_t>(text).subspan(first);
    const auto steps = static_cast<std::int64_t>(seen.size());
    const Tensor logits = model(Tensor::from<std::int32_t>(seen, {1, steps})).value().select(1, steps - 1);
    for (std::int32_t v = 0; v < 7; ++v) CHECK(logits.at({0, v}) <= logits.at({0, token}) + 1e-5);
    text.push_back(token);
  }
  CHECK(continuation(model, text, generator, {.length = 3, .window = 1}).size() == 3);
}

TEST_CASE("the likeliest tokens are those of reading everything anew") {
  for (const LanguageModelKind kind : kinds) {
    LanguageModel model(small(kind));
    model.eval();
    Generator generator(1);
    std::vector<std::int32_t> text = {1, 2, 4};
    const auto written = continuation(model, text, generator, {.length = 9, .filter = {.top_k = 1}});
    CHECK(written.size() == 9);
    const NoGrad nothing_recorded;
    for (const std::int32_t token : written) {
      const auto steps = static_cast<std::int64_t>(text.size());
      const Tensor logits = model(Tensor::from<std::int32_t>(text, {1, steps})).value();
      double best = -1e30;
      std::int32_t likeliest = 0;
      for (std::int32_t v = 0; v < 7; ++v)
        if (logits.at({0, steps - 1, v}) > best) {
          best = logits.at({0, steps - 1, v});
          likeliest = v;
        }
      CHECK(token == likeliest);
      text.push_back(token);
    }
  }
}

TEST_CASE("draws follow the softmax, and top_k leaves the rest out") {
  LanguageModel model(small(LanguageModelKind::lstm));
  model.eval();
  const std::vector<std::int32_t> prompt = {3};
  const NoGrad nothing_recorded;
  const Tensor logits = model(Tensor::from<std::int32_t>(prompt, {1, 1})).value();
  Generator generator(5);
  constexpr int draws = 4000;
  std::vector<int> seen(7), seen_2(7);
  for (int i = 0; i < draws; ++i) {
    ++seen[static_cast<std::size_t>(continuation(model, prompt, generator, {.length = 1})[0])];
    ++seen_2[static_cast<std::size_t>(continuation(model, prompt, generator, {.length = 1, .filter = {.top_k = 2}})[0])];
  }
  for (std::int32_t v = 0; v < 7; ++v)
    CHECK(seen[static_cast<std::size_t>(v)] / static_cast<double>(draws) ==
          doctest::Approx(std::exp(log_chance(logits, 0, v))).epsilon(0.2));
  CHECK(std::count(seen_2.begin(), seen_2.end(), 0) == 5);
}

TEST_CASE("a model in f64 is sampled, and one that isn't finite is an error") {
  for (const LanguageModelKind kind : kinds) {
    LanguageModel model(small(kind));
    model.eval();
    Generator generator(1);
    const std::vector<std::int32_t> prompt = {1, 2};
    const auto written = continuation(model, prompt, generator, {.length = 5, .filter = {.top_k = 1}});
    model.to(f64);
    CHECK(continuation(model, prompt, generator, {.length = 5, .filter = {.top_k = 1}}) == written);
    model.parameters()[0]->mutable_value().fill(std::nan(""));
    CHECK_THROWS_AS(continuation(model, prompt, generator), NumericError);
  }
}

TEST_CASE("options go through JSON, and bad ones are refused") {
  for (const LanguageModelKind kind : kinds) {
    const LanguageModelOptions back = language_model_options_of(to_json(small(kind, false)), "file");
    CHECK(to_json(back) == to_json(small(kind, false)));
  }
  for (LanguageModelOptions options : all_kinds()) {
    if (options.mixing == nn::Mixing::attention) options.normaliser = nn::Normaliser::entmax15;
    CHECK(to_json(language_model_options_of(to_json(options), "file")) == to_json(options));
  }
  CHECK(to_json(small(LanguageModelKind::transformer)).find("mixing") == std::string::npos);  // as older runs have it
  std::string unknown = to_json(all_kinds().back());
  unknown.replace(unknown.find("window"), 6, "doors");
  CHECK_THROWS_WITH_AS(language_model_options_of(unknown, "file"), doctest::Contains("file: "), FormatError);
  CHECK_THROWS_AS(language_model_options_of("{}", "file"), FormatError);
  CHECK_THROWS_AS(language_model_options_of("no json", "file"), FormatError);
  CHECK_THROWS_AS(language_model_options_of(R"({"model": "rnn"})", "file"), FormatError);
  LanguageModelOptions bad = small(LanguageModelKind::transformer);
  bad.heads = 3;
  CHECK_THROWS_AS(LanguageModel{bad}, ValueError);
  bad = small(LanguageModelKind::lstm);
  bad.vocabulary = 0;
  CHECK_THROWS_AS(LanguageModel{bad}, ValueError);
  LanguageModel model(small(LanguageModelKind::lstm));
  CHECK_THROWS_AS(model(Tensor::from<std::int32_t>({1, 2}, {2})), ShapeError);
  CHECK_THROWS_AS(model(Tensor::from<std::int32_t>({7}, {1, 1})), IndexError);
  Generator generator(1);
  const std::vector<std::int32_t> nothing, one = {1};
  CHECK_THROWS_AS(continuation(model, nothing, generator), ValueError);
  CHECK_THROWS_AS(continuation(model, one, generator, {.filter = {.temperature = 0}}), ValueError);
  CHECK_THROWS_AS(continuation(model, one, generator, {.filter = {.top_k = -1}}), ValueError);
  CHECK_THROWS_AS(continuation(model, one, generator, {.length = -1}), ValueError);
  CHECK_THROWS_AS(continuation(model, one, generator, {.window = 0}), ValueError);
  CHECK(continuation(model, one, generator, {.length = 0}).empty());
}
