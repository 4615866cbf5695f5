#include "data/phrases.hpp"

namespace weft::data::grammar {
namespace {

const Noun& pick_noun(Choices& choices, Kinds kinds) {
  return choices.pick(nouns(), [&](const Noun& noun) { return (noun.kind & kinds) != 0; });
}

Determiner pick_definite(Choices& choices) {
  return choices.part({determiner_part}, [](Choices& c) {
    using enum Determiner;
    constexpr std::array determiners = {the, this_, my, your, his, her, our, their};
    return determiners[c.weighted({10, 3, 3, 1, 1, 1, 1, 1})];
  });
}

const Adjective* pick_adjective(Choices& choices, Kinds kinds, bool before_noun) {
  return choices.part({adjective_part, kinds, before_noun}, [=](Choices& c) {
    return &c.pick(adjectives(), [=](const Adjective& a) { return (a.kinds & kinds) != 0 && a.before_noun == before_noun; });
  });
}

void describe(Choices& choices, NounPhrase& phrase, bool before, bool after) {
  if (before) phrase.before = pick_adjective(choices, phrase.noun->kind, true);
  if (after) phrase.after = pick_adjective(choices, phrase.noun->kind, false);
}

/// One adjective, or sometimes one on each side.
void describe(Choices& choices, NounPhrase& phrase, bool brief) {
  const std::size_t which = choices.weighted({4, 5, brief ? 0 : 2});
  describe(choices, phrase, which != 1, which != 0);
}

Owner pick_owner(Choices& choices) {
  return choices.part({owner_part}, [](Choices& c) -> Owner {
    if (c.weighted({1, 1}) == 0) return {.name = &c.pick(names())};
    return {.determiner = pick_definite(c), .noun = &pick_noun(c, kind::person)};
  });
}

constexpr std::array<std::size_t, 12> days_of_month = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

int pick_count(Choices& choices) {
  return choices.part({count_part}, [](Choices& c) { return static_cast<int>(2 + c.below(30)); });
}

}  // namespace

NounPhrase definite(Choices& choices, Kinds kinds, bool singular) {
  return choices.part({definite_part, kinds, singular}, [&](Choices& c) {
    const bool plural = c.weighted({3, singular ? 0 : 1}) == 1;
    const Determiner determiner = pick_definite(c);
    return NounPhrase{.noun = &pick_noun(c, kinds), .determiner = determiner, .plural = plural};
  });
}

NounPhrase indefinite(Choices& choices, Kinds kinds, bool rich) {
  return choices.part({indefinite_part, kinds, rich}, [&](Choices& c) {
    NounPhrase phrase = {.noun = &pick_noun(c, kinds)};
    using enum Determiner;
    constexpr std::array determiners = {a, a, count, many, several};
    const std::size_t which = c.weighted({5, 3, 2, rich ? 2 : 0, rich ? 1 : 0});
    phrase.determiner = determiners[which];
    phrase.plural = which > 0;
    if (phrase.determiner == count) phrase.count = pick_count(c);
    if (rich && phrase.determiner == a) {
      describe(c, phrase, false);
    } else if (rich) {
      const std::size_t side = c.weighted({1, 1, phrase.determiner == count ? 0 : 1});  // "three cats" is not rich
      describe(c, phrase, side == 0, side == 1);
    }
    return phrase;
  });
}

NounPhrase rich_definite(Choices& choices, Kinds kinds, bool brief) {
  return choices.part({rich_part, kinds, brief}, [&](Choices& c) {
    const std::size_t which = c.weighted({6, (kinds & ~kind::person) != 0 ? 3 : 0, 1, 1});
    NounPhrase phrase = {.noun = &pick_noun(c, which == 1 ? kinds & ~kind::person : kinds)};
    if (which == 0) {
      phrase.determiner = pick_definite(c);
      phrase.plural = c.weighted({2, 1}) == 1;
      describe(c, phrase, brief);
    } else if (which == 1) {
      phrase.owner = pick_owner(c);
      phrase.plural = c.weighted({2, 1}) == 1;
      const std::size_t side = c.weighted({brief ? 0 : 1, brief ? 0 : 1, 4});
      describe(c, phrase, side == 0, side == 1);
    } else {
      phrase.determiner = which == 2 ? Determiner::all : Determiner::every;
      phrase.plural = which == 2;
    }
    return phrase;
  });
}

NounPhrase object_phrase(Choices& choices, Kinds kinds, bool rich) {
  return choices.part({object_part, kinds, rich}, [&](Choices& c) {
    switch (c.weighted({6, 4, (kinds & kind::person) != 0 && !rich ? 1 : 0})) {
      case 0: return rich ? rich_definite(c, kinds) : definite(c, kinds);
      case 1: return indefinite(c, kinds, rich);
      default: return person_name(c);
    }
  });
}

NounPhrase generic(Choices& choices, Kinds kinds) {
  return choices.part({generic_part, kinds}, [&](Choices& c) {
    const Noun& noun = pick_noun(c, kinds);
    return NounPhrase{.noun = &noun, .determiner = Determiner::generic, .plural = !noun.is_mass()};
  });
}

NounPhrase substance(Choices& choices, Kinds kinds) {
  return choices.part({substance_part, kinds}, [&](Choices& c) {
    const Determiner determiner = c.weighted({3, 1}) == 0 ? Determiner::partitive : pick_definite(c);
    return NounPhrase{.noun = &pick_noun(c, kinds), .determiner = determiner};
  });
}

NounPhrase person_name(Choices& choices) {
  return choices.part({name_part}, [](Choices& c) { return NounPhrase{.name = &c.pick(names())}; });
}

NounPhrase subject(Choices& choices, Kinds kinds, bool rich) {
  const bool persons = (kinds & kind::person) != 0;
  switch (choices.weighted({persons && !rich ? 10 : 0, persons && !rich ? 3 : 0, 6})) {
    case 0: {
      using enum Pronoun;
      constexpr std::array pronouns = {i, you, he, she, we, they};
      return pronoun_phrase(pronouns[choices.below(pronouns.size())]);
    }
    case 1: return person_name(choices);
    default: return rich ? rich_definite(choices, kinds, true) : definite(choices, kinds);
  }
}

Pronoun pronoun_for(const NounPhrase& phrase) {
  using enum Pronoun;
  if (phrase.pronoun) return *phrase.pronoun;
  const bool feminine = (phrase.name != nullptr ? phrase.name->gender : phrase.noun->gender) == Gender::feminine;
  if (phrase.plural) return feminine ? they_feminine : they;
  if (phrase.name != nullptr || phrase.noun->kind == kind::person) return feminine ? she : he;
  return feminine ? it_feminine : it_masculine;
}

Pronoun object_pronoun_beside(Choices& choices, const NounPhrase& subject, bool persons) {
  using enum Pronoun;
  if (!persons) return they;
  constexpr std::array pronouns = {i, we, you, he, she, they};
  const bool speakers = subject.pronoun == i || subject.pronoun == we;
  const int speaker = speakers ? 0 : 1, addressee = subject.pronoun == you ? 0 : 1;
  return pronouns[choices.weighted({speaker, speaker, addressee, 1, 1, 1})];
}

Circumstance circumstance(Choices& choices, Timing timing, bool with_place, bool pronouns) {
  const auto key = static_cast<std::uint32_t>(timing) << 2 | (with_place ? 2U : 0U) | (pronouns ? 1U : 0U);
  return choices.part({circumstance_part, key}, [&](Choices& c) {
    using enum Circumstance::Kind;
    constexpr std::array kinds = {inside, with, with, today, tomorrow, every_day, weekday, weekdays, date, month_only, clock};
    const bool habitual = timing == Timing::habitual, event = timing == Timing::scheduled;
    const std::size_t which = c.weighted({with_place && !event ? 6 : 0, event ? 0 : 4, pronouns && !event ? 3 : 0,
                                          event ? 0 : 1, timing == Timing::ahead ? 1 : 0, habitual ? 1 : 0, habitual ? 0 : 1,
                                          habitual ? 2 : 0, habitual ? 0 : 4, habitual ? 0 : 1, 2});
    Circumstance result = {.kind = kinds[which]};
    switch (result.kind) {
      case inside: result.phrase = definite(c, kind::place, true); break;
      case with:
        if (which == 2) {
          result.phrase = pronoun_phrase(object_pronoun_beside(c, {}, true));
        } else {
          result.phrase = c.weighted({1, 2}) == 0 ? person_name(c) : definite(c, kind::person);
        }
        break;
      case weekday:
      case weekdays: result.day_of_week = static_cast<int>(c.below(7)); break;
      case date:
        result.day_of_week = event && c.weighted({2, 1}) == 1 ? static_cast<int>(c.below(7)) : -1;
        result.month = static_cast<int>(c.below(12));
        result.day = static_cast<int>(1 + c.below(days_of_month[static_cast<std::size_t>(result.month)]));
        break;
      case month_only: result.month = static_cast<int>(c.below(12)); break;
      case clock: result.hour = static_cast<int>(c.below(13)); break;
      default: break;
    }
    return result;
  });
}

const Adjective* predicate_for(Choices& choices, Kinds kinds) {
  return choices.part({predicate_part, kinds}, [=](Choices& c) {
    return &c.pick(adjectives(), [=](const Adjective& adjective) { return (adjective.kinds & kinds) != 0; });
  });
}

int pick_age(Choices& choices) {
  return choices.part({age_part}, [](Choices& c) {
    const auto ten = static_cast<int>(c.below(10));
    const int seldom = ten > 0 ? 1 : 0;
    return 10 * ten + static_cast<int>(c.weighted({6 * seldom, seldom, 1, 1, 1, 1, 1, 1, 1, 1}));
  });
}

}  // namespace weft::data::grammar
