#include "weft/seq2seq/translator.hpp"

#include <doctest/doctest.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/base/file.hpp"

using namespace weft;
using namespace weft::seq2seq;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string>& english() {
  static const std::vector<std::string> lines = {"the dog sees the cat .", "a cat hears the old bird .",
                                                 "the small bird finds a tree .", "the old dog likes the red tree ."};
  return lines;
}

const std::vector<std::string>& french() {
  static const std::vector<std::string> lines = {"le chien voit le chat .", "un chat entend le vieil oiseau .",
                                                 "le petit oiseau trouve un arbre .", "le vieux chien aime l'arbre rouge ."};
  return lines;
}

text::SentencePiece vocabulary_of(const std::vector<std::string>& lines) {
  return text::SentencePiece::train(lines, {.vocab_size = 40});
}

Vocabularies vocabularies() { return {vocabulary_of(english()), vocabulary_of(french())}; }

EncoderDecoderOptions options_for(const Vocabularies& v) {
  return {
      .source_vocabulary = v.source.size(), .target_vocabulary = v.target.size(), .embedding = 6, .hidden = 8, .dropout = 0.1};
}

TransformerOptions transformer_for(const Vocabularies& v) {
  return {.source_vocabulary = v.source.size(),
          .target_vocabulary = v.target.size(),
          .width = 8,
          .heads = 2,
          .feed_forward = 12,
          .encoder_layers = 1,
          .decoder_layers = 2,
          .norm_first = false,
          .dropout = 0.2};
}

std::vector<ModelOptions> kinds() { return {options_for(vocabularies()), transformer_for(vocabularies())}; }

/// A trained translator's folder, as a training run leaves it.
void save(Translator& translator, const fs::path& folder) {
  save_vocabularies(translator.vocabularies(), folder);
  nn::save(translator.model(), folder / "best.safetensors", translator.metadata());
}

/// A model whose special pieces have the given ids; -1 for none.
text::SentencePiece model_with_ids(int pad, int unk, int bos, int eos) {
  class Lines : public sentencepiece::SentenceIterator {
   public:
    bool done() const override { return at_ == english().size(); }
    void Next() override { ++at_; }
    const std::string& value() const override { return english()[at_]; }
    sentencepiece::util::Status status() const override { return {}; }

   private:
    std::size_t at_ = 0;
  } lines;
  std::string bytes;
  const auto status = sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                                  {"vocab_size", "40"},
                                                                  {"hard_vocab_limit", "false"},
                                                                  {"pad_id", std::to_string(pad)},
                                                                  {"unk_id", std::to_string(unk)},
                                                                  {"bos_id", std::to_string(bos)},
                                                                  {"eos_id", std::to_string(eos)},
                                                                  {"minloglevel", "2"}},
                                                                 &lines, &bytes);
  REQUIRE(status.ok());
  return text::SentencePiece::from_bytes(bytes, "test");
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a translator comes back from its folder with the same translations") {
  std::vector<ModelOptions> all = kinds();
  for (const char* attention : attention_names) {
    EncoderDecoderOptions lstm = options_for(vocabularies());
    lstm.attention = attention_kind(attention);
    all.emplace_back(lstm);
  }
  for (const ModelOptions& kind : all) {
    const test::TemporaryFolder folder;
    Translator translator(kind, vocabularies(), 7);
    translator.model().eval();
    save(translator, folder.path());
    const auto loaded = Translator::load(folder.path());
    CHECK(loaded->metadata() == translator.metadata());
    const auto before = translator.translate(english(), {.search = {.beam = 2, .max_length = 6}});
    const auto after = loaded->translate(english(), {.search = {.beam = 2, .max_length = 6}});
    for (std::size_t i = 0; i < before.size(); ++i) {
      CHECK(before[i].text == after[i].text);
      CHECK(before[i].score == after[i].score);
    }
  }
}

