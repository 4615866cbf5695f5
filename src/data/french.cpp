#include <algorithm>
#include <array>

#include "base/fail.hpp"
#include "data/syntax.hpp"
#include "data/words.hpp"

namespace weft::data::grammar {
namespace {

constexpr std::array small_numbers = {"",         "un",     "deux",  "trois",    "quatre",   "cinq",    "six",
                                      "sept",     "huit",   "neuf",  "dix",      "onze",     "douze",   "treize",
                                      "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"};
constexpr std::array tens = {"",          "",         "vingt",    "trente",       "quarante",
                             "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt"};

/// Whether le, je, de, que ... lose their vowel before the word: a vowel or a mute h, but for some words.
bool elides(std::string_view word) {
  constexpr std::array blocked = {"hibou", "hiboux", "harpe", "huit", "onze"};
  if (std::find(blocked.begin(), blocked.end(), word) != blocked.end()) return false;
  if (word == "y") return true;
  constexpr std::array<std::string_view, 23> starts = {"a", "e", "i", "o", "u", "h", "A", "E", "I", "O", "U", "H",
                                                       "à", "â", "é", "è", "ê", "î", "ï", "ô", "û", "ù", "œ"};
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return word.starts_with(start); });
}

void elide(Words& words) {
  constexpr std::array losers = {"je", "me", "ne", "le", "la", "de", "que"};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& next = words[i + 1];
    const bool loses = std::find(losers.begin(), losers.end(), words[i]) != losers.end() && elides(next);
    if (loses || (words[i] == "si" && (next == "il" || next == "ils"))) words[i].back() = '\'';
  }
}

/// The phrase after a preposition; de and à merge with the articles le and les: du, des, au, aux.
Words governed(std::string_view preposition, Words phrase) {
  const bool merges = preposition == "de" || preposition == "à";
  if (merges && phrase[0] == "les") {
    phrase[0] = preposition == "de" ? "des" : "aux";
  } else if (merges && phrase[0] == "le" && phrase.size() > 1 && !elides(phrase[1])) {
    phrase[0] = preposition == "de" ? "du" : "au";
  } else if (!preposition.empty()) {
    phrase.insert(phrase.begin(), std::string(preposition));
  }
  return phrase;
}

struct Agreement {
  Gender gender;
  bool plural;
};

Agreement agreement_of(const NounPhrase& phrase) {
  if (phrase.name != nullptr) return {phrase.name->gender, false};
  if (!phrase.pronoun) return {phrase.noun->gender, phrase.plural || phrase.noun->always_plural()};
  const Pronoun pronoun = *phrase.pronoun;
  const bool feminine = pronoun == Pronoun::she || pronoun == Pronoun::it_feminine || pronoun == Pronoun::they_feminine;
  return {feminine ? Gender::feminine : Gender::masculine, pronoun >= Pronoun::we};
}

const char* agreeing(const Adjective& adjective, Agreement with) {
  if (with.gender == Gender::masculine) return with.plural ? adjective.masculine_plural : adjective.masculine;
  return with.plural ? adjective.feminine_plural : adjective.feminine;
}

/// Pronouns as subject, as object (direct, indirect) before the verb, and after a preposition, in the order of Pronoun.
constexpr std::array subject_pronouns = {"je", "vous", "il", "elle", "il", "elle", "nous", "ils", "elles"};
constexpr std::array object_pronouns = {"me", "vous", "le", "la", "le", "la", "nous", "les", "les"};
constexpr std::array recipient_pronouns = {"me", "vous", "lui", "lui", "lui", "lui", "nous", "leur", "leur"};
constexpr std::array stressed_pronouns = {"moi", "vous", "lui", "elle", "lui", "elle", "nous", "eux", "elles"};

std::size_t index(Pronoun pronoun) { return static_cast<std::size_t>(pronoun); }

/// How a phrase's indefinite article fares: des, du / de after a negation / nothing after the preposition de.
enum class Article { whole, negated, dropped };

/// A determiner that agrees: masculine, feminine, before a vowel sound, plural.
const char* choose(const std::array<const char*, 4>& forms, Agreement with, bool before_vowel) {
  if (with.plural) return forms[3];
  return forms[before_vowel ? 2 : with.gender == Gender::masculine ? 0 : 1];
}

