#include "weft/data/made_headlines.hpp"

#include <fmt/format.h>

#include <array>

#include "base/fail.hpp"
#include "weft/base/random.hpp"

namespace weft::data {
namespace {

template <std::size_t n>
const char* one_of(const std::array<const char*, n>& choices, Generator& generator) {
  return choices[generator.below(n)];
}

/// Three syllables: one name in about a million.
std::string name(Generator& generator) {
  constexpr std::string_view consonants = "bcdfghjklmnprstvwz", vowels = "aeiou";
  std::string result;
  for (int i = 0; i < 3; ++i) {
    result += consonants[generator.below(consonants.size())];
    result += vowels[generator.below(vowels.size())];
  }
  return result;
}

struct Story {
  std::string paragraph, headline;
};

Story takeover(Generator& g) {
  const std::string buyer = name(g), bought = name(g);
  const std::uint64_t price = 1000 + g.below(9000);
  const char* form = one_of(std::array{"Corp", "Inc", "Co"}, g);
  if (g.below(2) == 0)
    return {fmt::format("{} {} said it agreed to buy {} for {} mln dlrs in cash.", buyer, form, bought, price),
            fmt::format("{} TO BUY {} FOR {} MLN DLRS", buyer, bought, price)};
  return {fmt::format("{} {} said it has sold its {} unit for {} mln dlrs.", buyer, form, bought, price),
          fmt::format("{} SELLS {} UNIT", buyer, bought)};
}

Story dividend(Generator& g) {
  const std::string company = name(g);
  const std::uint64_t cents = 1000 + g.below(9000);
  return {fmt::format("{} Inc, a maker of {}, said its board declared a dividend of {} cts a share.", company,
                      one_of(std::array{"ships", "tyres", "paper"}, g), cents),
          fmt::format("{} SETS DIVIDEND OF {} CTS", company, cents)};
}

Story output(Generator& g) {
  const std::string place = name(g);
  const char* crop = one_of(std::array{"wheat", "cocoa", "copper", "oil"}, g);
  const bool up = g.below(2) == 0;
  return {fmt::format("Output of {} in {} {} last month, officials said.", crop, place, up ? "rose" : "fell"),
          fmt::format("{} {} OUTPUT {}", place, crop, up ? "UP" : "DOWN")};
}

}  // namespace

ParallelText make_headlines(std::int64_t count, std::uint64_t seed) {
  check<ValueError>(count >= 0, "make_headlines", "{} stories can't be made", count);
  Generator generator(seed);
  ParallelText text;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint64_t pattern = generator.below(4);
    Story story = pattern < 2 ? takeover(generator) : pattern == 2 ? dividend(generator) : output(generator);
    text.source.push_back(std::move(story.paragraph));
    text.target.push_back(std::move(story.headline));
  }
  return text;
}

}  // namespace weft::data
