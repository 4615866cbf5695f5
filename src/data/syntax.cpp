#include "data/syntax.hpp"

namespace weft::data::grammar {
namespace {

void add_attributes(const NounPhrase& phrase, std::vector<Combination>& found) {
  if (phrase.noun == nullptr) return;
  if (phrase.before != nullptr) found.emplace_back(phrase.before->english, phrase.noun->english);
  if (phrase.after != nullptr) found.emplace_back(phrase.after->english, phrase.noun->english);
}

void add_clause(const Clause& clause, std::vector<Combination>& found) {
  add_attributes(clause.subject, found);
  if (clause.predicate != nullptr && clause.subject.noun != nullptr)
    found.emplace_back(clause.predicate->english, clause.subject.noun->english);
  if (clause.object) {
    add_attributes(*clause.object, found);
    // A game goes with no other verb than play, so the two are no combination.
    const bool playing =
        clause.verb != nullptr && (clause.verb->frame == Frame::gaming || clause.verb->frame == Frame::performing);
    if (clause.verb != nullptr && !playing && clause.object->noun != nullptr)
      found.emplace_back(clause.verb->base, clause.object->noun->english);
  }
}

}  // namespace

std::vector<Combination> combinations(const Sentence& sentence) {
  std::vector<Combination> found;
  add_clause(sentence.first, found);
  if (sentence.second) add_clause(*sentence.second, found);
  return found;
}

}  // namespace weft::data::grammar