Words determiner(const NounPhrase& phrase, Agreement with, const std::string& next, Article article) {
  const bool vowel = elides(next);
  const bool feminine = with.gender == Gender::feminine;
  switch (phrase.determiner) {
    case Determiner::generic:
    case Determiner::partitive:
    case Determiner::the: return {choose({"le", "la", feminine ? "la" : "le", "les"}, with, vowel)};
    case Determiner::a:
      if (article == Article::negated) return {"de"};
      if (with.plural && article == Article::dropped) return {};
      if (with.plural && phrase.before != nullptr) return {"de"};
      return {choose({"un", "une", feminine ? "une" : "un", "des"}, with, vowel)};
    case Determiner::this_: return {choose({"ce", "cette", feminine ? "cette" : "cet", "ces"}, with, vowel)};
    case Determiner::my: return {choose({"mon", "ma", "mon", "mes"}, with, vowel)};
    case Determiner::his:
    case Determiner::her: return {choose({"son", "sa", "son", "ses"}, with, vowel)};
    case Determiner::your: return {with.plural ? "vos" : "votre"};
    case Determiner::our: return {with.plural ? "nos" : "notre"};
    case Determiner::their: return {with.plural ? "leurs" : "leur"};
    case Determiner::count: return {french_number(phrase.count, with.gender)};
    case Determiner::many: return {"beaucoup", "de"};
    case Determiner::several: return {"plusieurs"};
    case Determiner::every: return {"chaque"};
    case Determiner::all: return {feminine ? "toutes" : "tous", "les"};
  }
  return {};
}

const char* present(const Verb& verb, const NounPhrase& subject) {
  const bool plural = agreement_of(subject).plural;
  if (!subject.pronoun) return plural ? verb.ils : verb.il;
  switch (*subject.pronoun) {
    case Pronoun::i: return verb.je;
    case Pronoun::we: return verb.nous;
    case Pronoun::you: return verb.vous;
    default: return plural ? verb.ils : verb.il;
  }
}

/// The stem of the present's nous (of être: ét) with the endings of the imparfait.
std::string imperfect(const Verb& verb, const NounPhrase& subject) {
  const std::string_view nous = verb.nous;
  const std::string stem(std::string_view(verb.infinitive) == "être" ? "ét" : nous.substr(0, nous.size() - 3));
  const bool plural = agreement_of(subject).plural;
  if (subject.pronoun == Pronoun::i) return stem + "ais";
  if (subject.pronoun == Pronoun::we) return stem + "ions";
  if (subject.pronoun == Pronoun::you) return stem + "iez";
  return stem + (plural ? "aient" : "ait");
}

Words noun_phrase(const NounPhrase& phrase, Article article) {
  if (phrase.pronoun) return {stressed_pronouns[index(*phrase.pronoun)]};
  if (phrase.name != nullptr) return {phrase.name->text};
  const Agreement with = agreement_of(phrase);
  const char* noun = with.plural ? phrase.noun->french_plural : phrase.noun->french;
  Words core;
  if (phrase.before != nullptr) {
    const bool liaison = with.gender == Gender::masculine && !with.plural && elides(noun);
    add(core, liaison ? phrase.before->before_vowel : agreeing(*phrase.before, with));
  }
  add(core, noun);
  if (phrase.after != nullptr) add(core, agreeing(*phrase.after, with));
  Words words = determiner(phrase, with, core[0], article);
  add_all(words, core);
  if (phrase.determiner == Determiner::partitive) {
    if (article == Article::dropped) return core;
    words = article == Article::negated ? governed("de", core) : governed("de", words);
  }
  if (phrase.owner.name != nullptr) add_all(words, {"de", phrase.owner.name->text});
  if (phrase.owner.noun != nullptr)
    add_all(words,
            governed("de", noun_phrase({.noun = phrase.owner.noun, .determiner = phrase.owner.determiner}, Article::whole)));
  if (phrase.who != nullptr) add_all(words, {"qui", with.plural ? phrase.who->ils : phrase.who->il});
  return words;
}

Words after_preposition(std::string_view preposition, const NounPhrase& phrase) {
  return governed(preposition, noun_phrase(phrase, preposition == "de" ? Article::dropped : Article::whole));
}

Words circumstance(const Circumstance& what) {
  Words words;
  const auto day = [&] { return french_days()[static_cast<std::size_t>(what.day_of_week)]; };
  const auto month = [&] { return french_months()[static_cast<std::size_t>(what.month)]; };
  switch (what.kind) {
    case Circumstance::none: break;
    case Circumstance::inside: return after_preposition("dans", what.phrase);
    case Circumstance::with: return after_preposition("avec", what.phrase);
    case Circumstance::today: return {"aujourd'hui"};
    case Circumstance::tomorrow: return {"demain"};
    case Circumstance::every_day: return {"tous", "les", "jours"};
    case Circumstance::weekday: return {day()};
    case Circumstance::weekdays: return {"le", day()};
    case Circumstance::date:
      add(words, "le");
      if (what.day_of_week >= 0) add(words, day());
      add(words, what.day == 1 ? "premier" : french_number(what.day, Gender::masculine));
      add(words, month());
      break;
    case Circumstance::month_only: return {"en", month()};
    case Circumstance::clock:
      if (what.hour == 12) return {"à", "midi"};
      if (what.hour == 0) return {"à", "minuit"};
      return {"à", french_number(what.hour, Gender::feminine), what.hour == 1 ? "heure" : "heures"};
  }
  return words;
}

