#include "weft/text/tokenizer.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/text/lower.hpp"

using namespace weft;
using namespace weft::text;

namespace {

std::vector<std::string> german() {
  return {"Die Straße ist heute größer, schöner und älter als früher.",
          "Zwei Männer stehen vor einem Haus und reden über das Wetter.",
          "Ein Mädchen in einem roten Kleid läuft über die grüne Wiese!",
          "»Wohin gehst du?«, fragte die alte Frau den jungen Mann.",
          "Ein Hund springt über den Zaun; das Kind (5 Jahre alt) lacht.",
          "Übermorgen fährt der Zug um 7:45 Uhr – pünktlich, wie immer …"};
}

std::vector<std::string> french() {
  return {"L'élève a mangé une pêche à la forêt.", "Où êtes-vous allés l'été dernier ?", "Ça coûte 3,50 €, n'est-ce pas ?",
          "Le cœur de la ville « vieille » est là-bas."};
}

SentencePieceOptions small(SubwordModel type) { return {.model_type = type, .vocab_size = 120}; }

}  // namespace

TEST_CASE("what is encoded decodes to itself but for white space") {
  std::vector<std::string> lines = german();
  for (const auto& line : german()) lines.push_back(lower(line));
  for (const auto& line : french()) lines.push_back(line);
  for (const auto type : {SubwordModel::bpe, SubwordModel::unigram}) {
    const auto model = SentencePiece::train(lines, small(type));
    for (const auto& line : lines) {
      CHECK(model.decode(model.encode(line)) == line);
      CHECK(model.decode(model.encode("  " + line + " \t e\r")) == line + " e");
    }
    CHECK(model.decode(model.encode("ein neuer satz: größte straße, über dem zaun")) ==
          "ein neuer satz: größte straße, über dem zaun");
    CHECK(model.encode("").empty());
    CHECK(model.encode(" \t\r").empty());
    CHECK(model.decode({}) == "");
  }
}

TEST_CASE("pieces and ids speak of the same thing, special pieces first") {
  const auto model = SentencePiece::train(german(), small(SubwordModel::bpe));
  CHECK(model.vocabulary() == Vocabulary{.size = 120});
  CHECK(model.size() == 120);
  CHECK(model.piece(0) == "<pad>");
  CHECK(model.piece(1) == "<unk>");
  CHECK(model.piece(2) == "<s>");
  CHECK(model.piece(3) == "</s>");
  const auto ids = model.encode(german()[1]);
  const auto pieces = model.encode_pieces(german()[1]);
  REQUIRE(ids.size() == pieces.size());
  for (std::size_t i = 0; i < ids.size(); ++i) CHECK(model.piece(ids[i]) == pieces[i]);
  std::set<std::string> all;
  for (std::int32_t id = 0; id < 120; ++id) all.insert(model.piece(id));
  CHECK(all.size() == 120);
}

TEST_CASE("special ids decode to nothing, an unknown character to its mark") {
  const auto model = SentencePiece::train(german(), small(SubwordModel::bpe));
  std::vector<std::int32_t> ids{2};
  for (const auto id : model.encode("Zwei Männer")) ids.push_back(id);
  ids.insert(ids.end(), {3, 0, 0});
  CHECK(model.decode(ids) == "Zwei Männer");
  CHECK(model.encode("Zwei 中").back() == 1);
  CHECK(model.decode(model.encode("Zwei 中")) == "Zwei  ⁇ ");
  CHECK(model.encode("<s>") != std::vector<std::int32_t>{2});  // text can't smuggle in a special piece
}

TEST_CASE("the same text gives the same model, byte for byte") {
  for (const auto type : {SubwordModel::bpe, SubwordModel::unigram}) {
    const auto first = SentencePiece::train(german(), small(type));
    SentencePiece::train(french(), small(type));
    CHECK(first.model_bytes() == SentencePiece::train(german(), small(type)).model_bytes());
  }
}

TEST_CASE("a small text gets the largest vocabulary that it can carry") {
  const std::vector<std::string> lines{"the cat sat on the mat"};
  for (const auto type : {SubwordModel::bpe, SubwordModel::unigram}) {
    const auto model = SentencePiece::train(lines, {.model_type = type, .vocab_size = 8000});
    CHECK(model.size() > 12);
    CHECK(model.size() < 60);
    CHECK(model.decode(model.encode(lines[0])) == lines[0]);
    CHECK(SentencePiece::train(lines, {.model_type = type, .vocab_size = 14}).size() == 14);
  }
  const std::vector<std::string> one{"a"};
  CHECK(SentencePiece::train(one, {.model_type = SubwordModel::unigram}).size() == 6);
}

