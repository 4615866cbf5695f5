#include "weft/seq2seq/word_reader.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/linear.hpp"
#include "weft/optim/adam.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

text::Symbols letters() { return text::Symbols::of("aab\xC3\xA9", text::SymbolUnit::characters); }

WordReaderOptions small() { return {.height = 5, .width = 4, .channels = 2, .embedding = 4, .hidden = 6, .dropout = 0}; }

std::vector<Tensor> images() {
  return {test::uniform({3, 5, 4}, 0, 1, 1), test::uniform({1, 5, 4}, 0, 1, 2), test::uniform({2, 5, 4}, 0, 1, 3)};
}

Batch batch_of(const std::vector<Tensor>& rows, const std::vector<TokenIds>& target) {
  std::vector<const TokenIds*> ids;
  for (const TokenIds& row : target) ids.push_back(&row);
  return make_batch(pad_features(rows), ids);
}

}  // namespace

TEST_CASE("gradients of every parameter of a word reader are right") {
  for (const nn::RecurrentKind kind : {nn::RecurrentKind::lstm, nn::RecurrentKind::gru}) {
    CAPTURE(nn::name_of(kind));
    WordReaderOptions options = small();
    options.recurrent = kind;
    WordReader reader(options, letters());
    reader.to(f64);
    CHECK(reader.options().recurrent == kind);
    const Batch batch = batch_of(images(), {{4, 5, 6}, {4}, {6, 5}});
    const auto report =
        gradcheck_parameters([&] { return reader.loss(batch, 0.1); }, reader.parameters(), {.elements = test::elements(30)});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > test::elements(200));
  }
}

TEST_CASE("a word gives what it gives alone, whatever stands behind it") {
  WordReader reader(small(), letters());
  reader.to(f64);
  const std::vector<TokenIds> target = {{4, 5, 6}, {4}, {6, 5}};
  Batch batch = batch_of(images(), target);
  batch.source.features.select(0, 1).slice(0, 1, 3).fill(std::nan(""));
  const Var together = reader(batch);
  for (std::size_t r = 0; r < target.size(); ++r) {
    const Var alone = reader(batch_of({images()[r]}, {target[r]}));
    const auto row = static_cast<std::int64_t>(r);
    CHECK(test::largest_difference(together.value().slice(0, row, row + 1).slice(1, 0, alone.size(1)), alone.value()) <= 1e-12);
  }
}

namespace {

// relu of a padded convolution of 3 by 3, then the largest of each 2 by 2, by their definitions: [channels, height, width].
Tensor layer(const Tensor& x, const Tensor& kernel, const Tensor& bias) {
  const std::int64_t height = x.size(1), width = x.size(2);
  Tensor y = Tensor::zeros({kernel.size(0), height / 2, width / 2}, f64);
  double* out = y.mutable_data<double>();
  const auto at = [&](std::int64_t channel, std::int64_t row, std::int64_t column) {
    double sum = bias.at({channel});
    for (std::int64_t in = 0; in < x.size(0); ++in)
      for (std::int64_t i = 0; i < 3; ++i)
        for (std::int64_t j = 0; j < 3; ++j) {
          const std::int64_t r = row + i - 1, c = column + j - 1;
          if (r >= 0 && r < height && c >= 0 && c < width) sum += kernel.at({channel, in, i, j}) * x.at({in, r, c});
        }
    return std::max(sum, 0.0);
  };
  for (std::int64_t channel = 0; channel < y.size(0); ++channel)
    for (std::int64_t row = 0; row < y.size(1); ++row)
      for (std::int64_t column = 0; column < y.size(2); ++column)
        *out++ = std::max({at(channel, 2 * row, 2 * column), at(channel, 2 * row, 2 * column + 1),
                           at(channel, 2 * row + 1, 2 * column), at(channel, 2 * row + 1, 2 * column + 1)});
  return y;
}

}  // namespace

TEST_CASE("images are embedded by two convolutions, poolings and a linear layer") {
  // What the encoder sees: a reader whose embedding is made by hand encodes the same.
  WordReader reader({.height = 6, .width = 9, .channels = 2, .embedding = 3, .hidden = 4, .dropout = 0}, letters());
  reader.to(f64);
  const Tensor image = test::uniform({1, 6, 9}, 0, 1, 4);
  Var seen;
  for (nn::ModuleBase* module : reader.modules())
    if (std::string(module->path()) == "image_embedding")
      module->on_output([&](const nn::ModuleBase&, const Var& output) {
        seen = output;
        return Var();
      });
  const std::vector<Tensor> rows = {image};
  reader.encode(pad_features(rows));
  Tensor weights[6];
  const char* names[] = {"first.weight",           "first.bias",          "second.weight", "second.bias",
                         "image_embedding.weight", "image_embedding.bias"};
  for (const auto& [name, parameter] : reader.named_parameters())
    for (std::size_t i = 0; i < 6; ++i)
      if (name == names[i]) weights[i] = parameter->value();
  const Tensor pooled = layer(layer(image, weights[0], weights[1]), weights[2], weights[3]);
  REQUIRE(pooled.shape() == Shape{4, 1, 2});
  REQUIRE(seen.defined());
  CHECK(seen.shape() == Shape{1, 3});
  for (std::int64_t k = 0; k < 3; ++k) {
    double sum = weights[5].at({k});
    for (std::int64_t i = 0; i < 8; ++i) sum += weights[4].at({k, i}) * pooled.data<double>()[i];
    CHECK(seen.value().at({0, k}) == doctest::Approx(sum).epsilon(1e-12));
  }
}

