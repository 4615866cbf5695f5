#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace weft {

/// What a block of memory is for; reports are by category.
enum class MemoryCategory : std::uint8_t { activations, parameters, gradients, optimizer, scratch };
inline constexpr std::size_t memory_categories = 5;
const char* name_of(MemoryCategory category);

/// Tensors made on this thread while the guard lives are counted under `category` (otherwise: activations).
class MemoryCategoryGuard {
 public:
  explicit MemoryCategoryGuard(MemoryCategory category);
  ~MemoryCategoryGuard();
  MemoryCategoryGuard(const MemoryCategoryGuard&) = delete;
  MemoryCategoryGuard& operator=(const MemoryCategoryGuard&) = delete;

 private:
  MemoryCategory previous_;
};

/// Bytes of tensors. Other threads' last 256 KiB of each category may not be in yet, nor a thread's own in its peaks.
struct MemoryUse {
  std::int64_t current = 0;
  std::int64_t peak = 0;
};

struct MemoryStatistics {
  std::array<MemoryUse, memory_categories> by_category;
  MemoryUse total;
  MemoryUse reserved;            ///< what the pool has from the system, in use or kept for reuse
  std::int64_t pool_misses = 0;  ///< requests that no kept block answered
};

MemoryStatistics memory_statistics();
/// Peaks start again from what is in use now, those by module too.
void reset_peak_memory();
/// Gives the pool's unused memory back to the system: large blocks, and what those below 4 MiB are cut from, 8 MiB at a time,
/// where none of it is in use. Other threads keep up to 1 MiB of small blocks of each size.
void trim_memory();

namespace detail {

/// A block of at least `bytes`, aligned to 64. Throws OutOfMemoryError. Under the sanitizers of addresses, memory and
/// threads every request goes to the system.
void* pool_allocate(std::size_t bytes);
/// Gives a block back; `bytes` as it was asked for.
void pool_release(void* block, std::size_t bytes) noexcept;
void count_bytes(MemoryCategory category, std::int64_t bytes) noexcept;
MemoryCategory current_category();

}  // namespace detail
}  // namespace weft
