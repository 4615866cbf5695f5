#include "report/thin.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <utility>

using namespace weft;

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("neighbours are put together by the mean of what is finite") {
  const report::Block block{.values = {1, 2, 3, 4, 5, nan_value, 7, nan_value, nan_value}, .sizes = {1, 1, 3, 3}};
  const report::Block half = report::thinned(block, {1, 1, 2, 2});
  CHECK(half.sizes == std::array<std::int64_t, 4>{1, 1, 2, 2});
  CHECK(half.values[0] == 3);
  CHECK(half.values[1] == 3);
  CHECK(half.values[2] == 7);
  CHECK(std::isnan(half.values[3]));
  CHECK(report::share_of(512, 512) == 1);
  CHECK(report::share_of(513, 512) == 2);
}

TEST_CASE("what needn't be thinned isn't copied") {
  report::Block block{.values = {1, 2}, .sizes = {1, 1, 1, 2}};
  const double* values = block.values.data();
  CHECK(report::thinned(std::move(block), {1, 1, 1, 1}).values.data() == values);
}

TEST_CASE("of a long series the extremes stay, and its gaps") {
  report::Series series{.name = "s", .x = {}, .y = {}};
  for (int i = 0; i < 1000; ++i) {
    series.x.push_back(i);
    series.y.push_back(i == 500 ? 9 : i == 700 ? -9 : i == 300 ? nan_value : 0.5 * (i % 3));
  }
  const report::Series kept = report::thinned(series, 60);
  CHECK(kept.x.size() <= 60);
  CHECK(kept.x.size() == kept.y.size());
  int high = 0, low = 0, gaps = 0;
  for (std::size_t i = 0; i < kept.x.size(); ++i) {
    high += kept.x[i] == 500 && kept.y[i] == 9 ? 1 : 0;
    low += kept.x[i] == 700 && kept.y[i] == -9 ? 1 : 0;
    gaps += kept.x[i] == 300 && std::isnan(kept.y[i]) ? 1 : 0;
    if (i > 0) CHECK(kept.x[i] > kept.x[i - 1]);
  }
  CHECK(high == 1);
  CHECK(low == 1);
  CHECK(gaps == 1);
  CHECK(report::thinned(series, 1000).x.size() == 1000);
}