TEST_CASE("a reader learns three words and reads them, one by one and with beams") {
  WordReader reader({.height = 8, .width = 8, .channels = 4, .embedding = 12, .hidden = 24, .dropout = 0}, letters());
  const std::vector<std::string> words = {"ab", "\xC3\xA9", "b\uFFFD\xC3\xA9"};  // the unknown letter is one letter
  std::vector<Tensor> rows;
  std::vector<TokenIds> target;
  for (const std::string& word : words) {
    target.push_back(reader.encode_text(word));
    CHECK(reader.decode_text(target.back()) == word);
    rows.push_back(test::uniform({static_cast<std::int64_t>(target.back().size()), 8, 8}, 0, 1, 10 + rows.size(), f32));
  }
  optim::Adam optimizer(reader.parameters(), {.lr = 0.01});
  const Batch batch = batch_of(rows, target);
  for (int step = 0; step < 80; ++step) {
    Tape tape;
    tape.backward(reader.loss(batch));
    optimizer.step();
  }
  reader.eval();
  for (const std::int64_t beam : {1, 3}) {
    const auto readings = reader.transcribe(rows, {.beam = beam, .attention = true});
    REQUIRE(readings.size() == 3);
    for (std::size_t i = 0; i < words.size(); ++i) {
      CHECK(readings[i].text == words[i]);
      CHECK(readings[i].ids == target[i]);
      CHECK(readings[i].log_probability < 0);
      CHECK(readings[i].attention.shape() == Shape{static_cast<std::int64_t>(target[i].size()) + 1, rows[i].size(0)});
    }
  }
  CHECK(reader.transcribe({}).empty());
}

TEST_CASE("letters have numbers behind the special ones; one that isn't known has unknown_id") {
  const WordReader reader(small(), letters());
  CHECK(reader.target_vocabulary() == 7);
  CHECK(reader.encode_text("a\xC3\xA9xb") == TokenIds{4, 6, unknown_id, 5});
  CHECK(reader.decode_text(TokenIds{5, 4}) == "ba");
  CHECK(reader.decode_text(TokenIds{5, unknown_id, 4}) == "b\uFFFDa");
}

TEST_CASE("a word reader's options go to JSON and back") {
  WordReaderOptions options = small();
  options.attention = AttentionKind::dot;
  options.dropout = 0.25;
  const std::string json = to_json(options);
  CHECK(json == R"({"height":5,"width":4,"channels":2,"embedding":4,"hidden":6,"attention":"dot","dropout":0.25})");
  CHECK(to_json(word_reader_options_of(json, "here")) == json);
  CHECK_THROWS_WITH_AS(word_reader_options_of("{}", "here"),
                       doctest::Contains("[WordReader] here: its metadata don't describe a reader of words ("), FormatError);
  options.recurrent = nn::RecurrentKind::gru;
  CHECK(word_reader_options_of(to_json(options), "here").recurrent == nn::RecurrentKind::gru);
  options.attention = AttentionKind::multi_head;
  options.heads = 3;
  options.window = 2;
  options.normaliser = nn::Normaliser::entmax15;
  const WordReaderOptions back = word_reader_options_of(to_json(options), "here");
  CHECK(to_json(back) == to_json(options));
  CHECK(back.heads == 3);
  CHECK(back.window == 2);
  CHECK(back.normaliser == nn::Normaliser::entmax15);
  const WordReader reader(options, letters());
  CHECK(reader.options().heads == 3);
  CHECK(reader.options().window == 2);
  CHECK(reader.options().normaliser == nn::Normaliser::entmax15);
  options.heads = 4;
  CHECK_THROWS_WITH_AS(WordReader(options, letters()), doctest::Contains("query_dim is 6 and heads 4"), ValueError);
  std::string wrong = json;
  CHECK_THROWS_WITH_AS(word_reader_options_of(wrong.replace(wrong.find("\"dot"), 4, "\"dit"), "here"),
                       doctest::Contains("[WordReader] here: [attention_kind] 'dit'"), FormatError);
}

TEST_CASE("what a word reader can't do is refused") {
  CHECK_THROWS_WITH_AS(WordReader({.height = 3}, letters()),
                       "[WordReader] images of 3 by 8 pixels, 16 channels; 4 pixels a side and one channel are needed",
                       ValueError);
  CHECK_THROWS_WITH_AS(WordReader({}, text::Symbols::of("a b", text::SymbolUnit::words)),
                       "[WordReader] its symbols are words; it writes characters", ValueError);
  WordReader reader(small(), letters());
  const std::vector<Tensor> wide = {test::uniform({2, 5, 5}, 0, 1, 1, f32)};
  CHECK_THROWS_WITH_AS(reader.transcribe(wide),
                       "[WordReader] images f32[1, 2, 5, 5] are not [rows, columns, 5, 4] with one row and column at least",
                       ShapeError);
  const std::vector<Tensor> none = {Tensor::zeros({0, 5, 4})};
  CHECK_THROWS_WITH_AS(reader.transcribe(none), "[pad_features] row 0 has no steps", ValueError);
}