TEST_CASE("translations keep the order of lines, whatever the batch; a blank line stays blank") {
  for (const ModelOptions& kind : kinds()) {
    Translator translator(kind, vocabularies());
    translator.model().eval();
    std::vector<std::string> lines = english();
    lines.insert(lines.begin() + 1, "");
    lines.emplace_back("  ");
    const TranslateOptions options{.search = {.beam = 2, .max_length = 5, .attention = true}};
    const auto whole = translator.translate(lines, options);
    REQUIRE(whole.size() == lines.size());
    CHECK(whole[1].text.empty());
    CHECK(whole[1].source_words.empty());
    CHECK(whole.back().text.empty());
    for (const std::int64_t batch : {1, 2}) {
      auto parts_options = options;
      parts_options.batch = batch;
      const auto parts = translator.translate(lines, parts_options);
      for (std::size_t i = 0; i < lines.size(); ++i) CHECK(parts[i].text == whole[i].text);
    }
    for (const auto& translation : whole) {
      if (translation.source_words.empty()) continue;
      CHECK(translation.attention.shape() == Shape{static_cast<std::int64_t>(translation.target_words.size()),
                                                   static_cast<std::int64_t>(translation.source_words.size())});
    }
    CHECK(translator.translate({}).empty());
  }
}

TEST_CASE("what a checkpoint says of its model is read back") {
  for (const ModelOptions& kind : kinds()) CHECK(to_json(model_options_of(to_json(kind), "best.safetensors")) == to_json(kind));
  for (const char* attention : attention_names) {
    EncoderDecoderOptions lstm = options_for(vocabularies());
    lstm.attention = attention_kind(attention);
    lstm.window = 3;
    lstm.heads = 2;
    lstm.recurrent = nn::RecurrentKind::gru;
    lstm.normaliser = nn::Normaliser::sparsemax;
    const auto back = std::get<EncoderDecoderOptions>(model_options_of(to_json(lstm), "best.safetensors"));
    CHECK(back.attention == lstm.attention);
    CHECK(back.window == (std::string(attention).starts_with("local") ? 3 : 10));  // only where it says something
    CHECK(back.heads == (lstm.attention == AttentionKind::multi_head ? 2 : 8));
    CHECK(back.recurrent == nn::RecurrentKind::gru);
    CHECK(back.normaliser == nn::Normaliser::sparsemax);
  }
  std::string json = to_json(options_for(vocabularies()));
  CHECK(json.find("normaliser") == std::string::npos);  // as it was before there was a choice
  json.insert(json.size() - 1, R"(,"normaliser":"max")");
  CHECK_THROWS_WITH_AS(model_options_of(json, "best.safetensors"),
                       doctest::Contains("best.safetensors: its metadata don't describe a translator ([normaliser_of] 'max' is "
                                         "no normaliser; softmax, sparsemax, entmax15 are)"),
                       FormatError);
  CHECK_THROWS_WITH_AS(model_options_of(R"({"model": "organ"})", "best.safetensors"),
                       doctest::Contains("best.safetensors: its metadata describe a model 'organ'"), FormatError);
  CHECK_THROWS_AS(model_options_of(R"({"model": "transformer", "width": "wide"})", "best.safetensors"), FormatError);
  CHECK_THROWS_AS(model_options_of("transformer", "best.safetensors"), FormatError);
  CHECK_THROWS_AS(model_options_of("[]", "best.safetensors"), FormatError);
}

TEST_CASE("long sentences are cut") {
  Translator translator(options_for(vocabularies()), vocabularies());
  translator.model().eval();
  const auto translation = translator.translate(english(), {.search = {.beam = 1, .max_length = 3}, .max_source = 2});
  const auto whole = translator.translate(english(), {.search = {.beam = 1, .max_length = 3}});
  for (std::size_t i = 0; i < translation.size(); ++i) {
    CHECK(translation[i].source_words.size() == 2);
    CHECK(translation[i].source_cut == static_cast<std::int64_t>(whole[i].source_words.size()) - 2);
    CHECK(whole[i].source_cut == 0);
  }
}

TEST_CASE("special pieces must have the translator's ids") {
  const auto good = vocabulary_of(english());
  const auto refuse = [&](const text::SentencePiece& odd, const char* message) {
    for (const bool source : {true, false}) {
      const Vocabularies both = source ? Vocabularies{odd, good} : Vocabularies{good, odd};
      INFO(message);
      CHECK_THROWS_WITH_AS(Translator(options_for(both), both), doctest::Contains(message), FormatError);
      CHECK_THROWS_WITH_AS(Translator(options_for(both), both),
                           doctest::Contains(source ? "the source vocabulary" : "the target vocabulary"), FormatError);
    }
  };
  CHECK_NOTHROW(Translator(options_for({good, good}), {good, model_with_ids(0, 1, 2, 3)}));
  refuse(model_with_ids(-1, 0, 1, 2), "has no pad piece");  // SentencePiece's own default
  refuse(model_with_ids(3, 0, 1, 2), "the pad piece is 3 where 0 is needed");
  refuse(model_with_ids(0, 3, 1, 2), "the unk piece is 3 where 1 is needed");
  refuse(model_with_ids(0, 1, 3, 2), "the bos piece is 3 where 2 is needed");
  refuse(model_with_ids(0, 1, -1, 2), "has no bos piece");
}

