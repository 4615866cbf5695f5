#pragma once
#include <cstdint>
#include <string>

#include "weft/data/parallel_text.hpp"

namespace weft::data {

/// An English sentence and its French translation.
struct SentencePair {
  std::string english;
  std::string french;
  bool operator==(const SentencePair&) const = default;
};

/// Pair number `index` of the built-in English-French grammar, a function of (seed, index) alone. An English sentence has
/// one French translation for all seeds. Sentences have 3 to 14 words on both sides.
SentencePair grammar_pair(std::uint64_t seed, std::uint64_t index);

/// How many pairs the grammar can say; no two have the same English.
std::uint64_t possible_pairs();

struct GrammarOptions {
  std::uint64_t seed = 1;
  std::int64_t train = 20000;
  std::int64_t validation = 500;
  std::int64_t test = 1000;
};

/// English source, French target. No English sentence is in two of the sets or twice in one. About one combination of a verb or
/// an adjective with a noun in twenty is held out: the grammar's own choice, the same for every seed. None of them is in train
/// or validation, and about two fifths of test have one, the first sentence foremost: "I love programming."
struct GrammarCorpus {
  ParallelText train;
  ParallelText validation;
  ParallelText test;
  std::int64_t held_out_in_test = 0;  // sentences of test with a held-out combination
  std::int64_t unseen_in_test = 0;    // words of test, of either side, that train doesn't have; 0 for a train of some thousands
};

/// ValueError for a negative size.
GrammarCorpus make_grammar_corpus(const GrammarOptions& options = {});

}  // namespace weft::data
