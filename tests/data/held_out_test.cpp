#include "weft/data/held_out.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace weft::data;

TEST_CASE("the share that is held out is what it says, evenly spread") {
  for (const double share : {0.0, 0.05, 0.3, 0.4, 0.5, 0.75, 0.9}) {
    CAPTURE(share);
    std::int64_t held = 0, gap = 0, longest = 0;
    for (std::int64_t i = 0; i < 1000; ++i) {
      gap = is_held_out(i, share) ? 0 : gap + 1;
      longest = std::max(longest, gap);
      held += gap == 0 ? 1 : 0;
    }
    CHECK(held == static_cast<std::int64_t>(1000 * share));
    if (share > 0) CHECK(longest <= static_cast<std::int64_t>(1 / share) + 1);
  }
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < 10; ++i)
    if (is_held_out(i, 0.4)) chosen.push_back(i);
  CHECK(chosen == std::vector<std::int64_t>{2, 4, 7, 9});
}
