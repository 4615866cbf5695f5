#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstring>

#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/seq2seq/digit_senses.hpp"
#include "weft/seq2seq/digit_tracker.hpp"
#include "weft/seq2seq/language_model.hpp"
#include "weft/seq2seq/word_reader.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

/// `load` gives back what a run has kept, and says what is missing.
template <class Load>
void check_loading(const nn::ModuleBase& made, const Metadata& metadata, const char* kind, const Load& load) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "best.safetensors";
  CHECK_THROWS_WITH_AS(load(folder.path()), doctest::Contains("is no folder of a training run that was validated"), IoError);

  nn::save(made, folder.path() / "last.safetensors", metadata);
  CHECK_THROWS_WITH_AS(load(folder.path()),
                       doctest::Contains(("the run in " + folder.path().string() +
                                          " has no validation yet; where it was stopped, the same train command goes on")
                                             .c_str()),
                       IoError);

  nn::save(made, path, {{"speech", "{}"}});
  CHECK_THROWS_WITH_AS(
      load(folder.path()),
      doctest::Contains(
          fmt::format("{} is of another program's run: of a speech recogniser, not of a {}", path.string(), kind).c_str()),
      FormatError);

  nn::save(made, path, metadata);
  CHECK_THROWS_WITH_AS(load(path), doctest::Contains("best.safetensors is a file; the folder of a training run is needed"),
                       IoError);
  const auto loaded = load(folder.path());
  CHECK_FALSE(loaded->training());
  const auto expected = made.state_dict(), found = loaded->state_dict();
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].name == expected[i].name);
    CHECK(std::memcmp(found[i].tensor.raw(), expected[i].tensor.raw(),
                      static_cast<std::size_t>(found[i].tensor.numel()) * size_of(found[i].tensor.dtype())) == 0);
  }

  for (const auto& [key, value] : metadata) {
    Metadata less = metadata;
    less.erase(key);
    nn::save(made, path, less);
    CHECK_THROWS_WITH_AS(
        load(folder.path()),
        doctest::Contains(
            fmt::format("{}: its metadata don't describe a {}: they have no '{}'", path.string(), kind, key).c_str()),
        FormatError);
    if (const auto at = value.find(":2"); at != std::string::npos) {  // a size that can't be
      less[key] = fmt::format("{}:-2{}", value.substr(0, at), value.substr(at + 2));
      nn::save(made, path, less);
      CHECK_THROWS_WITH_AS(load(folder.path()), doctest::Contains(path.string().c_str()), FormatError);
    }
    less[key] = "[]";
    nn::save(made, path, less);
    CHECK_THROWS_WITH_AS(load(folder.path()), doctest::Contains(path.string().c_str()), FormatError);
  }
}

}  // namespace

TEST_CASE("a word reader comes back from its run") {
  const WordReader made({.height = 5, .width = 4, .channels = 2, .embedding = 4, .hidden = 6},
                        text::Symbols::of("abc", text::SymbolUnit::characters));
  check_loading(made, {{"word_reader", to_json(made.reader_options())}, {"symbols", made.letters().to_json()}},
                "reader of words", [](const auto& folder) { return WordReader::load(folder); });
}

TEST_CASE("a tracker comes back from its run") {
  const DigitTracker made({.size = 8, .channels = 2, .hidden = 4, .classes = 3});
  check_loading(made, {{"digit_tracker", to_json(made.options())}}, "tracker of digits",
                [](const auto& folder) { return DigitTracker::load(folder); });
}

TEST_CASE("a namer of digits comes back from its run") {
  const DigitSenses made({.bands = 4, .height = 8, .width = 8, .classes = 3, .hidden = 4, .channels = 2});
  check_loading(made, {{"digit_senses", to_json(made.options())}}, "namer of digits",
                [](const auto& folder) { return DigitSenses::load(folder); });
}

TEST_CASE("a language model comes back from its run, with its symbols") {
  const auto symbols = text::Symbols::of("abc", text::SymbolUnit::characters);
  const LanguageModel made({.vocabulary = symbols.size(), .width = 4, .layers = 1});
  const Metadata metadata = {{"language_model", to_json(made.options())}, {"symbols", symbols.to_json()}};
  check_loading(made, metadata, "language model", [&](const auto& folder) {
    TrainedLanguageModel trained = TrainedLanguageModel::load(folder);
    CHECK(trained.symbols.to_json() == symbols.to_json());
    return std::move(trained.model);
  });
  const test::TemporaryFolder folder;
  Metadata other = metadata;
  other["symbols"] = text::Symbols::of("ab", text::SymbolUnit::characters).to_json();
  nn::save(made, folder.path() / "best.safetensors", other);
  CHECK_THROWS_WITH_AS(TrainedLanguageModel::load(folder.path()), doctest::Contains("3 symbols don't fit a model of 4"),
                       FormatError);
}
