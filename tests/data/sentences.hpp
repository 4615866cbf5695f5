#pragma once
#include "data/syntax.hpp"

// Short names for building sentences of the grammar in tests.
namespace weft::test::sentences {

using namespace data::grammar;

inline NounPhrase pronoun(Pronoun which) { return {.pronoun = which}; }
inline const NounPhrase i = pronoun(Pronoun::i), you = pronoun(Pronoun::you), he = pronoun(Pronoun::he),
                        she = pronoun(Pronoun::she), we = pronoun(Pronoun::we), they = pronoun(Pronoun::they);

inline NounPhrase named(const char* text) { return {.name = &name(text)}; }
inline NounPhrase phrase(Determiner determiner, const char* english) {
  return {.noun = &noun(english), .determiner = determiner};
}
inline NounPhrase the(const char* english) { return phrase(Determiner::the, english); }
inline NounPhrase a(const char* english) { return phrase(Determiner::a, english); }
inline NounPhrase my(const char* english) { return phrase(Determiner::my, english); }
inline NounPhrase plural(NounPhrase what) {
  what.plural = true;
  return what;
}
inline NounPhrase all_of(const char* english) {
  NounPhrase what = phrase(Determiner::generic, english);
  what.plural = !what.noun->is_mass();
  return what;
}
inline NounPhrase some(const char* english) { return phrase(Determiner::partitive, english); }
inline NounPhrase count(int n, const char* english) {
  NounPhrase what = plural(phrase(Determiner::count, english));
  what.count = n;
  return what;
}
inline NounPhrase described(const char* english, NounPhrase what) {
  const Adjective& adjective = data::grammar::adjective(english);
  (adjective.before_noun ? what.before : what.after) = &adjective;
  return what;
}
inline NounPhrase owned(Owner owner, NounPhrase what) {
  what.owner = owner;
  return what;
}
inline Owner owner(const char* text) { return {.name = &name(text)}; }
inline Owner owner(Determiner determiner, const char* english) { return {.determiner = determiner, .noun = &noun(english)}; }

inline Clause say(NounPhrase subject, const char* english, Frame frame) {
  return {.subject = subject, .verb = &verb(english, frame)};
}
inline Clause say(NounPhrase subject, const char* english, Frame frame, NounPhrase object) {
  return {.subject = subject, .verb = &verb(english, frame), .object = object};
}
inline Clause action(NounPhrase subject, const char* english, NounPhrase object) {
  return say(subject, english, Frame::action, object);
}
inline Clause action(NounPhrase subject, const char* english, Pronoun object) {
  return {.subject = subject, .verb = &verb(english, Frame::action), .object_pronoun = object};
}
inline Clause is(NounPhrase subject, const char* predicate) {
  return {.subject = subject, .verb = &verb("be", Frame::being), .predicate = &adjective(predicate)};
}
inline Clause aged(NounPhrase subject, int years) {
  return {.subject = subject, .verb = &verb("be", Frame::ageing), .age = years};
}
inline Clause there_is(NounPhrase what) { return {.there = true, .object = what}; }

inline Clause with(Clause clause, Negation negation) {
  clause.negation = negation;
  return clause;
}
inline Clause with(Clause clause, Frequency frequency) {
  clause.frequency = frequency;
  return clause;
}
inline Clause with(Clause clause, Degree degree) {
  clause.degree = degree;
  return clause;
}
inline Clause with(Clause clause, Circumstance circumstance) {
  clause.circumstance = circumstance;
  return clause;
}
inline Clause not_(Clause clause) { return with(clause, Negation::not_); }
inline Clause never(Clause clause) { return with(clause, Negation::never); }
inline Clause no_longer(Clause clause) { return with(clause, Negation::no_longer); }
inline Clause past(Clause clause) {
  clause.past = true;
  return clause;
}
inline Clause auxiliary(const char* english, Clause clause) {
  clause.auxiliary = &verb(english, Frame::auxiliary);
  return clause;
}
inline Clause to(NounPhrase recipient, Clause clause) {
  clause.recipient = recipient;
  return clause;
}
inline Clause to(Pronoun recipient, Clause clause) {
  clause.recipient_pronoun = recipient;
  return clause;
}

inline Sentence question(Clause clause) { return {.first = clause, .form = Form::question}; }
inline Sentence both(Clause first, Connector connector, Clause second) {
  return {.first = first, .connector = connector, .second = second};
}

}  // namespace weft::test::sentences
