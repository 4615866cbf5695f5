#pragma once
#include <cstddef>
#include <vector>

namespace weft::detail {

/// Blocks cut one behind the other out of large pieces of the system's memory, which lie in huge pages: a matrix of a megabyte
/// in pages of 4 KiB costs a product a fifth of its time in misses of the address cache. The caller locks.
class Slabs {
 public:
  static constexpr std::size_t size = std::size_t{8} << 20;  ///< of a slab, and what its address is a multiple of
  static constexpr std::size_t cut_below = size / 2;         ///< blocks are smaller

  /// A block of `bytes`, a multiple of 64 below cut_below, aligned to 64, from the fullest slab that has such room; null
  /// where the system has no memory. A new slab may need twice its size of address space for a moment.
  void* cut(std::size_t bytes) noexcept;
  /// Bytes of all slabs.
  std::size_t mapped() const { return slabs_.size() * size; }

  /// Tells that a block isn't in use. free_idle goes by what was told since it last ran.
  void note_idle(const void* block) noexcept { ++slab_of(block).idle; }
  /// Whether all blocks of the block's slab are told idle.
  bool is_idle(const void* block) noexcept { return slab_of(block).is_idle(); }
  /// Gives the slabs that are idle whole back to the system.
  void free_idle() noexcept;

 private:
  // Beside their memory, not in it: blocks of a power of two fill a slab, and are all that is written to it.
  struct Slab {
    std::byte* memory;
    std::size_t used = 0;           // up to here it is cut
    std::size_t cut = 0, idle = 0;  // blocks

    bool is_idle() const { return idle == cut; }
  };
  Slab& slab_of(const void* block) noexcept;
  Slab* with_room(std::size_t bytes) noexcept;

  std::vector<Slab> slabs_;  // by address
};

}  // namespace weft::detail