/// What follows the verb group.
Words complements(const Clause& clause) {
  Words words;
  constexpr std::array degrees = {"", "très", "trop"};
  add(words, degrees[static_cast<std::size_t>(clause.degree)]);
  if (clause.predicate != nullptr) add(words, agreeing(*clause.predicate, agreement_of(clause.subject)));
  if (clause.object) {
    const std::string_view preposition = clause.there ? "" : clause.verb->preposition;
    const bool negated = clause.negation != Negation::none;
    if (preposition.empty()) {
      add_all(words, noun_phrase(*clause.object, negated ? Article::negated : Article::whole));
    } else {
      add_all(words, after_preposition(preposition, *clause.object));
    }
  }
  if (clause.recipient) add_all(words, after_preposition("à", *clause.recipient));
  if (clause.language != nullptr) add(words, clause.language->french);
  if (clause.age > 0) add_all(words, {french_number(clause.age, Gender::masculine), "ans"});
  add_all(words, circumstance(clause.circumstance));
  return words;
}

Words clause_words(const Clause& clause) {
  constexpr std::array negations = {"", "pas", "jamais", "plus"};
  constexpr std::array frequencies = {"", "souvent", "toujours", "parfois"};
  const bool negated = clause.negation != Negation::none;
  Words words, pronouns;
  if (clause.object_pronoun) add(pronouns, object_pronouns[index(*clause.object_pronoun)]);
  if (clause.recipient_pronoun) add(pronouns, recipient_pronouns[index(*clause.recipient_pronoun)]);

  if (clause.there) {
    add(words, "il");
  } else if (clause.subject.pronoun) {
    add(words, subject_pronouns[index(*clause.subject.pronoun)]);
  } else {
    words = noun_phrase(clause.subject, Article::whole);
  }
  if (negated) add(words, "ne");
  if (clause.there) {
    add_all(words, {"y", "a"});
  } else {
    if (clause.auxiliary == nullptr) add_all(words, pronouns);
    const Verb& finite = clause.auxiliary != nullptr ? *clause.auxiliary : *clause.verb;
    add(words, clause.past ? imperfect(finite, clause.subject) : present(finite, clause.subject));
  }
  add(words, negations[static_cast<std::size_t>(clause.negation)]);
  add(words, frequencies[static_cast<std::size_t>(clause.frequency)]);
  if (clause.auxiliary != nullptr) {
    add_all(words, pronouns);
    add(words, clause.verb->infinitive);
  }
  if (!clause.there) add(words, clause.verb->tail);
  add_all(words, complements(clause));
  return words;
}

}  // namespace

std::string french_number(int number, Gender gender) {
  check<ValueError>(number >= 1 && number <= 99, "french_number", "{} is not from 1 to 99", number);
  const std::string feminine_ending = gender == Gender::feminine ? "e" : "";
  if (number < 20) return small_numbers[static_cast<std::size_t>(number)] + (number == 1 ? feminine_ending : "");
  const std::string ten = tens[static_cast<std::size_t>(number / 10)];
  const bool from_score = number / 10 == 7 || number / 10 == 9;  // sixty and ten, four score and ten
  const int rest = number % 10 + (from_score ? 10 : 0);
  if (rest == 0) return number == 80 ? ten + "s" : ten;
  const std::string unit = small_numbers[static_cast<std::size_t>(rest)] + (rest == 1 ? feminine_ending : "");
  const bool with_et = number % 10 == 1 && number < 80;
  return ten + (with_et ? " et " : "-") + unit;
}

std::string french(const Sentence& sentence) {
  Words words;
  if (sentence.form == Form::where) {
    words = {"où", agreement_of(sentence.first.subject).plural ? "sont" : "est"};
    add_all(words, noun_phrase(sentence.first.subject, Article::whole));
    elide(words);
    words[0] = "Où";  // finish raises ASCII letters only
    return finish(words, " ?");
  }
  const bool question = sentence.form == Form::question;
  if (question) words = {"est-ce", "que"};
  add_all(words, clause_words(sentence.first));
  if (sentence.second) {
    constexpr std::array connectors = {"", "et", "mais", "parce que", "quand", "si", "que"};
    const Words connector = {connectors[static_cast<std::size_t>(sentence.connector)]};
    add_all(words, sentence.connector == Connector::because ? Words{"parce", "que"} : connector);
    add_all(words, clause_words(*sentence.second));
  }
  elide(words);
  return finish(words, question ? " ?" : ".");
}

}  // namespace weft::data::grammar
