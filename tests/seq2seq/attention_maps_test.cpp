#include "weft/seq2seq/attention_maps.hpp"

#include <doctest/doctest.h>

#include <string>

#include "golden/golden.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/report/report.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

Vocabularies vocabularies() {
  const std::vector<std::string> lines = {"the dog sees the cat .", "a cat hears the old bird .",
                                          "the small bird finds a tree ."};
  const auto shared = text::SentencePiece::train(lines, {.vocab_size = 35});
  return {shared, shared};
}

TransformerOptions small_transformer(const Vocabularies& v) {
  return {.source_vocabulary = v.source.size(),
          .target_vocabulary = v.target.size(),
          .width = 8,
          .heads = 2,
          .feed_forward = 12,
          .encoder_layers = 3,
          .decoder_layers = 2,
          .dropout = 0.5};
}

/// Rows of tables that begin with a cell.
int rows_of(const report::Report& page, const std::string& first) {
  const std::string html = page.html(), begin = "<tr><td>" + first + "</td>";
  int rows = 0;
  for (std::size_t at = html.find(begin); at != std::string::npos; at = html.find(begin, at + 1)) ++rows;
  return rows;
}

}  // namespace

TEST_CASE("of a Transformer every layer and head is there, their rollout and entropies, and what its steps saw") {
  const Vocabularies v = vocabularies();
  Translator translator(small_transformer(v), v, 7);
  translator.model().eval();
  const std::string line = "the cat sees a tree";
  // With 4 tokens at most no end is reached; with many it may be: both label every row.
  for (const std::int64_t longest : {4, 0}) {
    const TranslateOptions options{.search = {.beam = 2, .max_length = longest, .attention = true}};
    const auto translation = translator.translate(std::span(&line, 1), options).front();
    report::HeadEntropies entropies;
    const auto maps = attention_maps(translator, line, options, &entropies);
    REQUIRE(maps.size() == 4);
    const auto source = static_cast<std::int64_t>(translation.source_ids.size()),
               target = static_cast<std::int64_t>(translation.target_ids.size()) + 1;
    CHECK(maps[0].weights.shape() == Shape{2, 2, target, source});
    CHECK(maps[1].weights.shape() == Shape{3, 2, source, source});
    CHECK(maps[2].weights.shape() == Shape{source, source});
    CHECK(test::relative_error(maps[2].weights, report::rollout(maps[1], "").weights) == 0);
    CHECK(maps[3].weights.shape() == Shape{2, 2, target, target});
    CHECK(maps[0].rows.back() == "(end)");
    CHECK(maps[3].columns.front() == "(begin)");
    CHECK(maps[0].columns == translation.source_words);
    // The search saw the last layer's mean.
    const Tensor last = mean(Var(maps[0].weights.select(0, 1)), {0}).value();
    const std::int64_t seen = translation.attention.size(0);
    CHECK(test::relative_error(last.slice(0, 0, seen), translation.attention) < 1e-5);
    report::Report page("p");
    for (const auto& map : maps) page.attention(map);
    entropies.draw(page);
    CHECK(rows_of(page, "the translation to the source") == 2);
    CHECK(rows_of(page, "the source to itself") == 3);
    CHECK(rows_of(page, "the translation to itself") == 2);
  }
}

TEST_CASE("a page can be made of every kind of model") {
  const Vocabularies v = vocabularies();
  const auto maps_of = [&](const ModelOptions& options) {
    Translator translator(options, v, 7);
    const auto maps = attention_maps(translator, "the cat sees", {.search = {.beam = 2, .max_length = 5}});
    report::Report page("p");
    for (const auto& map : maps) page.attention(map);
    return maps.size();
  };
  for (const char* name : attention_names) {
    INFO(name);
    EncoderDecoderOptions options{
        .source_vocabulary = v.source.size(), .target_vocabulary = v.target.size(), .embedding = 6, .hidden = 8};
    options.attention = attention_kind(name);
    options.heads = 2;
    CHECK(maps_of(options) == (options.attention == AttentionKind::none ? 0 : 1));
  }
  for (std::size_t i = 0; i < nn::mixing_names.size(); ++i) {
    INFO(nn::mixing_names[i]);
    TransformerOptions options = small_transformer(v);
    options.mixing = static_cast<nn::Mixing>(i);
    // Kernels and sums have no weights to show.
    const bool weighs =
        options.mixing != nn::Mixing::light && options.mixing != nn::Mixing::dynamic && options.mixing != nn::Mixing::linear;
    CHECK(maps_of(options) == (weighs ? 4 : 1));  // with a rollout
  }
}

TEST_CASE("of an LSTM whose attention has heads each of them is there, step by step") {
  const Vocabularies v = vocabularies();
  Translator translator(EncoderDecoderOptions{.source_vocabulary = v.source.size(),
                                              .target_vocabulary = v.target.size(),
                                              .embedding = 6,
                                              .hidden = 8,
                                              .attention = AttentionKind::multi_head,
                                              .heads = 2},
                        v, 7);
  const std::string line = "the cat sees";
  const TranslateOptions options{.search = {.beam = 2, .max_length = 4, .attention = true}};
  const auto translation = translator.translate(std::span(&line, 1), options).front();
  report::HeadEntropies entropies;
  const auto maps = attention_maps(translator, line, options, &entropies);
  REQUIRE(maps.size() == 1);
  CHECK(maps[0].weights.shape() == Shape{1, 2, static_cast<std::int64_t>(translation.target_ids.size()) + 1,
                                         static_cast<std::int64_t>(translation.source_ids.size())});
  CHECK(maps[0].rows.back() == "(end)");
  const Tensor averaged = mean(Var(maps[0].weights.select(0, 0)), {0}).value();
  CHECK(test::relative_error(averaged.slice(0, 0, translation.attention.size(0)), translation.attention) < 1e-5);
  report::Report page("p");
  page.attention(maps[0]);
  entropies.draw(page);
  CHECK(rows_of(page, "the translation to the source") == 1);
}

TEST_CASE("of an LSTM its attention to the source; of a blank line nothing") {
  const Vocabularies v = vocabularies();
  Translator translator(
      EncoderDecoderOptions{
          .source_vocabulary = v.source.size(), .target_vocabulary = v.target.size(), .embedding = 6, .hidden = 8},
      v, 7);
  translator.model().train();
  report::HeadEntropies entropies;
  const auto maps = attention_maps(translator, "the cat", {.search = {.beam = 2, .max_length = 5}}, &entropies);
  REQUIRE(maps.size() == 1);
  report::Report page("p");
  entropies.draw(page);  // there are no layers of heads
  CHECK(page.html().find("<table>") == std::string::npos);
  CHECK(maps[0].weights.rank() == 2);
  report::Report("p").attention(maps[0]);
  CHECK(translator.model().training());  // as it was
  CHECK(attention_maps(translator, " ").empty());
}
