#include "../../examples/made_news.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace weft;

TEST_CASE("what quick runs are scored by isn't what they learn from") {
  const data::ParallelText test = made_news::for_testing();
  CHECK(test.size() == 100);
  for (const std::uint64_t seed : {0U, 1U, 2U, 0x7e57U}) {
    CAPTURE(seed);
    const data::ParallelText train = made_news::for_training(seed);
    // Invented names hardly ever come twice: what is alike is by chance.
    const auto seen = std::count_if(test.source.begin(), test.source.end(), [&](const std::string& story) {
      return std::find(train.source.begin(), train.source.end(), story) != train.source.end();
    });
    CHECK(seen <= 1);
  }
}
