#include "weft/data/part.hpp"

#include <doctest/doctest.h>

#include "weft/data/digit_pairs.hpp"
#include "weft/data/moving_digits.hpp"
#include "weft/data/spoken_strings.hpp"

using namespace weft;
using namespace weft::data;

namespace {

constexpr Part parts[] = {Part::training, Part::validation, Part::test};

// How many of `count` things, numbered from 0, are the same in two parts; like(a, b, i).
template <class Like>
void check_apart(std::uint64_t count, const Like& like) {
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t b = 0; b < a; ++b) {
      std::uint64_t same = 0;
      for (std::uint64_t i = 0; i < count; ++i)
        if (like(a, b, i)) ++same;
      CHECK(same < count / 2);
    }
}

}  // namespace

TEST_CASE("each part has a seed of its own, and training the one that is given") {
  CHECK(seed_of(7, Part::training) == 7);
  for (const Part part : {Part::validation, Part::test}) {
    CHECK(seed_of(7, part) != 7);
    CHECK(seed_of(7, part) != seed_of(8, part));
  }
  CHECK(seed_of(7, Part::validation) != seed_of(7, Part::test));
}

TEST_CASE("what is drawn for one part isn't drawn for another") {
  const LabelledImages images = made_digits(40, 1);
  std::vector<MovingDigits> films;
  std::vector<DigitPairs> pairs;
  std::vector<std::vector<SpokenString>> strings;
  const std::vector<SpokenWord> words = tone_words(2, 4);
  for (const Part part : parts) {
    films.emplace_back(images, MovingDigitsOptions{.frames = 2, .part = part});
    pairs.emplace_back(words, images, DigitPairOptions{.part = part});
    strings.push_back(compose_strings(words, {.strings = 40, .part = part}));
  }
  check_apart(40, [&](std::size_t a, std::size_t b, std::uint64_t i) {
    return films[a].film(i).centres.str() == films[b].film(i).centres.str();
  });
  check_apart(40, [&](std::size_t a, std::size_t b, std::uint64_t i) {
    const DigitPair one = pairs[a].pair(i), other = pairs[b].pair(i);
    return one.label == other.label && one.spoilt == other.spoilt;
  });
  check_apart(40, [&](std::size_t a, std::size_t b, std::uint64_t i) {
    return strings[a][i].pauses == strings[b][i].pauses || strings[a][i].number == strings[b][i].number;
  });
  CHECK(films[0].describe() != films[1].describe());
  CHECK(pairs[0].describe() != pairs[2].describe());
}
