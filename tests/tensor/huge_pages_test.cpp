#include "tensor/huge_pages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

#include "support/space_limit.hpp"

using namespace weft::detail;

TEST_CASE("memory in huge pages is aligned to them, zero, and there to its end") {
  for (const std::size_t pages : {1u, 3u, 20u}) {
    const std::size_t bytes = pages * huge_page;
    std::byte* memory = map_huge(bytes);
    REQUIRE(memory != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % huge_page == 0);
    CHECK(std::all_of(memory, memory + bytes, [](std::byte b) { return b == std::byte{0}; }));
    std::fill_n(memory, bytes, std::byte{1});
    CHECK(unmap_huge(memory, bytes));
  }
}

TEST_CASE("what the system hasn't is null, and what it can't take stays") {
  if (!weft::test::pool_is_off()) {
    const weft::test::SpaceLimit limit(huge_page);
    CHECK(map_huge(4 * huge_page) == nullptr);
  }
  CHECK_FALSE(unmap_huge(reinterpret_cast<void*>(std::uintptr_t{64}), huge_page));  // no page begins there
}
