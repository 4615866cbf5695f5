#include "weft/data/made_headlines.hpp"

#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "weft/base/error.hpp"
#include "weft/text/lower.hpp"
#include "weft/text/words.hpp"

using namespace weft;
using namespace weft::data;

namespace {

std::set<std::string> words_of(const std::string& line) {
  std::istringstream words(text::words(text::lower(line)));
  std::set<std::string> all;
  for (std::string word; words >> word;) all.insert(word);
  return all;
}

}  // namespace

TEST_CASE("a seed says which stories are made, fewer are the first ones") {
  const ParallelText some = make_headlines(50, 1), fewer = make_headlines(20, 1);
  CHECK(some.size() == 50);
  CHECK(std::equal(fewer.source.begin(), fewer.source.end(), some.source.begin()));
  CHECK(std::equal(fewer.target.begin(), fewer.target.end(), some.target.begin()));
  CHECK(make_headlines(50, 2).source != some.source);
  CHECK(make_headlines(0, 1).size() == 0);
  CHECK_THROWS_WITH_AS(make_headlines(-1, 1), "[make_headlines] -1 stories can't be made", ValueError);
}

TEST_CASE("headlines have words that no other story has, all of them in the story") {
  const ParallelText known = make_headlines(1000, 1), others = make_headlines(100, 2);
  std::set<std::string> vocabulary;
  for (const auto* lines : {&known.source, &known.target})
    for (const std::string& line : *lines) vocabulary.merge(words_of(line));
  int copied = 0;
  for (std::size_t i = 0; i < others.size(); ++i) {
    const std::set<std::string> story = words_of(others.source[i]);
    bool any = false;
    for (const std::string& word : words_of(others.target[i])) {
      if (vocabulary.count(word) > 0) continue;
      CHECK(story.count(word) == 1);
      any = true;
    }
    copied += any ? 1 : 0;
  }
  CHECK(copied > 95);
}
