#include "weft/metrics/edit_distance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "weft/base/error.hpp"
#include "weft/base/random.hpp"

using namespace weft;
using namespace weft::metrics;

namespace {

using Words = std::vector<std::string>;

/// Errors and, negative, hits of the best alignment, by trying all of them.
std::pair<std::int64_t, std::int64_t> best(const Words& a, const Words& b, std::size_t i = 0, std::size_t j = 0) {
  if (i == a.size()) return {static_cast<std::int64_t>(b.size() - j), 0};
  if (j == b.size()) return {static_cast<std::int64_t>(a.size() - i), 0};
  auto both = best(a, b, i + 1, j + 1);
  (a[i] == b[j] ? both.second : both.first) += a[i] == b[j] ? -1 : 1;
  auto one = std::min(best(a, b, i + 1, j), best(a, b, i, j + 1));
  ++one.first;
  return std::min(both, one);
}

Words random_words(Generator& generator, std::uint64_t most) {
  Words words(generator.below(most + 1));
  for (auto& word : words) word = std::string(1, static_cast<char>('a' + generator.below(3)));
  return words;
}

}  // namespace

TEST_CASE("edits are counted by kind") {
  const auto count = [](const Words& hypothesis, const Words& reference) { return count_edits(hypothesis, reference); };
  CHECK(count({"a", "b"}, {"a", "b"}) == EditCounts{.hits = 2});
  CHECK(count({"a", "x"}, {"a", "b"}) == EditCounts{.hits = 1, .substitutions = 1});
  CHECK(count({"a"}, {"a", "b"}) == EditCounts{.hits = 1, .deletions = 1});
  CHECK(count({"a", "b", "c"}, {"a", "c"}) == EditCounts{.hits = 2, .insertions = 1});
  CHECK(count({}, {"a", "b"}) == EditCounts{.deletions = 2});
  CHECK(count({"a", "b"}, {}) == EditCounts{.insertions = 2});
  CHECK(count({}, {}) == EditCounts{});
  // Two substitutions have as few errors, but no hit.
  CHECK(count({"b", "c"}, {"a", "b"}) == EditCounts{.hits = 1, .deletions = 1, .insertions = 1});
}

TEST_CASE("counts are those of the best of all alignments, whichever side is the reference") {
  Generator generator(7);
  for (int trial = 0; trial < 300; ++trial) {
    const Words a = random_words(generator, 6), b = random_words(generator, 6);
    CAPTURE(trial);
    const EditCounts counts = count_edits(a, b), turned = count_edits(b, a);
    const auto expected = best(a, b);
    CHECK(counts.errors() == expected.first);
    CHECK(counts.hits == -expected.second);
    CHECK(counts.hypothesis_length() == static_cast<std::int64_t>(a.size()));
    CHECK(counts.reference_length() == static_cast<std::int64_t>(b.size()));
    CHECK(turned == EditCounts{counts.hits, counts.substitutions, counts.insertions, counts.deletions});
    EditCounts aligned;
    std::size_t i = 0, j = 0;
    bool right = true;
    for (const Edit edit : align(a, b)) {
      if (edit == Edit::hit || edit == Edit::substitution) right = right && (a[i++] == b[j++]) == (edit == Edit::hit);
      if (edit == Edit::insertion) ++i;
      if (edit == Edit::deletion) ++j;
      aligned += {edit == Edit::hit, edit == Edit::substitution, edit == Edit::deletion, edit == Edit::insertion};
    }
    CHECK(right);
    CHECK(aligned == counts);
  }
}

TEST_CASE("an alignment is shown in columns") {
  const auto show = [](const Words& hypothesis, const Words& reference) { return show_alignment(hypothesis, reference); };
  CHECK(show({"the", "dog", "big", "sat"}, {"the", "dog", "sat"}) ==
        "REF: the dog *** sat\nHYP: the dog big sat\n             I\n");
  CHECK(show({"the", "dog", "big", "sat"}, {"the", "cat", "sat"}) ==
        "REF: the *** cat sat\nHYP: the dog big sat\n         I   S\n");
  CHECK(show({"größe", "x"}, {"maß", "x", "yz"}) == "REF: maß   x yz\nHYP: größe x **\n     S       D\n");
  CHECK(show({"a"}, {"a"}) == "REF: a\nHYP: a\n\n");
  CHECK(show({}, {}) == "REF:\nHYP:\n\n");
}

TEST_CASE("a word that isn't UTF-8 is refused with its number") {
  const Words sound = {"a"}, stray = {"\x80"}, broken = {"a", "b\xc3"};
  CHECK_THROWS_WITH_AS(show_alignment(stray, sound), "[show_alignment] hypothesis, word 1: not UTF-8 at byte 0", FormatError);
  CHECK_THROWS_WITH_AS(show_alignment(sound, broken), "[show_alignment] reference, word 2: not UTF-8 at byte 1", FormatError);
  CHECK_THROWS_WITH_AS(align(stray, sound), "[align] hypothesis, word 1: not UTF-8 at byte 0", FormatError);
  CHECK_THROWS_WITH_AS(count_edits(sound, broken), "[count_edits] reference, word 2: not UTF-8 at byte 1", FormatError);
}
