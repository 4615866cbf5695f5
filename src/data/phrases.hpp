#pragma once
#include "data/choices.hpp"
#include "data/syntax.hpp"

// Rules for noun phrases and circumstances. All are parts (Choices::part) or made of parts.
namespace weft::data::grammar {

/// One noun of these kinds, as in "the cat", "my cats", "this cat"; in the singular alone if asked.
NounPhrase definite(Choices& choices, Kinds kinds, bool singular = false);
/// "a cat", "some cats", "three cats", and with `rich` adjectives and quantities: "many small cats".
NounPhrase indefinite(Choices& choices, Kinds kinds, bool rich);
/// "the small cat", "my brother's cat", "all the cats", "every cat"; unless `brief`, "the small black cat" and "Paul's small
/// cat" too.
NounPhrase rich_definite(Choices& choices, Kinds kinds, bool brief = false);
/// Any of the above, and names where persons are meant.
NounPhrase object_phrase(Choices& choices, Kinds kinds, bool rich);
/// "cats" or "programming" meant as all there is.
NounPhrase generic(Choices& choices, Kinds kinds);
/// "bread" meant as some of it, or "the bread", "my bread".
NounPhrase substance(Choices& choices, Kinds kinds);
/// A name.
NounPhrase person_name(Choices& choices);
/// A noun phrase, and where persons are meant a name or a pronoun without antecedent.
NounPhrase subject(Choices& choices, Kinds kinds, bool rich);

inline NounPhrase pronoun_phrase(Pronoun pronoun) { return {.pronoun = pronoun}; }
/// The pronoun that takes up a phrase again: it, he, she, they with the gender of the French noun; a pronoun is its own.
Pronoun pronoun_for(const NounPhrase& phrase);
/// me, you, him, her, us, them without what would be the subject itself; `them` alone unless persons are meant.
Pronoun object_pronoun_beside(Choices& choices, const NounPhrase& subject, bool persons);

/// An adjective that can be said of these kinds.
const Adjective* predicate_for(Choices& choices, Kinds kinds);
/// 2 to 99, round numbers more often.
int pick_age(Choices& choices);

/// Which circumstances suit a clause.
enum class Timing : std::uint8_t { habitual, ahead, scheduled };
/// A place (unless the clause has one), company (a pronoun too if `pronouns`) or a time.
Circumstance circumstance(Choices& choices, Timing timing, bool with_place, bool pronouns);

/// Keys of parts, over all rules.
enum Part : std::uint32_t {
  determiner_part,
  adjective_part,
  owner_part,
  count_part,
  definite_part,
  indefinite_part,
  rich_part,
  object_part,
  generic_part,
  substance_part,
  name_part,
  circumstance_part,
  predicate_part,
  manner_part,
  age_part,
  clause_part,
};

}  // namespace weft::data::grammar
