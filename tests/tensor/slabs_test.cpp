#include "tensor/slabs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "support/space_limit.hpp"

using weft::detail::Slabs;

namespace {

constexpr std::size_t mebi = std::size_t{1} << 20;

std::byte* cut(Slabs& slabs, std::size_t bytes) { return static_cast<std::byte*>(slabs.cut(bytes)); }

}  // namespace

TEST_CASE("blocks lie aligned one behind the other, none beyond its slab's end") {
  Slabs slabs;
  std::vector<std::byte*> blocks;
  for (int i = 0; i < 7; ++i) blocks.push_back(cut(slabs, mebi + 64));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    CHECK(reinterpret_cast<std::uintptr_t>(blocks[i]) % 64 == 0);
    std::fill_n(blocks[i], mebi + 64, std::byte{1});  // all of it is there
    CHECK(blocks[i] == blocks[0] + i * (mebi + 64));
  }
  CHECK(slabs.mapped() == Slabs::size);
  for (const std::byte* block : blocks) slabs.note_idle(block);
  slabs.free_idle();
  CHECK(slabs.mapped() == 0);
}

TEST_CASE("blocks of a power of two fill a slab") {
  for (const std::size_t bytes : {std::size_t{64}, mebi / 4, mebi, 2 * mebi}) {
    Slabs slabs;
    for (std::size_t i = 0; i < Slabs::size / bytes; ++i) slabs.note_idle(slabs.cut(bytes));
    CHECK(slabs.mapped() == Slabs::size);
    slabs.note_idle(slabs.cut(bytes));
    CHECK(slabs.mapped() == 2 * Slabs::size);
    slabs.free_idle();
    CHECK(slabs.mapped() == 0);
  }
}

TEST_CASE("what is left of a slab serves smaller blocks, behind a newer slab too") {
  Slabs slabs;
  const std::byte *first = cut(slabs, 7 * mebi / 2), *second = cut(slabs, 7 * mebi / 2), *third = cut(slabs, 7 * mebi / 2);
  CHECK(second == first + 7 * mebi / 2);
  CHECK(slabs.mapped() == 2 * Slabs::size);
  const std::byte *small = cut(slabs, mebi / 2), *tiny = cut(slabs, 64), *next = cut(slabs, 64);
  CHECK(small == first + 7 * mebi);
  CHECK(tiny == small + mebi / 2);
  CHECK(next == tiny + 64);
  CHECK(cut(slabs, mebi) == third + 7 * mebi / 2);  // no longer where small ones go
  CHECK(slabs.mapped() == 2 * Slabs::size);
}

TEST_CASE("a slab is freed when all its blocks are idle, told anew each time, and the others are cut from as before") {
  Slabs slabs;
  std::array<std::array<std::byte*, 2>, 3> blocks{};
  for (auto& pair : blocks)
    for (std::byte*& block : pair) block = cut(slabs, 3 * mebi);
  slabs.note_idle(blocks[0][0]);
  for (const std::byte* block : blocks[1]) slabs.note_idle(block);
  CHECK(slabs.is_idle(blocks[1][0]));
  slabs.free_idle();
  CHECK(slabs.mapped() == 2 * Slabs::size);
  slabs.note_idle(blocks[0][1]);  // the first one's note no longer counts
  CHECK_FALSE(slabs.is_idle(blocks[0][0]));
  slabs.free_idle();
  CHECK(slabs.mapped() == 2 * Slabs::size);
  const std::byte* rest = cut(slabs, 2 * mebi);
  CHECK((rest == blocks[0][1] + 3 * mebi || rest == blocks[2][1] + 3 * mebi));
  for (const std::byte* block : {blocks[0][0], blocks[0][1], blocks[2][0], blocks[2][1], const_cast<std::byte*>(rest)})
    slabs.note_idle(block);
  slabs.free_idle();
  CHECK(slabs.mapped() == 0);
}

TEST_CASE("without memory there is no block, and there are some when there is memory again") {
  if (weft::test::pool_is_off()) return;
  Slabs slabs;
  {
    const weft::test::SpaceLimit limit(4 * mebi);
    CHECK(slabs.cut(mebi) == nullptr);
    CHECK(slabs.mapped() == 0);
  }
  slabs.note_idle(slabs.cut(mebi));
  CHECK(slabs.mapped() == Slabs::size);
  slabs.free_idle();
}

TEST_CASE("whatever is cut, kept and freed, what is in use is nobody else's") {
  struct Block {
    std::byte* memory;
    std::size_t bytes;
    std::byte mark;
  };
  Slabs slabs;
  std::mt19937 random(1);
  const auto below = [&random](std::size_t n) { return random() % n; };
  std::vector<Block> used, kept;
  const auto intact = [](const Block& b) {
    return b.memory[0] == b.mark && b.memory[b.bytes / 2] == b.mark && b.memory[b.bytes - 1] == b.mark;
  };
  for (int round = 0; round < 600; ++round) {
    if (below(3) > 0) {
      const std::size_t bytes = 64 * (1 + below(below(8) > 0 ? 100 : Slabs::cut_below / 64 - 1));
      const Block block{cut(slabs, bytes), bytes, static_cast<std::byte>(round)};
      REQUIRE(block.memory != nullptr);
      for (const std::size_t i : {std::size_t{0}, bytes / 2, bytes - 1}) block.memory[i] = block.mark;
      used.push_back(block);
    } else if (!used.empty()) {
      std::swap(used[below(used.size())], used.back());
      kept.push_back(used.back());
      used.pop_back();
    }
    if (round % 50 != 0) continue;
    for (const Block& block : kept) slabs.note_idle(block.memory);
    std::erase_if(kept, [&](const Block& block) { return slabs.is_idle(block.memory); });
    slabs.free_idle();
    REQUIRE(std::all_of(used.begin(), used.end(), intact));
    REQUIRE(std::all_of(kept.begin(), kept.end(), intact));
  }
  for (const auto* blocks : {&used, &kept})
    for (const Block& block : *blocks) slabs.note_idle(block.memory);
  slabs.free_idle();
  CHECK(slabs.mapped() == 0);
}