TEST_CASE("vocabularies that don't fit the model are refused") {
  const Vocabularies two = vocabularies();
  auto options = options_for(two);
  options.source_vocabulary += 1;
  CHECK_THROWS_WITH_AS(Translator(options, two), doctest::Contains("don't fit a model of"), ValueError);
  options = options_for({two.source, two.source});
  options.share_embeddings = true;
  CHECK_NOTHROW(Translator(options, {two.source, two.source}));
  const Vocabularies differing{two.source, model_with_ids(0, 1, 2, 3)};
  REQUIRE(differing.source.size() == differing.target.size());
  CHECK_THROWS_WITH_AS(Translator(options, differing), doctest::Contains("share_embeddings needs one vocabulary"), ValueError);
}

TEST_CASE("damaged folders are refused") {
  const test::TemporaryFolder folder;
  const fs::path best = folder.path() / "best.safetensors";
  Translator translator(options_for(vocabularies()), vocabularies());
  save(translator, folder.path());
  const std::string whole = content_of(best);

  for (const std::size_t at : {std::size_t{3}, std::size_t{40}, whole.size() / 2, whole.size() - 1}) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    write_atomically(best, flipped);
    CHECK_THROWS_AS(Translator::load(folder.path()), FormatError);
    write_atomically(best, whole.substr(0, at));
    CHECK_THROWS_AS(Translator::load(folder.path()), FormatError);
  }

  auto state = translator.model().state_dict();
  auto metadata = translator.metadata();
  state.pop_back();
  save_safetensors(best, state, metadata);
  CHECK_THROWS_WITH_AS(Translator::load(folder.path()), doctest::Contains("missing: "), ValueError);

  state = translator.model().state_dict();
  std::string& options = metadata["translator"];
  options.insert(options.find("\"hidden\":") + 9, "-");
  save_safetensors(best, state, metadata);
  CHECK_THROWS_WITH_AS(Translator::load(folder.path()), doctest::Contains(best.string().c_str()), FormatError);
  metadata["translator"] = "{\"hidden\":8}";
  save_safetensors(best, state, metadata);
  CHECK_THROWS_WITH_AS(Translator::load(folder.path()), doctest::Contains("don't describe a translator"), FormatError);
  save_safetensors(best, state);
  CHECK_THROWS_WITH_AS(Translator::load(folder.path()), doctest::Contains("don't describe a translator"), FormatError);

  write_atomically(best, whole);
  write_atomically(folder.path() / "target.model", content_of(folder.path() / "source.model"));
  CHECK_THROWS_WITH_AS(Translator::load(folder.path()), doctest::Contains("doesn't fit the target_vocabulary"), ValueError);
  write_atomically(folder.path() / "target.model", "no model");
  CHECK_THROWS_WITH_AS(Translator::load(folder.path()), doctest::Contains("target.model"), FormatError);
  fs::remove(folder.path() / "target.model");
  CHECK_THROWS_WITH_AS(Translator::load(folder.path()), doctest::Contains("target.model"), IoError);
  fs::remove(best);
  CHECK_THROWS_WITH_AS(Translator::load(folder.path()), doctest::Contains("best.safetensors"), IoError);
}

TEST_CASE("an ensemble of a translator with itself translates like it; other models change that") {
  for (const ModelOptions& kind : kinds()) {
    const auto made = [&](std::uint64_t seed) {
      auto translator = std::make_unique<Translator>(kind, vocabularies(), seed);
      translator->model().eval();
      return translator;
    };
    const TranslateOptions options{.search = {.beam = 3, .max_length = 6, .attention = true}};
    const auto alone = made(7)->translate(english(), options);
    const auto ensemble = made(7);
    ensemble->add(std::move(*made(7)));
    const auto twice = ensemble->translate(english(), options);
    ensemble->add(std::move(*made(8)));
    const auto mixed = ensemble->translate(english(), options);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      CHECK(twice[i].text == alone[i].text);
      CHECK(twice[i].score == doctest::Approx(alone[i].score).epsilon(1e-5));
      CHECK(mixed[i].score != doctest::Approx(alone[i].score).epsilon(1e-5));
    }
  }
  // Both kinds together, and an ensemble that joins another.
  Translator lstm(kinds()[0], vocabularies()), transformer(kinds()[1], vocabularies()), third(kinds()[1], vocabularies(), 3);
  for (Translator* each : {&lstm, &transformer, &third}) each->model().eval();
  transformer.add(std::move(third));
  lstm.add(std::move(transformer));
  CHECK(lstm.translate(english()).size() == english().size());
}

