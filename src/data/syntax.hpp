#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/lexicon.hpp"

// What a sentence of the built-in grammar says, before it is put into English or French words.
namespace weft::data::grammar {

/// `it` and the feminine `they` appear only where an earlier noun gives the French gender. "You" is one man, politely.
enum class Pronoun : std::uint8_t { i, you, he, she, it_masculine, it_feminine, we, they, they_feminine };

/// `a` with a plural is "some", des; `generic` is bare in English and has the article in French; `partitive` is du, de la.
enum class Determiner : std::uint8_t {
  generic,
  partitive,
  a,
  the,
  this_,
  my,
  your,
  his,
  her,
  our,
  their,
  count,
  many,
  several,
  every,
  all,
};

/// The owner in "my sister's cat", "Paul's cat": a name, or a determiner and a person.
struct Owner {
  const Name* name = nullptr;
  Determiner determiner = Determiner::the;
  const Noun* noun = nullptr;
};

/// One of: a pronoun, a name, a noun with what belongs to it.
struct NounPhrase {
  std::optional<Pronoun> pronoun = {};
  const Name* name = nullptr;
  const Noun* noun = nullptr;
  Determiner determiner = Determiner::the;
  bool plural = false;
  int count = 0;  // with Determiner::count, 2 to 99
  const Adjective* before = nullptr;
  const Adjective* after = nullptr;
  Owner owner = {};           // takes the determiner's place in English
  const Verb* who = nullptr;  // "who sings"
};

enum class Negation : std::uint8_t { none, not_, never, no_longer };
enum class Frequency : std::uint8_t { none, often, always, sometimes };
enum class Degree : std::uint8_t { none, very, too };

/// Place, company or time of a clause.
struct Circumstance {
  enum Kind : std::uint8_t { none, inside, with, today, tomorrow, every_day, weekday, weekdays, date, month_only, clock };
  Kind kind = none;
  NounPhrase phrase = {};  // inside, with
  int day_of_week = -1;    // 0 is Monday; with a date it may be absent
  int day = 0;             // 1 to 31
  int month = 0;           // 0 is January
  int hour = 0;            // 1 to 11; 12 is noon, 0 midnight
};

struct Clause {
  NounPhrase subject = {};
  const Verb* verb = nullptr;
  const Verb* auxiliary = nullptr;
  bool past = false;   // for be: was, était
  bool there = false;  // "There is" and the object; no subject, no verb
  Negation negation = Negation::none;
  Frequency frequency = Frequency::none;
  const Adjective* predicate = nullptr;
  Degree degree = Degree::none;
  std::optional<Pronoun> object_pronoun = {};     // le in "je le vois"
  std::optional<Pronoun> recipient_pronoun = {};  // lui in "je lui donne"
  std::optional<NounPhrase> object = {};
  std::optional<NounPhrase> recipient = {};
  const Language* language = nullptr;
  int age = 0;
  Circumstance circumstance = {};
};

enum class Connector : std::uint8_t { none, and_, but, because, when, if_, that };
enum class Form : std::uint8_t { statement, question, where };  // "Where is" and the subject

struct Sentence {
  Clause first;
  Connector connector = Connector::none;
  std::optional<Clause> second = {};
  Form form = Form::statement;
};

std::string english(const Sentence& sentence);
std::string french(const Sentence& sentence);

/// A verb or an adjective with the noun that it is said of, in English: ("love", "programming").
using Combination = std::pair<std::string, std::string>;
std::vector<Combination> combinations(const Sentence& sentence);

/// "twenty-one"; "twenty-first"; "vingt et un", "vingt et une". Numbers from 1 to 99.
std::string english_number(int number);
std::string english_ordinal(int number);
std::string french_number(int number, Gender gender);

}  // namespace weft::data::grammar
