#pragma once
#include <cstddef>
#include <vector>

#include "tensor/huge_pages.hpp"
#include "tensor/malloc_allocator.hpp"

namespace weft::detail {

/// Blocks cut one behind the other out of large pieces of the system's memory, which lie in huge pages: a matrix of a megabyte
/// in pages of 4 KiB costs a product a fifth of its time in misses of the address cache. The caller locks. It never gives
/// slabs back by itself: the pool that has one lives as long as the process.
class Slabs {
 public:
  static constexpr std::size_t size = 4 * huge_page;  ///< of a slab
  static constexpr std::size_t cut_below = size / 2;  ///< blocks are smaller

  Slabs() = default;
  Slabs(const Slabs&) = delete;
  Slabs& operator=(const Slabs&) = delete;

  /// A block of `bytes`, a multiple of 64 below cut_below, aligned to 64, from the fullest slab that has such room, so that
  /// small blocks go where large ones have none (from 64 KiB down: from one slab until that is full); null where the system
  /// has no memory.
  void* cut(std::size_t bytes) noexcept;
  /// Bytes of all slabs.
  std::size_t mapped() const { return slabs_.size() * size; }

  /// Tells that a block is several from now on.
  void note_split(const void* block, std::size_t pieces) noexcept { slab_of(block).cut += pieces - 1; }
  /// Tells that a block isn't in use. free_idle goes by what was told since it last ran.
  void note_idle(const void* block) noexcept { ++slab_of(block).idle; }
  /// Whether all blocks of the block's slab are told idle.
  bool is_idle(const void* block) noexcept { return slab_of(block).is_idle(); }
  /// Gives the slabs that are idle whole back to the system. Those that it doesn't take are cut anew.
  void free_idle() noexcept;

 private:
  // Beside their memory, not in it: blocks of a power of two fill a slab, and are all that is written to it.
  struct Slab {
    std::byte* memory;
    std::size_t used = 0;           // up to here it is cut
    std::size_t cut = 0, idle = 0;  // blocks

    bool is_idle() const { return idle == cut; }
    bool has_room(std::size_t bytes) const { return used + bytes <= size; }
  };

  using Records = std::vector<Slab, MallocAllocator<Slab>>;

  // The first slab that begins behind `address`.
  Records::iterator behind(const void* address) noexcept;
  Slab& slab_of(const void* block) noexcept { return behind(block)[-1]; }
  Slab* with_room(std::size_t bytes) noexcept;
  Slab* add_slab() noexcept;

  Records slabs_;               // by address
  std::byte* small_ = nullptr;  // the slab that small blocks are cut from
};

}  // namespace weft::detail