TEST_CASE("an ensemble that was refused leaves both translators as they were") {
  EncoderDecoderOptions plain = options_for(vocabularies()), copying = plain;
  copying.copy = true;
  Translator here(plain, vocabularies(), 7), other(copying, vocabularies(), 8), fitting(plain, vocabularies(), 9);
  for (Translator* each : {&here, &other, &fitting}) each->model().eval();
  const auto before = here.translate(english()), of_other = other.translate(english());
  CHECK_THROWS_WITH_AS(here.add(std::move(other)), doctest::Contains("model 1 copies words of the source, model 0 doesn't"),
                       ValueError);
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(here.translate(english())[i].score == before[i].score);
    CHECK(other.translate(english())[i].score == of_other[i].score);
  }
  here.add(std::move(fitting));
  CHECK(here.translate(english()).size() == english().size());
}

TEST_CASE("a translator that was moved or added to another says that it has no model") {
  for (const ModelOptions& kind : kinds()) {
    Translator here(kind, vocabularies()), other(kind, vocabularies(), 2);
    here.add(std::move(other));
    constexpr const char* gone = "[Translator] this has no model any more: it was moved, or added to another";
    CHECK_THROWS_WITH_AS(other.translate(english()), gone, ValueError);
    CHECK_THROWS_WITH_AS(other.model(), gone, ValueError);
    CHECK_THROWS_WITH_AS(other.add(Translator(kind, vocabularies())), gone, ValueError);
    CHECK_THROWS_WITH_AS(here.add(std::move(other)),
                         "[Translator] the other has no model any more: it was moved, or added to another", ValueError);
    Translator last = std::move(here);
    CHECK_THROWS_WITH_AS(here.translate(english()), gone, ValueError);
    CHECK_THROWS_WITH_AS(here.metadata(), gone, ValueError);
    CHECK(last.translate(english()).size() == english().size());
  }
}

TEST_CASE("models of different vocabularies are no ensemble") {
  const auto both = vocabularies();
  for (const bool source : {true, false}) {
    const Vocabularies other = source ? Vocabularies{both.target, both.target} : Vocabularies{both.source, both.source};
    Translator a(options_for(both), both), b(options_for(other), other);
    CHECK_THROWS_WITH_AS(a.add(std::move(a)), doctest::Contains("can't be added to itself"), ValueError);
    CHECK_THROWS_WITH_AS(a.add(std::move(b)),
                         doctest::Contains(source ? "one source vocabulary, not" : "one target vocabulary, not"), ValueError);
  }
}

TEST_CASE("samples keep the order of lines, whatever the batch, and follow the seed") {
  for (const ModelOptions& kind : kinds()) {
    Translator translator(kind, vocabularies());
    translator.model().eval();
    TranslateOptions options{.search = {.attention = true}, .sample = SampleOptions{.max_length = 6, .seed = 3}};
    const auto whole = translator.translate(english(), options);
    for (const auto& each : whole) CHECK(each.attention.size(0) == static_cast<std::int64_t>(each.target_words.size()));
    for (const std::int64_t batch : {1, 3}) {
      options.batch = batch;
      const auto parts = translator.translate(english(), options);
      for (std::size_t i = 0; i < whole.size(); ++i) CHECK(parts[i].text == whole[i].text);
    }
    options.sample->seed = 4;
    const auto other = translator.translate(english(), options);
    bool differs = false;
    for (std::size_t i = 0; i < whole.size(); ++i) differs = differs || other[i].text != whole[i].text;
    CHECK(differs);
  }
}

