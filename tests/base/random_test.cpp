#include "weft/base/random.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("Philox4x32-10 gives the known answers of Random123") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a generator is its seed and its position") {
  Generator a(7);
  a.bits();
  const std::uint64_t second = a.bits();
  Generator b(7, 1);
  CHECK(b.bits() == second);
  CHECK(Generator(8, 1).bits() != second);
}

TEST_CASE("scalar draws stay in their range") {
  Generator generator(3);
  for (int i = 0; i < 1000; ++i) {
    CHECK(generator.below(7) < 7);
    const double u = generator.uniform();
    CHECK((u >= 0 && u < 1));
  }
  CHECK_THROWS_WITH_AS(generator.below(0), doctest::Contains("bound must be positive"), std::exception);
}
