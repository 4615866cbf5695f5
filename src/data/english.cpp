#include <array>

#include "base/fail.hpp"
#include "data/syntax.hpp"
#include "data/words.hpp"

namespace weft::data::grammar {
namespace {

constexpr std::array ones = {"",         "one",     "two",     "three",     "four",     "five",    "six",
                             "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
                             "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array tens = {"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};

/// What a verb agrees with: I am, he is, we are.
enum class Person { first, third, other };

Person person_of(const NounPhrase& subject) {
  if (!subject.pronoun) return subject.plural ? Person::other : Person::third;
  switch (*subject.pronoun) {
    case Pronoun::i: return Person::first;
    case Pronoun::he:
    case Pronoun::she:
    case Pronoun::it_masculine:
    case Pronoun::it_feminine: return Person::third;
    default: return Person::other;
  }
}

const char* subject_pronoun(Pronoun pronoun) {
  switch (pronoun) {
    case Pronoun::i: return "I";
    case Pronoun::you: return "you";
    case Pronoun::he: return "he";
    case Pronoun::she: return "she";
    case Pronoun::it_masculine:
    case Pronoun::it_feminine: return "it";
    case Pronoun::we: return "we";
    case Pronoun::they:
    case Pronoun::they_feminine: return "they";
  }
  return "";
}

const char* object_pronoun(Pronoun pronoun) {
  switch (pronoun) {
    case Pronoun::i: return "me";
    case Pronoun::you: return "you";
    case Pronoun::he: return "him";
    case Pronoun::she: return "her";
    case Pronoun::it_masculine:
    case Pronoun::it_feminine: return "it";
    case Pronoun::we: return "us";
    case Pronoun::they:
    case Pronoun::they_feminine: return "them";
  }
  return "";
}

std::string determiner(const NounPhrase& phrase, const std::string& next, bool negated) {
  switch (phrase.determiner) {
    case Determiner::generic: return "";
    case Determiner::partitive: return "";
    case Determiner::a:
      if (phrase.plural) return negated ? "any" : "some";
      return std::string_view("aeiouAEIOU").find(next[0]) == std::string_view::npos ? "a" : "an";
    case Determiner::the: return "the";
    case Determiner::this_: return phrase.plural ? "these" : "this";
    case Determiner::my: return "my";
    case Determiner::your: return "your";
    case Determiner::his: return "his";
    case Determiner::her: return "her";
    case Determiner::our: return "our";
    case Determiner::their: return "their";
    case Determiner::count: return english_number(phrase.count);
    case Determiner::many: return "many";
    case Determiner::several: return "several";
    case Determiner::every: return "every";
    case Determiner::all: return "all the";
  }
  return "";
}

Words noun_phrase(const NounPhrase& phrase, bool negated) {
  if (phrase.pronoun) return {object_pronoun(*phrase.pronoun)};
  if (phrase.name != nullptr) return {phrase.name->text};
  Words core;
  if (phrase.before != nullptr) add(core, phrase.before->english);
  if (phrase.after != nullptr) add(core, phrase.after->english);
  add(core, phrase.plural ? phrase.noun->english_plural : phrase.noun->english);
  Words words;
  if (phrase.owner.name != nullptr) {
    add(words, std::string(phrase.owner.name->text) + "'s");
  } else if (phrase.owner.noun != nullptr) {
    add_all(words, noun_phrase({.noun = phrase.owner.noun, .determiner = phrase.owner.determiner}, false));
    words.back() += "'s";
  } else {
    add(words, determiner(phrase, core[0], negated));
  }
  add_all(words, core);
  if (phrase.who != nullptr) add_all(words, {"who", phrase.plural ? phrase.who->base : phrase.who->third});
  return words;
}

const char* form_of_be(Person person, bool past) {
  if (past) return person == Person::other ? "were" : "was";
  return person == Person::first ? "am" : person == Person::third ? "is" : "are";
}

const char* adverb(Negation negation, Frequency frequency) {
  if (negation == Negation::never) return "never";
  if (negation == Negation::no_longer) return "no longer";
  constexpr std::array words = {"", "often", "always", "sometimes"};
  return words[static_cast<std::size_t>(frequency)];
}

/// The finite verb with its negation; `front` gets the part that a question puts before the subject.
void finite_verb(const Verb& verb, Person person, const Clause& clause, bool question, Words& front, Words& words) {
  const bool negated = clause.negation == Negation::not_;
  const bool defective = std::string_view(verb.base) == verb.third;  // can, must
  if (verb.is_be() || defective) {
    std::string form = verb.is_be() ? form_of_be(person, clause.past) : verb.base;
    const bool apart = form == "am" || form == "must";
    if (negated && !apart) form = form == "can" ? "can't" : form + "n't";
    add(question ? front : words, form);
    if (negated && apart) add(words, "not");
    add(words, adverb(clause.negation, clause.frequency));
  } else if (question || negated) {
    const std::string form = person == Person::third ? "does" : "do";
    add(question ? front : words, negated ? form + "n't" : form);
    add(words, adverb(clause.negation, clause.frequency));
    add(words, verb.base);
  } else {
    add(words, adverb(clause.negation, clause.frequency));
    add(words, person == Person::third ? verb.third : verb.base);
  }
  add(words, verb.particle);
}

Words circumstance(const Circumstance& what) {
  Words words;
  const auto day = [&] { return english_days()[static_cast<std::size_t>(what.day_of_week)]; };
  const auto month = [&] { return english_months()[static_cast<std::size_t>(what.month)]; };
  switch (what.kind) {
    case Circumstance::none: break;
    case Circumstance::inside:
    case Circumstance::with:
      add(words, what.kind == Circumstance::inside ? "in" : "with");
      add_all(words, noun_phrase(what.phrase, false));
      break;
    case Circumstance::today: return {"today"};
    case Circumstance::tomorrow: return {"tomorrow"};
    case Circumstance::every_day: return {"every", "day"};
    case Circumstance::weekday: return {"on", day()};
    case Circumstance::weekdays: return {"on", std::string(day()) + "s"};
    case Circumstance::date:
      add(words, "on");
      if (what.day_of_week >= 0) add(words, day());
      add_all(words, {"the", english_ordinal(what.day), "of", month()});
      break;
    case Circumstance::month_only: return {"in", month()};
    case Circumstance::clock:
      if (what.hour == 12) return {"at", "noon"};
      if (what.hour == 0) return {"at", "midnight"};
      return {"at", english_number(what.hour), "o'clock"};
  }
  return words;
}

/// What follows the subject and the verb group.
Words complements(const Clause& clause) {
  const bool negated = clause.negation != Negation::none;
  Words words;
  if (clause.object_pronoun) add(words, object_pronoun(*clause.object_pronoun));
  if (clause.recipient_pronoun) add(words, object_pronoun(*clause.recipient_pronoun));
  constexpr std::array degrees = {"", "very", "too"};
  add(words, degrees[static_cast<std::size_t>(clause.degree)]);
  if (clause.predicate != nullptr) add(words, clause.predicate->english);
  if (clause.object) add_all(words, noun_phrase(*clause.object, negated));
  if (clause.recipient) {
    add(words, "to");
    add_all(words, noun_phrase(*clause.recipient, false));
  }
  if (clause.language != nullptr) add(words, clause.language->english);
  if (clause.age > 0) add_all(words, {english_number(clause.age), "years", "old"});
  add_all(words, circumstance(clause.circumstance));
  return words;
}

Words subject_of(const Clause& clause) {
  if (clause.subject.pronoun) return {subject_pronoun(*clause.subject.pronoun)};
  return noun_phrase(clause.subject, false);
}

Words clause_words(const Clause& clause, bool question) {
  Words words, rest;
  if (clause.there) {
    const bool negated = clause.negation == Negation::not_;
    words = {"there", std::string(form_of_be(person_of(*clause.object), clause.past)) + (negated ? "n't" : "")};
  } else {
    const Verb& first = clause.auxiliary != nullptr ? *clause.auxiliary : *clause.verb;
    finite_verb(first, person_of(clause.subject), clause, question, words, rest);
    add_all(words, subject_of(clause));
    add_all(words, rest);
    if (clause.auxiliary != nullptr) add_all(words, {clause.verb->base, clause.verb->particle});
  }
  add_all(words, complements(clause));
  std::erase(words, "");
  return words;
}

}  // namespace

std::string english_number(int number) {
  check<ValueError>(number >= 1 && number <= 99, "english_number", "{} is not from 1 to 99", number);
  if (number < 20) return ones[static_cast<std::size_t>(number)];
  const std::string ten = tens[static_cast<std::size_t>(number / 10)];
  return number % 10 == 0 ? ten : ten + "-" + ones[static_cast<std::size_t>(number % 10)];
}

std::string english_ordinal(int number) {
  std::string word = english_number(number);
  const auto replace = [&](std::string_view ending, std::string_view by) {
    if (!word.ends_with(ending)) return false;
    word.replace(word.size() - ending.size(), ending.size(), by);
    return true;
  };
  const bool irregular = replace("one", "first") || replace("two", "second") || replace("three", "third") ||
                         replace("five", "fifth") || replace("eight", "eighth") || replace("nine", "ninth") ||
                         replace("twelve", "twelfth") || replace("y", "ieth");
  return irregular ? word : word + "th";
}

std::string english(const Sentence& sentence) {
  if (sentence.form == Form::where) {
    Words words = {"where", form_of_be(person_of(sentence.first.subject), false)};
    add_all(words, subject_of(sentence.first));
    return finish(words, "?");
  }
  const bool question = sentence.form == Form::question;
  Words words = clause_words(sentence.first, question);
  if (sentence.second) {
    constexpr std::array connectors = {"", "and", "but", "because", "when", "if", "that"};
    add(words, connectors[static_cast<std::size_t>(sentence.connector)]);
    add_all(words, clause_words(*sentence.second, false));
  }
  return finish(words, question ? "?" : ".");
}

}  // namespace weft::data::grammar
