#include "tensor/slabs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

using weft::detail::Slabs;

namespace {

constexpr std::size_t mebi = std::size_t{1} << 20;

std::uintptr_t slab_of(const void* block) { return reinterpret_cast<std::uintptr_t>(block) / Slabs::size; }

}  // namespace

TEST_CASE("blocks lie aligned one behind the other, none beyond its slab's end") {
  Slabs slabs;
  std::vector<char*> blocks;
  for (int i = 0; i < 7; ++i) blocks.push_back(static_cast<char*>(slabs.cut(mebi + 64)));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    CHECK(reinterpret_cast<std::uintptr_t>(blocks[i]) % 64 == 0);
    std::fill_n(blocks[i], mebi + 64, 'x');  // all of it is there
    CHECK(blocks[i] == blocks[0] + i * (mebi + 64));
  }
  CHECK(slab_of(blocks[0]) == slab_of(blocks[6] + mebi + 63));
  CHECK(slabs.mapped() == Slabs::size);
  for (char* block : blocks) slabs.note_idle(block);
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
  void *first = slabs.cut(7 * mebi / 2), *second = slabs.cut(7 * mebi / 2), *third = slabs.cut(7 * mebi / 2);
  CHECK(slab_of(second) == slab_of(first));
  CHECK(slab_of(third) != slab_of(first));
  void* rest = slabs.cut(mebi);
  CHECK(slab_of(rest) == slab_of(first));
  for (int i = 0; i < 4; ++i) slabs.note_idle(slabs.cut(mebi));
  CHECK(slabs.mapped() == 2 * Slabs::size);
  for (void* block : {first, second, third, rest}) slabs.note_idle(block);
  slabs.free_idle();
  CHECK(slabs.mapped() == 0);
}

TEST_CASE("a slab is freed when all its blocks are idle, told anew each time") {
  Slabs slabs;
  std::array<std::array<void*, 2>, 3> blocks{};
  for (auto& pair : blocks)
    for (void*& block : pair) block = slabs.cut(3 * mebi);
  slabs.note_idle(blocks[0][0]);
  for (void* block : blocks[1]) slabs.note_idle(block);
  CHECK(slabs.is_idle(blocks[1][0]));
  slabs.free_idle();
  CHECK(slabs.mapped() == 2 * Slabs::size);
  slabs.note_idle(blocks[0][1]);  // the first one's note no longer counts
  CHECK_FALSE(slabs.is_idle(blocks[0][0]));
  slabs.free_idle();
  CHECK(slabs.mapped() == 2 * Slabs::size);
  for (void* block : {blocks[0][0], blocks[0][1], blocks[2][0], blocks[2][1]}) slabs.note_idle(block);
  slabs.free_idle();
  CHECK(slabs.mapped() == 0);
}
