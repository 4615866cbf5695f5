#include "weft/data/grammar.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "data/choices.hpp"
#include "data/rules.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

namespace {

/// Words, with what an apostrophe or a hyphen joins counted apart if asked; punctuation doesn't count.
std::vector<std::string> words_of(const std::string& sentence, const char* separators) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; (begin = sentence.find_first_not_of(separators, begin)) != std::string::npos;) {
    const std::size_t end = std::min(sentence.find_first_of(separators, begin), sentence.size());
    words.push_back(sentence.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

std::string lower_first(std::string text) {
  text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

/// Writes down which way each choice goes.
class RecordingChoices : public grammar::Choices {
 public:
  explicit RecordingChoices(std::uint64_t seed, std::uint64_t index) : inner_(Generator(seed, index * 256)) {}
  std::size_t weighted(std::span<const int> weights) override { return record(inner_.weighted(weights)); }
  std::size_t below(std::size_t n) override { return record(inner_.below(n)); }
  std::string path;

 private:
  std::size_t record(std::size_t option) {
    path.push_back(static_cast<char>(option));
    return option;
  }
  void run(const Key&, const std::function<void(Choices&)>& build) override { build(*this); }
  grammar::RandomChoices inner_;
};

}  // namespace

TEST_CASE("counting ways") {
  using grammar::Choices;
  CHECK(grammar::count_ways([](Choices&) {}) == 1);
  CHECK(grammar::count_ways([](Choices& c) {
          if (c.below(3) == 0) c.below(4);
        }) == 6);
  CHECK(grammar::count_ways([](Choices& c) { c.weighted({3, 0, 1}); }) == 2);
  // A part multiplies; its own parts too.
  const auto part = [](Choices& c) {
    return c.part({1, 2},
                  [](Choices& inner) { return inner.below(5) + inner.part({2}, [](Choices& i) { return i.below(7); }); });
  };
  CHECK(grammar::count_ways([&](Choices& c) {
          if (c.below(3) == 0) c.below(4);
          part(c);
          part(c);
        }) == 6 * 35 * 35);
}

TEST_CASE("the grammar says more than a million pairs") { CHECK(possible_pairs() > 1'000'000); }

TEST_CASE("a pair is a function of seed and index") {
  CHECK(grammar_pair(1, 17) == grammar_pair(1, 17));
  CHECK(grammar_pair(1, 17) != grammar_pair(1, 18));
  CHECK(grammar_pair(1, 17) != grammar_pair(2, 17));
}

TEST_CASE("an English sentence has one French one, and comes about in one way") {
  std::unordered_map<std::string, std::pair<std::string, std::string>> known;
  std::set<std::string> english_words, french_words;
  std::int64_t ambiguous = 0, reached_twice = 0, too_short = 0, too_long = 0;
  for (std::uint64_t index = 0; index < 200'000; ++index) {
    RecordingChoices choices(3, index);
    const auto sentence = draw_sentence(choices);
    const SentencePair pair = {english(sentence), french(sentence)};
    if (index % 1000 == 0) CHECK(grammar_pair(3, index) == pair);
    const auto [found, is_new] = known.try_emplace(pair.english, pair.french, choices.path);
    ambiguous += found->second.first != pair.french ? 1 : 0;
    reached_twice += found->second.second != choices.path ? 1 : 0;
    const auto english_side = words_of(pair.english, " .?"), french_side = words_of(pair.french, " .?'-");
    too_short += std::min(english_side.size(), french_side.size()) < 3 ? 1 : 0;
    too_long += std::max(english_side.size(), french_side.size()) > 14 ? 1 : 0;
    for (const auto& word : words_of(lower_first(pair.english), " .?-")) english_words.insert(word);
    for (const auto& word : words_of(lower_first(pair.french), " .?'-")) french_words.insert(word);
  }
  CHECK(ambiguous == 0);
  CHECK(reached_twice == 0);
  CHECK(too_short == 0);
  CHECK(too_long == 0);
  CHECK(english_words.size() >= 250);
  CHECK(english_words.size() <= 500);
  CHECK(french_words.size() >= 250);
  CHECK(french_words.size() <= 600);
}

TEST_CASE("the corpus: disjoint sets, and combinations that only the test has") {
  const GrammarCorpus corpus = make_grammar_corpus();
  CHECK(corpus.train.size() == 20'000);
  CHECK(corpus.validation.size() == 500);
  CHECK(corpus.test.size() == 1'000);
  CHECK(corpus.train.target.size() == 20'000);
  CHECK(corpus.test.source[0] == "I love programming.");
  CHECK(corpus.test.target[0] == "J'aime la programmation.");

  std::set<std::string> sentences;
  for (const auto* set : {&corpus.train, &corpus.validation, &corpus.test})
    for (const auto& sentence : set->source) CHECK_MESSAGE(sentences.insert(sentence).second, sentence);

  // What the sentences say, from the same stream of sentences.
  std::map<std::string, std::vector<grammar::Combination>> meaning = {{"I love programming.", {{"love", "programming"}}}};
  for (std::uint64_t index = 0; index < 60'000; ++index) {
    const auto sentence = grammar::sentence_at(1, index);
    meaning.emplace(english(sentence), combinations(sentence));
  }
  std::set<grammar::Combination> shown;
  for (const auto* set : {&corpus.train, &corpus.validation})
    for (const auto& sentence : set->source) shown.insert(meaning.at(sentence).begin(), meaning.at(sentence).end());
  CHECK_FALSE(shown.contains({"love", "programming"}));
  std::int64_t with_new_combination = 0;
  for (const auto& sentence : corpus.test.source) {
    const auto& said = meaning.at(sentence);
    with_new_combination += std::any_of(said.begin(), said.end(), [&](const auto& c) { return !shown.contains(c); }) ? 1 : 0;
  }
  CHECK(corpus.held_out_in_test >= 300);
  CHECK(with_new_combination >= corpus.held_out_in_test);
}

TEST_CASE("training has every word of the test") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const GrammarCorpus corpus = make_grammar_corpus({.seed = seed, .validation = 0});
    CHECK(corpus.unseen_in_test == 0);
    CHECK(corpus.validation.size() == 0);
  }
  CHECK(make_grammar_corpus({.train = 5, .test = 20}).unseen_in_test > 20);
}

TEST_CASE("corpora of one seed are the same, those of two are not") {
  const GrammarOptions small = {.train = 50, .validation = 5, .test = 5};
  const GrammarCorpus first = make_grammar_corpus(small), second = make_grammar_corpus(small);
  CHECK(first.train.source == second.train.source);
  CHECK(first.test.target == second.test.target);
  CHECK(make_grammar_corpus({.seed = 2, .train = 50, .validation = 5, .test = 5}).train.source != first.train.source);
}

TEST_CASE("bad sizes and unknown words") {
  CHECK_THROWS_WITH_AS(make_grammar_corpus({.train = -1}),
                       "[make_grammar_corpus] sizes can't be negative: train -1, validation 500, test 1000", ValueError);
  CHECK_THROWS_WITH_AS(grammar::noun("dragon"), "[grammar] 'dragon' is not in the lexicon", ValueError);
  CHECK_THROWS_WITH_AS(grammar::french_number(100, grammar::Gender::masculine), "[french_number] 100 is not from 1 to 99",
                       ValueError);
}
