#include "weft/data/grammar.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

#include "base/fail.hpp"
#include "data/rules.hpp"

namespace weft::data {
namespace {

using grammar::Combination;
using grammar::Sentence;

bool is_held_out(const Combination& combination) {
  if (combination == Combination("love", "programming")) return true;
  return hash_of((combination.first + " " + combination.second).c_str()) % 20 == 0;
}

bool has_held_out(const Sentence& sentence) {
  const auto found = combinations(sentence);
  return std::any_of(found.begin(), found.end(), is_held_out);
}

/// "I love programming."
Sentence flagship() {
  using namespace grammar;
  Sentence sentence;
  sentence.first.subject.pronoun = Pronoun::i;
  sentence.first.verb = &verb("love", Frame::liking);
  sentence.first.object = NounPhrase{.noun = &noun("programming"), .determiner = Determiner::generic};
  return sentence;
}

/// Hands out the sentences of a seed in their order, none twice.
class Stream {
 public:
  explicit Stream(std::uint64_t seed) : seed_(seed) {}

  void exclude(const Sentence& sentence) { seen_.insert(english(sentence)); }

  /// The next one that has a held-out combination or has not, as wanted.
  SentencePair next(bool held_out) {
    for (;;) {
      const Sentence sentence = grammar::sentence_at(seed_, index_++);
      if (has_held_out(sentence) != held_out) continue;
      std::string text = english(sentence);
      if (seen_.insert(text).second) return {std::move(text), french(sentence)};
    }
  }

 private:
  std::uint64_t seed_, index_ = 0;
  std::unordered_set<std::string> seen_;
};

void append(ParallelText& text, SentencePair pair) {
  text.source.push_back(std::move(pair.english));
  text.target.push_back(std::move(pair.french));
}

/// Calls `visit` with each word, the first letter of the sentence in lower case.
template <class Visit>
void for_each_word(std::string sentence, Visit visit) {
  if (sentence[0] >= 'A' && sentence[0] <= 'Z') sentence[0] = static_cast<char>(sentence[0] - 'A' + 'a');
  constexpr std::string_view separators = " .?'-";
  for (std::size_t begin = 0; (begin = sentence.find_first_not_of(separators, begin)) != std::string::npos;) {
    const std::size_t end = std::min(sentence.find_first_of(separators, begin), sentence.size());
    visit(sentence.substr(begin, end - begin));
    begin = end;
  }
}

std::int64_t count_unseen(const std::vector<std::string>& train, const std::vector<std::string>& test) {
  std::set<std::string> known, unseen;
  for (const auto& sentence : train) for_each_word(sentence, [&](std::string word) { known.insert(std::move(word)); });
  for (const auto& sentence : test)
    for_each_word(sentence, [&](std::string word) {
      if (!known.contains(word)) unseen.insert(std::move(word));
    });
  return static_cast<std::int64_t>(unseen.size());
}

}  // namespace

SentencePair grammar_pair(std::uint64_t seed, std::uint64_t index) {
  const Sentence sentence = grammar::sentence_at(seed, index);
  return {english(sentence), french(sentence)};
}

std::uint64_t possible_pairs() {
  return grammar::count_ways([](grammar::Choices& choices) { draw_sentence(choices); });
}

GrammarCorpus make_grammar_corpus(const GrammarOptions& options) {
  check<ValueError>(options.train >= 0 && options.validation >= 0 && options.test >= 0, "make_grammar_corpus",
                    "sizes can't be negative: train {}, validation {}, test {}", options.train, options.validation,
                    options.test);
  Stream stream(options.seed);
  stream.exclude(flagship());
  GrammarCorpus corpus;
  for (std::int64_t i = 0; i < options.train; ++i) append(corpus.train, stream.next(false));
  for (std::int64_t i = 0; i < options.validation; ++i) append(corpus.validation, stream.next(false));
  for (std::int64_t i = 0; i < options.test; ++i) {
    const bool held_out = i % 5 == 0 || i % 5 == 2;
    append(corpus.test, i == 0 ? SentencePair{english(flagship()), french(flagship())} : stream.next(held_out));
    corpus.held_out_in_test += held_out ? 1 : 0;
  }
  corpus.unseen_in_test =
      count_unseen(corpus.train.source, corpus.test.source) + count_unseen(corpus.train.target, corpus.test.target);
  return corpus;
}

}  // namespace weft::data