TEST_CASE("minimum Bayes risk chooses among the samples or the beam's hypotheses") {
  for (const ModelOptions& kind : kinds()) {
    Translator translator(kind, vocabularies());
    translator.model().eval();
    const auto& target = translator.vocabularies().target;
    for (const bool draws : {false, true}) {
      TranslateOptions options{.search = {.beam = 6, .max_length = 5}, .minimum_bayes_risk = MinimumBayesRiskOptions{}};
      if (draws) options.sample = SampleOptions{.samples = 6, .max_length = 5};
      const auto found = translator.translate(english(), options);
      for (std::size_t i = 0; i < english().size(); ++i) {
        const TokenIds source = translator.vocabularies().source.encode(english()[i]);
        const std::vector<const TokenIds*> rows = {&source};
        const auto hypotheses = draws ? sample(translator.model(), pad(rows), *options.sample)[0]
                                      : beam_search(translator.model(), pad(rows), options.search)[0];
        std::vector<std::string> texts;
        std::vector<double> weights;
        for (const Hypothesis& each : hypotheses) {
          texts.push_back(target.decode(each.ids));
          weights.push_back(draws ? 1.0 : std::exp(each.log_probability));
        }
        CHECK(found[i].text == texts[minimum_bayes_risk(texts, weights).best]);
      }
    }
  }
}

TEST_CASE("minimum Bayes risk counts once what several groups of a beam have found") {
  Translator translator(options_for(vocabularies()), vocabularies());
  translator.model().eval();
  const TranslateOptions options{.search = {.beam = 6, .max_length = 4, .diverse_groups = 2, .diversity_strength = 0.01},
                                 .minimum_bayes_risk = MinimumBayesRiskOptions{}};
  const auto found = translator.translate(english(), options);
  std::size_t twice = 0;
  for (std::size_t i = 0; i < english().size(); ++i) {
    const TokenIds source = translator.vocabularies().source.encode(english()[i]);
    const std::vector<const TokenIds*> rows = {&source};
    std::map<TokenIds, double> distinct;
    const auto hypotheses = beam_search(translator.model(), pad(rows), options.search);
    for (const Hypothesis& each : hypotheses[0]) twice += distinct.emplace(each.ids, each.log_probability).second ? 0U : 1U;
    std::vector<std::string> texts;
    std::vector<double> weights;
    for (const auto& [ids, log_probability] : distinct) {
      texts.push_back(translator.vocabularies().target.decode(ids));
      weights.push_back(std::exp(log_probability));
    }
    const ExpectedUtilities expected = minimum_bayes_risk(texts, weights);
    const auto chosen = std::find(texts.begin(), texts.end(), found[i].text);
    REQUIRE(chosen != texts.end());
    CHECK(expected.utilities[static_cast<std::size_t>(chosen - texts.begin())] ==
          doctest::Approx(expected.utilities[expected.best]).epsilon(1e-12));
  }
  CHECK(twice > 0);
}

TEST_CASE("translations begin with their prefixes") {
  for (const ModelOptions& kind : kinds()) {
    Translator translator(kind, vocabularies());
    translator.model().eval();
    const std::vector<std::string> each = {"le chien", "", "un arbre", "le vieux chien"};
    for (const bool draws : {false, true}) {
      TranslateOptions options{.search = {.beam = 2}, .prefixes = each, .batch = 3};
      if (draws) options.sample = SampleOptions{};
      const auto found = translator.translate(english(), options);
      for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i].text.starts_with(each[i]));
      options.prefixes = {"le petit"};
      for (const auto& translation : translator.translate(english(), options)) CHECK(translation.text.starts_with("le petit"));
    }
    CHECK_THROWS_WITH_AS(translator.translate(english(), {.prefixes = {"le", "un"}}),
                         doctest::Contains("2 prefixes for 4 lines"), ValueError);
    CHECK_THROWS_WITH_AS(translator.translate(english(), {.prefixes = {"le chien 猫"}}),
                         doctest::Contains("the prefix 'le chien 猫' has characters that aren't in the target vocabulary"),
                         ValueError);
  }
}

TEST_CASE("impossible translations are refused") {
  Translator translator(options_for(vocabularies()), vocabularies());
  CHECK_THROWS_AS(translator.translate(english(), {.batch = 0}), ValueError);
  CHECK_THROWS_AS(translator.translate(english(), {.max_source = 0}), ValueError);
  CHECK_THROWS_AS(translator.translate(english(), {.search = {.beam = 0}}), ValueError);
  const std::vector<std::string> latin = {"caf\xe9"};
  CHECK_THROWS_AS(translator.translate(latin), FormatError);
}
