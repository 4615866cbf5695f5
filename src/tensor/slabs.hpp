#pragma once
#include <cstddef>

namespace weft::detail {

/// Blocks cut one behind the other out of large pieces of the system's memory, which lie in huge pages: a matrix of a megabyte
/// in pages of 4 KiB costs a product a fifth of its time in misses of the address cache. The caller locks.
class Slabs {
 public:
  static constexpr std::size_t size = std::size_t{8} << 20;  ///< of a slab, and what its address is a multiple of
  static constexpr std::size_t largest_block = size / 2;

  /// A block of `bytes` (a multiple of 64, at most largest_block), aligned to 64; null where the system has no memory.
  void* cut(std::size_t bytes) noexcept;

  /// Tells that a block isn't in use. free_idle goes by what was told since it last ran.
  static void note_idle(void* block) noexcept;
  /// Whether all blocks of the block's slab are told idle.
  static bool is_idle(const void* block) noexcept;
  /// Gives the slabs that are idle whole back to the system. Returns how many bytes had been cut from them.
  std::size_t free_idle() noexcept;

 private:
  struct Slab;
  static Slab* slab_of(const void* block) noexcept;

  Slab* all_ = nullptr;  // the one that is cut from first
};

}  // namespace weft::detail