TEST_CASE("lines are drawn only when asked for, by the seed") {
  std::vector<std::string> lines;
  for (char c = 'a'; c <= 'z'; ++c) lines.emplace_back(3, c);
  const auto drawn = [&](std::int64_t count, std::uint64_t seed) {
    const auto model = SentencePiece::train(lines, {.sample_lines = count, .seed = seed});
    std::set<std::string> known;
    for (const auto& line : lines)
      if (model.encode(line).back() != 1) known.insert(line);
    return known;
  };
  CHECK(drawn(0, 1).size() == 26);
  CHECK(drawn(26, 1).size() == 26);
  CHECK(drawn(100, 1).size() == 26);
  CHECK(drawn(10, 1).size() == 10);
  CHECK(drawn(10, 1) == drawn(10, 1));
  CHECK(drawn(10, 1) != drawn(10, 2));
}

TEST_CASE("a model comes back from its bytes and from a file") {
  const auto model = SentencePiece::train(german(), small(SubwordModel::unigram));
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "german.model";
  std::ofstream(path, std::ios::binary) << model.model_bytes();
  for (const auto& again : {SentencePiece::from_bytes(model.model_bytes()), SentencePiece::load(path)}) {
    CHECK(again.model_bytes() == model.model_bytes());
    CHECK(again.vocabulary() == model.vocabulary());
    for (const auto& line : german()) CHECK(again.encode(line) == model.encode(line));
  }
}

TEST_CASE("files that can't be read or are no model are refused by name") {
  const test::TemporaryFolder folder;
  const auto missing = folder.path() / "missing.model";
  CHECK_THROWS_WITH_AS(SentencePiece::load(missing),
                       ("[SentencePiece::load] can't read " + missing.string() + ": No such file or directory").c_str(),
                       IoError);
  CHECK_THROWS_AS(SentencePiece::load(folder.path()), IoError);
  const auto text = folder.path() / "text.model";
  const auto refusal = "[SentencePiece::load] " + text.string() + " is not a SentencePiece model, or has been altered";
  std::ofstream(text) << "";
  CHECK_THROWS_WITH_AS(SentencePiece::load(text), refusal.c_str(), FormatError);
  std::ofstream(text) << "hello world\n";
  CHECK_THROWS_WITH_AS(SentencePiece::load(text), refusal.c_str(), FormatError);
  const auto bytes = SentencePiece::train(german(), small(SubwordModel::bpe)).model_bytes();
  CHECK_THROWS_WITH_AS(SentencePiece::from_bytes(std::string_view(bytes).substr(0, 100), "the checkpoint's vocabulary"),
                       "[SentencePiece::load] the checkpoint's vocabulary is not a SentencePiece model, or has been altered",
                       FormatError);
}

TEST_CASE("text and options that nothing can be trained from are refused") {
  const auto train = [](const std::vector<std::string>& lines, const SentencePieceOptions& options = {}) {
    return SentencePiece::train(lines, options);
  };
  for (const auto type : {SubwordModel::bpe, SubwordModel::unigram}) {
    CHECK_THROWS_WITH_AS(train({}, {.model_type = type}),
                         "[SentencePiece::train] there is no text to train on: 0 lines, all blank", ValueError);
    CHECK_THROWS_WITH_AS(train({"", " \t", "\u2581", "\u2585"}, {.model_type = type}),
                         "[SentencePiece::train] there is no text to train on: 4 lines, all blank", ValueError);
    CHECK_THROWS_WITH_AS(train({"fine", "not\xFF"}, {.model_type = type}),
                         "[SentencePiece::train] line 2 is not UTF-8 at byte 3", FormatError);
    CHECK_THROWS_AS(train({"more characters than pieces"}, {.model_type = type, .vocab_size = 6}), ValueError);
  }
  CHECK_THROWS_AS(train({"a"}, {.vocab_size = 4}), ValueError);
  CHECK_THROWS_AS(train({"a"}, {.vocab_size = 2'000'000}), ValueError);
  CHECK_THROWS_AS(train({"a"}, {.character_coverage = 0.5}), ValueError);
  CHECK_THROWS_AS(train({"a"}, {.sample_lines = -1}), ValueError);
}

TEST_CASE("very long words and reserved characters don't keep a text from being learnt") {
  std::string word;
  for (std::size_t i = 0; i < 70'000; ++i) word += i % 3 == 0 ? "ä" : "b";
  for (const auto type : {SubwordModel::bpe, SubwordModel::unigram}) {
    const auto model = SentencePiece::train(std::vector<std::string>{word, "c\u2585d"}, {.model_type = type, .vocab_size = 12});
    CHECK(model.decode(model.encode("äb cd")) == "äb cd");
  }
}

TEST_CASE("lines and ids that don't fit the model are refused") {
  const auto model = SentencePiece::train(german(), small(SubwordModel::bpe));
  CHECK_THROWS_WITH_AS(model.encode("a\xC3"), "[SentencePiece::encode] the line is not UTF-8 at byte 1", FormatError);
  CHECK_THROWS_AS(model.encode_pieces("\xFF"), FormatError);
  const std::vector<std::int32_t> beyond{5, 120};
  CHECK_THROWS_WITH_AS(model.decode(beyond), "[SentencePiece::decode] id 120 is outside the vocabulary of 120 pieces",
                       IndexError);
  CHECK_THROWS_AS(model.piece(-1), IndexError);
}
