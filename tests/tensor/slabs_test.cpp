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
  void* rest = slabs.cut(mebi / 2);  // what is left serves smaller ones
  CHECK(slab_of(rest) == slab_of(blocks[0]));
  void* next = slabs.cut(mebi / 2);
  CHECK(slab_of(next) != slab_of(blocks[0]));
  for (char* block : blocks) Slabs::note_idle(block);
  CHECK_FALSE(Slabs::is_idle(rest));
  Slabs::note_idle(rest);
  CHECK(slabs.free_idle() == 7 * (mebi + 64) + mebi / 2);
  Slabs::note_idle(next);
  CHECK(slabs.free_idle() == mebi / 2);
  CHECK(slabs.free_idle() == 0);
}

TEST_CASE("a slab is freed when all its blocks are idle, told anew each time") {
  Slabs slabs;
  std::array<std::array<void*, 2>, 3> blocks{};
  for (auto& pair : blocks)
    for (void*& block : pair) block = slabs.cut(3 * mebi);
  Slabs::note_idle(blocks[0][0]);
  for (void* block : blocks[1]) Slabs::note_idle(block);
  CHECK(Slabs::is_idle(blocks[1][0]));
  CHECK(slabs.free_idle() == 6 * mebi);
  Slabs::note_idle(blocks[0][1]);  // the first one's note no longer counts
  CHECK_FALSE(Slabs::is_idle(blocks[0][0]));
  CHECK(slabs.free_idle() == 0);
  void* more = slabs.cut(mebi);
  CHECK(slab_of(more) == slab_of(blocks[2][0]));  // it is cut from as before
  for (void* block : {blocks[0][0], blocks[0][1], blocks[2][0], blocks[2][1], more}) Slabs::note_idle(block);
  CHECK(slabs.free_idle() == 13 * mebi);
}
