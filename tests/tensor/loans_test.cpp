#include "tensor/loans.hpp"

#include <doctest/doctest.h>

#include <array>
#include <numeric>

using weft::detail::Loans;

TEST_CASE("a loan ends once, and other blocks have the class that they come with") {
  std::array<std::byte, 100> blocks{};
  std::array<std::size_t, 100> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t& i : order) i = i * 37 % 100;
  Loans loans;
  CHECK(loans.end(&blocks[0], 5) == 5);
  for (const std::size_t i : order)
    if (i % 2 == 0) CHECK(loans.add(&blocks[i], 1000 + i));
  for (const std::size_t i : order) CHECK(loans.end(&blocks[i], i) == (i % 2 == 0 ? 1000 + i : i));
  for (const std::size_t i : order) CHECK(loans.end(&blocks[i], i) == i);
}
