#include "data/rules.hpp"

#include "data/phrases.hpp"

namespace weft::data::grammar {
namespace {

const Verb& pick_verb(Choices& choices, Frame frame, Kinds subjects = ~Kinds{0}, Kinds objects = ~Kinds{0}) {
  return choices.pick(verbs(), [=](const Verb& verb) {
    return verb.frame == frame && (verb.subjects & subjects) != 0 && (verb.objects == 0 || (verb.objects & objects) != 0);
  });
}

bool has_pronoun(const Clause& clause) { return clause.subject.pronoun.has_value(); }

enum class Polarity : std::uint8_t { any, affirmative, negative };

struct Manner {
  Negation negation = Negation::none;
  Frequency frequency = Frequency::none;
};

void add_manner(Choices& choices, Clause& clause, Polarity polarity) {
  const Manner manner = choices.part({manner_part, 0, static_cast<std::uint32_t>(polarity)}, [&](Choices& c) {
    constexpr Manner manners[] = {{},
                                  {.frequency = Frequency::often},
                                  {.frequency = Frequency::always},
                                  {.frequency = Frequency::sometimes},
                                  {.negation = Negation::not_},
                                  {.negation = Negation::never},
                                  {.negation = Negation::no_longer}};
    const int yes = polarity != Polarity::negative ? 1 : 0, no = polarity != Polarity::affirmative ? 1 : 0;
    return manners[c.weighted({60 * yes, 4 * yes, 4 * yes, 4 * yes, 16 * no, 6 * no, 6 * no})];
  });
  clause.negation = manner.negation;
  clause.frequency = manner.frequency;
}

/// An auxiliary (going to, want to, can, must) or the plain present with adverbs and negations.
void add_auxiliary_or_manner(Choices& choices, Clause& clause, Form form) {
  if (choices.weighted({4, 1}) == 0) {
    add_manner(choices, clause, form == Form::question ? Polarity::affirmative : Polarity::any);
    return;
  }
  clause.auxiliary = &pick_verb(choices, Frame::auxiliary);
  if (choices.weighted({4, form == Form::question ? 0 : 1}) == 1) clause.negation = Negation::not_;
}

void add_circumstance(Choices& choices, Clause& clause, bool with_place) {
  clause.circumstance =
      circumstance(choices, clause.auxiliary != nullptr ? Timing::ahead : Timing::habitual, with_place, !has_pronoun(clause));
}

/// What a sentence says more of than the bare minimum: one thing at most, and nothing in questions, to stay within 14 words.
enum class Focus : std::uint8_t { none, subject, object, circumstance };

Focus pick_focus(Choices& choices, Form form, bool object, bool circumstance) {
  if (form == Form::question) return Focus::none;
  return static_cast<Focus>(choices.weighted({8, 2, object ? 5 : 0, circumstance ? 3 : 0}));
}

NounPhrase pick_subject(Choices& choices, const Clause& clause, Focus focus) {
  return subject(choices, clause.verb->subjects, focus == Focus::subject);
}

NounPhrase pick_object(Choices& choices, Kinds kinds, Focus focus) {
  if (focus == Focus::subject || focus == Focus::circumstance) return definite(choices, kinds);
  return object_phrase(choices, kinds, focus == Focus::object);
}

Clause action(Choices& choices, Form form) {
  const Focus focus = pick_focus(choices, form, true, true);
  Clause clause = {.verb = &pick_verb(choices, Frame::action)};
  clause.subject = pick_subject(choices, clause, focus);
  add_auxiliary_or_manner(choices, clause, form);
  clause.object = pick_object(choices, clause.verb->objects, focus);
  if (focus == Focus::circumstance) add_circumstance(choices, clause, true);
  return clause;
}

Clause pronoun_action(Choices& choices, Form form) {
  const bool liking = choices.weighted({5, 1}) == 1;
  Clause clause = {.verb = &pick_verb(choices, liking ? Frame::liking : Frame::action)};
  clause.subject = subject(choices, clause.verb->subjects, false);
  add_auxiliary_or_manner(choices, clause, form);
  clause.object_pronoun = object_pronoun_beside(choices, clause.subject, (clause.verb->objects & kind::person) != 0);
  if (choices.weighted({2, liking ? 0 : 1}) == 1) add_circumstance(choices, clause, true);
  return clause;
}

Clause liking(Choices& choices, Form form) {
  const std::size_t which = choices.weighted({3, 2, 3, 3});
  const Focus focus = pick_focus(choices, form, which == 3, false);
  Clause clause = {.verb = &pick_verb(choices, Frame::liking)};
  clause.subject = pick_subject(choices, clause, focus);
  add_manner(choices, clause, form == Form::question ? Polarity::affirmative : Polarity::any);
  const Kinds things = clause.verb->objects & kind::concrete;
  if (which < 3) {
    const Kinds kinds[] = {kind::discipline, kind::substance, things};
    clause.object = generic(choices, kinds[which]);
  } else {
    clause.object = focus == Focus::object ? rich_definite(choices, things) : definite(choices, things);
  }
  return clause;
}

Clause learning(Choices& choices, Form form) {
  const Focus focus = pick_focus(choices, form, false, true);
  Clause clause = {.verb = &pick_verb(choices, Frame::learning)};
  clause.subject = pick_subject(choices, clause, focus);
  add_auxiliary_or_manner(choices, clause, form);
  clause.object = generic(choices, kind::discipline);
  if (focus == Focus::circumstance) add_circumstance(choices, clause, true);
  return clause;
}

/// Eating, buying, wanting: some of a substance, or countable things.
Clause consuming(Choices& choices, Form form) {
  const Frame frame = choices.weighted({2, 1}) == 0 ? Frame::consuming : Frame::wanting;
  Clause clause = {.verb = &pick_verb(choices, frame)};
  const Kinds substances = clause.verb->objects & kind::substance, things = clause.verb->objects & ~kind::substance;
  const bool countable = choices.weighted({3, things != 0 ? 2 : 0}) == 1;
  const Focus focus = pick_focus(choices, form, countable, true);
  clause.subject = pick_subject(choices, clause, focus);
  if (frame == Frame::consuming) {
    add_auxiliary_or_manner(choices, clause, form);
  } else {
    add_manner(choices, clause, form == Form::question ? Polarity::affirmative : Polarity::any);
  }
  clause.object = countable ? pick_object(choices, things, focus) : substance(choices, substances);
  if (focus == Focus::circumstance) add_circumstance(choices, clause, true);
  return clause;
}

Clause giving(Choices& choices, Form form) {
  Clause clause = {.verb = &pick_verb(choices, Frame::giving)};
  clause.subject = subject(choices, clause.verb->subjects, false);
  add_auxiliary_or_manner(choices, clause, form);
  const bool pronoun = choices.weighted({1, 1}) == 1;
  if (pronoun) {
    clause.recipient_pronoun = object_pronoun_beside(choices, clause.subject, true);
  } else {
    clause.recipient = choices.weighted({2, 1}) == 0 ? definite(choices, kind::person) : person_name(choices);
  }
  clause.object = object_phrase(choices, clause.verb->objects, pronoun && choices.weighted({2, 1}) == 1);
  return clause;
}

Clause about(Choices& choices, Form form) {
  const bool whole_kind = choices.weighted({3, 1}) == 1;
  const Focus focus = pick_focus(choices, form, !whole_kind, false);
  Clause clause = {.verb = &pick_verb(choices, Frame::about)};
  clause.subject = pick_subject(choices, clause, focus);
  add_auxiliary_or_manner(choices, clause, form);
  clause.object = whole_kind ? generic(choices, clause.verb->objects) : pick_object(choices, clause.verb->objects, focus);
  return clause;
}

Clause location(Choices& choices, Form form) {
  const Focus focus = pick_focus(choices, form, false, true);
  Clause clause = {.verb = &pick_verb(choices, Frame::location)};
  clause.subject = pick_subject(choices, clause, focus);
  add_auxiliary_or_manner(choices, clause, form);
  clause.object = definite(choices, kind::place, true);
  if (focus == Focus::circumstance) add_circumstance(choices, clause, false);
  return clause;
}

Clause playing(Choices& choices, Form form) {
  const Focus focus = pick_focus(choices, form, false, true);
  const Frame frames[] = {Frame::gaming, Frame::performing, Frame::speaking};
  Clause clause = {.verb = &pick_verb(choices, frames[choices.weighted({1, 1, 1})])};
  clause.subject = pick_subject(choices, clause, focus);
  add_auxiliary_or_manner(choices, clause, form);
  if (clause.verb->frame == Frame::speaking) {
    clause.language = &choices.pick(languages());
  } else {
    clause.object = generic(choices, clause.verb->objects);
    if (clause.verb->frame == Frame::performing) clause.object->determiner = Determiner::the;
  }
  if (focus == Focus::circumstance) add_circumstance(choices, clause, true);
  return clause;
}

Clause bare(Choices& choices, Form form) {
  const Focus focus = pick_focus(choices, form, false, false);
  Clause clause = {.verb = &pick_verb(choices, Frame::bare)};
  clause.subject = pick_subject(choices, clause, focus);
  add_auxiliary_or_manner(choices, clause, form);
  add_circumstance(choices, clause, true);
  return clause;
}

Clause happening(Choices& choices) {
  Clause clause = {.subject = definite(choices, kind::event), .verb = &pick_verb(choices, Frame::happening)};
  if (clause.verb->is_be()) {
    clause.past = choices.weighted({1, 1}) == 1;
  } else if (choices.weighted({1, 1}) == 1) {
    clause.auxiliary = &verb("be going to", Frame::auxiliary);
  }
  clause.circumstance = circumstance(choices, Timing::scheduled, false, false);
  return clause;
}

Clause condition(Choices& choices) {
  const bool ageing = choices.weighted({1, 1}) == 1;
  Clause clause = {.verb = &pick_verb(choices, ageing ? Frame::ageing : Frame::condition)};
  clause.subject = subject(choices, clause.verb->subjects, choices.weighted({4, 1}) == 1);
  clause.past = choices.weighted({3, 1}) == 1;
  if (ageing) {
    clause.age = pick_age(choices);
  } else {
    add_manner(choices, clause, Polarity::any);
  }
  return clause;
}

/// Kinds of noun with the same adjectives and verbs, and how often sentences are about them.
constexpr Kinds topics[] = {kind::person, kind::animal,   kind::place, kind::object,     kind::opening,  kind::vehicle,
                            kind::text,   kind::clothing, kind::food,  kind::discipline, kind::substance};
Kinds pick_topic(Choices& choices, bool countable) {
  return topics[choices.weighted({8, 3, 2, 1, 1, 1, 1, 1, 1, countable ? 0 : 3, countable ? 0 : 1})];
}

Clause being(Choices& choices) {
  const Kinds topic = pick_topic(choices, false);
  Clause clause = {.verb = &verb("be", Frame::being), .predicate = predicate_for(choices, topic)};
  if (topic == kind::discipline) {
    clause.subject = generic(choices, topic);
  } else if (topic == kind::substance) {
    clause.subject = definite(choices, topic, true);
  } else {
    clause.subject = subject(choices, topic, choices.weighted({3, 1}) == 1);
  }
  clause.degree = static_cast<Degree>(choices.weighted({5, 2, 1}));
  switch (choices.weighted({6, 3, 1})) {
    case 0: add_manner(choices, clause, Polarity::any); break;
    case 1:
      clause.past = true;
      add_manner(choices, clause, Polarity::any);
      break;
    default: clause.auxiliary = &verb(choices.weighted({1, 1}) == 0 ? "be going to" : "must", Frame::auxiliary);
  }
  return clause;
}

/// "The man who sings is happy."
Clause being_who(Choices& choices) {
  Clause clause = {.verb = &verb("be", Frame::being), .predicate = predicate_for(choices, kind::person)};
  clause.subject = definite(choices, kind::person);
  clause.subject.who = &pick_verb(choices, Frame::bare, kind::person);
  if (choices.weighted({3, 1}) == 1) clause.negation = Negation::not_;
  return clause;
}

Clause existence(Choices& choices) {
  Clause clause = {.there = true};
  clause.object = indefinite(choices, kind::living | kind::goods, choices.weighted({2, 1}) == 1);
  if (choices.weighted({4, 1}) == 1) clause.negation = Negation::not_;
  clause.circumstance = {.kind = Circumstance::inside, .phrase = definite(choices, kind::place, true)};
  return clause;
}

/// A short clause about `who`, for sentences of two.
Clause short_clause(Choices& choices, const NounPhrase& who, Kinds topic, Polarity polarity) {
  Clause clause = choices.part({clause_part, topic, static_cast<std::uint32_t>(polarity)}, [&](Choices& c) {
    Clause predicate;
    const bool living = (topic & kind::living) != 0, person = (topic & kind::person) != 0;
    switch (c.weighted({3, living ? 2 : 0, living ? 1 : 0, person ? 2 : 0, person ? 1 : 0, person ? 1 : 0})) {
      case 0:
        predicate.verb = &verb("be", Frame::being);
        predicate.predicate = predicate_for(c, topic);
        break;
      case 1: predicate.verb = &pick_verb(c, Frame::bare, topic); break;
      case 2: predicate.verb = &pick_verb(c, Frame::condition, topic); break;
      case 3:
        predicate.verb = &pick_verb(c, Frame::action);
        predicate.object = definite(c, predicate.verb->objects);
        break;
      case 4:
        predicate.verb = &pick_verb(c, Frame::liking);
        predicate.object = generic(c, predicate.verb->objects);
        break;
      default: predicate.verb = &pick_verb(c, Frame::learning); predicate.object = generic(c, predicate.verb->objects);
    }
    add_manner(c, predicate, polarity);
    return predicate;
  });
  clause.subject = who;
  return clause;
}

/// Whom the second clause speaks of: the same again as a pronoun, or somebody who can't be taken for it. So "they" and "it"
/// have one French gender.
NounPhrase second_subject(Choices& choices, const NounPhrase& first, Kinds& topic) {
  using enum Pronoun;
  constexpr std::array speakers = {i, you, we};
  const auto unless_first = [&](Pronoun speaker) { return first.pronoun == speaker ? 0 : 1; };
  const bool pronoun = first.pronoun.has_value();
  switch (choices.weighted({4, 3, pronoun ? 2 : 0, pronoun ? 1 : 0})) {
    case 0: return pronoun_phrase(pronoun_for(first));
    case 1:
      topic = kind::person;
      return pronoun_phrase(speakers[choices.weighted({unless_first(i), unless_first(you), unless_first(we)})]);
    case 2: topic = kind::person; return definite(choices, kind::person);
    default: topic = kind::person; return person_name(choices);
  }
}

/// One clause at most is negative, for brevity.
std::pair<Polarity, Polarity> pick_polarities(Choices& choices) {
  using enum Polarity;
  constexpr std::pair<Polarity, Polarity> pairs[] = {
      {affirmative, affirmative}, {negative, affirmative}, {affirmative, negative}};
  return pairs[choices.weighted({4, 1, 1})];
}

Sentence coordinate(Choices& choices) {
  Kinds topic = pick_topic(choices, true);
  const auto [first, second] = pick_polarities(choices);
  Sentence sentence;
  sentence.first = short_clause(choices, subject(choices, topic, false), topic, first);
  using enum Connector;
  constexpr std::array connectors = {and_, but, because, when, if_};
  sentence.connector = connectors[choices.weighted({4, 3, 3, 1, 1})];
  const NounPhrase who = second_subject(choices, sentence.first.subject, topic);
  sentence.second = short_clause(choices, who, topic, second);
  return sentence;
}

/// "Paul buys the book and I read it.": the pronoun takes up the first clause's object.
Sentence take_up(Choices& choices) {
  const Kinds topic = pick_topic(choices, true);
  const auto [first, second] = pick_polarities(choices);
  Sentence sentence;
  sentence.first.verb = &pick_verb(choices, choices.weighted({3, 1}) == 0 ? Frame::action : Frame::liking, kind::person, topic);
  sentence.first.subject = subject(choices, kind::person, false);
  sentence.first.object = definite(choices, topic);
  add_manner(choices, sentence.first, first);
  sentence.connector = choices.weighted({1, 1}) == 0 ? Connector::and_ : Connector::but;
  Clause clause;
  clause.verb = &pick_verb(choices, choices.weighted({3, 1}) == 0 ? Frame::action : Frame::liking, kind::person, topic);
  Kinds subjects = kind::person;
  clause.subject = second_subject(choices, sentence.first.subject, subjects);
  clause.object_pronoun = pronoun_for(*sentence.first.object);
  add_manner(choices, clause, second);
  sentence.second = clause;
  return sentence;
}

/// "I think that he is happy."
Sentence stating(Choices& choices) {
  Sentence sentence;
  sentence.first = {.subject = subject(choices, kind::person, false), .verb = &pick_verb(choices, Frame::stating)};
  sentence.connector = Connector::that;
  Kinds topic = kind::person;
  const NounPhrase who = second_subject(choices, sentence.first.subject, topic);
  sentence.second =
      short_clause(choices, who, topic, choices.weighted({5, 1}) == 0 ? Polarity::affirmative : Polarity::negative);
  return sentence;
}

Sentence where(Choices& choices) {
  NounPhrase sought = choices.weighted({1, 5}) == 0 ? person_name(choices) : definite(choices, kind::concrete);
  return {.first = {.subject = sought}, .form = Form::where};
}

}  // namespace

Sentence draw_sentence(Choices& choices) {
  constexpr std::array asked = {action, pronoun_action, liking, learning, consuming, giving, about, location, playing, bare};
  constexpr std::array plain = {happening, condition, being, being_who, existence};
  constexpr std::array whole = {coordinate, take_up, stating, where};
  const std::size_t which = choices.weighted({18, 9, 8, 3, 8, 6, 6, 6, 4, 8, 4, 5, 14, 2, 4, 9, 4, 4, 1});
  if (which < asked.size()) {
    const Form form = choices.weighted({9, 1}) == 0 ? Form::statement : Form::question;
    return {.first = asked[which](choices, form), .form = form};
  }
  if (which < asked.size() + plain.size()) return {.first = plain[which - asked.size()](choices)};
  return whole[which - asked.size() - plain.size()](choices);
}

Sentence sentence_at(std::uint64_t seed, std::uint64_t index) {
  constexpr std::uint64_t draws_per_sentence = 256;  // far more than the rules ever take
  RandomChoices choices(Generator(seed, index * draws_per_sentence));
  return draw_sentence(choices);
}

}  // namespace weft::data::grammar
