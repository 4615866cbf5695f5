#include "weft/tensor/memory.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "base/fail.hpp"
#include "tensor/huge_pages.hpp"
#include "tensor/loans.hpp"
#include "tensor/module_peaks.hpp"
#include "tensor/slabs.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_HWADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEFT_POOL_PASSES_THROUGH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define WEFT_POOL_PASSES_THROUGH 1
#endif
#endif
#ifndef WEFT_POOL_PASSES_THROUGH
#define WEFT_POOL_PASSES_THROUGH 0
#endif

namespace weft {
namespace {

constexpr bool passes_through = WEFT_POOL_PASSES_THROUGH == 1;
constexpr std::size_t alignment = 64;
constexpr std::size_t local_limit = 64 << 10;  // blocks up to this size stay with their thread first
constexpr std::size_t local_bytes = 1 << 20;   // of each class
constexpr std::size_t most_bytes = std::size_t{1} << 46;
constexpr std::size_t larger_classes = 4;  // a block of up to so many classes above, twice the size, serves where none is kept
constexpr std::size_t total_slot = memory_categories, reserved_slot = total_slot + 1;
constexpr std::int64_t report_every = 256 << 10;  // a thread's count joins the others' when it has moved this far

// For tests: what is given out is NaN, so that what isn't written shows.
const bool fills_memory =
    std::string_view(std::getenv("WEFT_FILL_MEMORY") != nullptr ? std::getenv("WEFT_FILL_MEMORY") : "") == "1";

// Four to each power of two: 64, 128, 192, 256, 320, 384, 448, 512, 640, ...
constexpr std::size_t class_of(std::size_t bytes) {
  const std::size_t units = (bytes + alignment - 1) / alignment;
  if (units <= 4) return units == 0 ? 0 : units - 1;
  const auto shift = static_cast<std::size_t>(std::bit_width(units - 1)) - 3;
  return 4 * shift + ((units - 1) >> shift);
}

constexpr std::size_t size_of_class(std::size_t index) {
  if (index < 4) return (index + 1) * alignment;
  const std::size_t shift = index / 4 - 1;
  return (index - 4 * shift + 1) * alignment << shift;
}

constexpr std::size_t classes = class_of(most_bytes) + 1;
/// How many classes, the first ones, stay with their thread, and how many have their blocks cut from slabs.
constexpr std::size_t local_classes = class_of(local_limit) + 1, cut_classes = class_of(detail::Slabs::cut_below);
static_assert(size_of_class(local_classes - 1) == local_limit && size_of_class(cut_classes) == detail::Slabs::cut_below);
static_assert(size_of_class(local_classes + larger_classes) == 2 * size_of_class(local_classes));

struct Block {
  Block* next;
};

/// What all threads share: one list of free blocks a class, and the slabs that the smaller ones are cut from.
struct Central {
  std::mutex mutex;
  std::mutex trimming;  // who trims has all that is kept at the time; locked before `mutex`
  detail::Slabs slabs;
  std::array<Block*, classes> free{};
  detail::Loans lent;
  std::atomic<std::int64_t> misses{0};
  std::array<std::atomic<std::int64_t>, reserved_slot + 1> current{}, peak{};  // of each category, then those

  void count(std::size_t slot, std::int64_t bytes) noexcept {
    const std::int64_t now = current[slot].fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::int64_t before = peak[slot].load(std::memory_order_relaxed);
    while (now > before && !peak[slot].compare_exchange_weak(before, now, std::memory_order_relaxed)) {
    }
  }
};

Central& central() {
  static auto* shared = new Central;  // outlives every thread's cache
  return *shared;
}

void report_own() noexcept;

[[noreturn]] void fail_for_want_of_memory(std::size_t bytes) {
  report_own();
  const auto now = [](std::size_t slot) { return central().current[slot].load(std::memory_order_relaxed); };
  fail<OutOfMemoryError>(
      "memory",
      "the system has no memory for {} more bytes; tensors use {} bytes, of {} that the pool has; make batches or "
      "sequences smaller, accumulate gradients over several, or use `recompute`",
      bytes, now(total_slot), now(reserved_slot));
}

void count_reserved(std::int64_t bytes) noexcept { central().count(reserved_slot, bytes); }

/// The slabs, locked. What they gain or lose is counted.
class LockedSlabs {
 public:
  LockedSlabs() : lock_(central().mutex), before_(mapped()) {}
  ~LockedSlabs() { count_reserved(mapped() - before_); }
  LockedSlabs(const LockedSlabs&) = delete;
  LockedSlabs& operator=(const LockedSlabs&) = delete;
  detail::Slabs* operator->() const { return &central().slabs; }

 private:
  static std::int64_t mapped() { return static_cast<std::int64_t>(central().slabs.mapped()); }

  std::lock_guard<std::mutex> lock_;
  std::int64_t before_;
};

/// What a block that isn't cut from a slab takes of the system's memory.
std::size_t system_size(std::size_t bytes) {
  constexpr std::size_t unit = passes_through ? alignment : detail::huge_page;
  return std::max(bytes + unit - 1, unit) / unit * unit;  // of an empty tensor something
}

void* try_allocate(std::size_t bytes) noexcept {
  if (!passes_through && bytes < detail::Slabs::cut_below) return LockedSlabs()->cut(bytes);
  const std::size_t size = system_size(bytes);
  void* block = passes_through ? std::aligned_alloc(alignment, size) : detail::map_huge(size);
  if (block != nullptr) count_reserved(static_cast<std::int64_t>(size));
  return block;
}

// Under the lock.
Block* pop(std::size_t index) noexcept {
  Block* block = central().free[index];
  if (block != nullptr) central().free[index] = block->next;
  return block;
}

void push(std::size_t index, Block* block) noexcept {
  block->next = central().free[index];
  central().free[index] = block;
}

/// A kept block of a class, or one that is lent: the smallest of up to `larger` classes above. Threads keep small ones for
/// themselves, without a word of where they came from: of these none is lent.
void* take_shared(std::size_t index, std::size_t larger) noexcept {
  const std::lock_guard lock(central().mutex);
  if (void* block = pop(index)) return block;
  if (index < local_classes) return nullptr;
  for (std::size_t above = index + 1; above <= std::min(index + larger, classes - 1); ++above) {
    Block* block = pop(above);
    if (block == nullptr) continue;
    if (central().lent.add(block, above)) return block;
    push(above, block);
    return nullptr;
  }
  return nullptr;
}

void give_shared(std::size_t index, Block* block) noexcept {
  const std::lock_guard lock(central().mutex);
  push(central().lent.end(block, index), block);
}

/// Where there is no memory: any larger block. Small ones have no loans: of a block for one of them all becomes such.
void* take_larger(std::size_t index) noexcept {
  if (index >= local_classes) return take_shared(index, classes);
  const std::lock_guard lock(central().mutex);
  for (std::size_t above = index + 1; above < cut_classes; ++above) {
    Block* block = pop(above);
    if (block == nullptr) continue;
    const std::size_t size = size_of_class(index), pieces = size_of_class(above) / size;
    central().slabs.note_split(block, pieces);
    auto* const begin = reinterpret_cast<std::byte*>(block);
    for (std::size_t i = 1; i < pieces; ++i) push(index, ::new (begin + i * size) Block);
    return block;
  }
  return nullptr;
}

void trim_locked() noexcept;

/// `bytes`: a class's size, of which `asked` are wanted.
void* system_allocate(std::size_t bytes, std::size_t asked) {
  void* block = try_allocate(bytes);
  if (block == nullptr) {
    const std::lock_guard lock(central().trimming);  // or another thread's trim holds what would be enough
    trim_locked();
    block = try_allocate(bytes);
  }
  if (block != nullptr) {
    if constexpr (!passes_through) central().misses.fetch_add(1, std::memory_order_relaxed);
    return block;
  }
  if (void* larger = take_larger(class_of(bytes))) return larger;
  fail_for_want_of_memory(asked);
}

/// False where the system doesn't take it.
bool system_free(void* block, std::size_t bytes) noexcept {
  const std::size_t size = system_size(bytes);
  if constexpr (passes_through) {
    std::free(block);
  } else if (!detail::unmap_huge(block, size)) {
    return false;
  }
  count_reserved(-static_cast<std::int64_t>(size));
  return true;
}

/// Frees the kept blocks of a class that isn't cut from slabs. What the system doesn't take stays kept.
void trim_class(std::size_t index) noexcept {
  Block* kept = nullptr;
  {
    const std::lock_guard lock(central().mutex);
    kept = std::exchange(central().free[index], nullptr);
  }
  while (kept != nullptr) {
    Block* block = std::exchange(kept, kept->next);
    if (!system_free(block, size_of_class(index))) give_shared(index, block);
  }
}

/// Frees the slabs of which no block is in use.
void trim_slabs() noexcept {
  const LockedSlabs slabs;
  const auto lists = std::span(central().free).first(cut_classes);
  for (const Block* list : lists)
    for (const Block* block = list; block != nullptr; block = block->next) slabs->note_idle(block);
  for (Block*& list : lists)
    for (Block** link = &list; *link != nullptr;) {
      if (slabs->is_idle(*link)) {
        *link = (*link)->next;
      } else {
        link = &(*link)->next;
      }
    }
  slabs->free_idle();
}

// Set by ~Local: what the thread's other objects free after it goes to all.
constinit thread_local bool local_has_ended = false;

/// One thread's own blocks and counts.
struct Local {
  std::array<Block*, local_classes> free{};  // small: it is in the memory that a library that is loaded late finds little of
  std::array<std::uint32_t, local_classes> count{};
  std::array<std::int64_t, memory_categories> pending{};
  MemoryCategory category = MemoryCategory::activations;

  void report() noexcept {
    for (std::size_t i = 0; i < memory_categories; ++i) {
      if (pending[i] == 0) continue;
      central().count(i, pending[i]);
      central().count(total_slot, pending[i]);
      pending[i] = 0;
    }
  }

  void flush(std::size_t index) noexcept {
    const std::lock_guard lock(central().mutex);
    while (Block* block = free[index]) {
      free[index] = block->next;
      push(index, block);
    }
    count[index] = 0;
  }

  ~Local() {
    local_has_ended = true;
    report();
    for (std::size_t i = 0; i < local_classes; ++i)
      if (free[i] != nullptr) flush(i);
  }
};

thread_local Local local;

/// Null at the very end of a thread.
Local* own() { return local_has_ended ? nullptr : &local; }

void report_own() noexcept {
  if (Local* mine = own()) mine->report();
}

void trim_locked() noexcept {
  if (Local* mine = own())
    for (std::size_t i = 0; i < local_classes; ++i)
      if (mine->free[i] != nullptr) mine->flush(i);
  for (std::size_t i = cut_classes; i < classes; ++i) trim_class(i);
  trim_slabs();
}

/// For as long as a model does, mostly: what is lent to such is no longer there for what it was made for.
constexpr bool stays(MemoryCategory category) {
  return category == MemoryCategory::parameters || category == MemoryCategory::optimizer;
}

void* allocate(std::size_t bytes) {
  if (bytes > most_bytes) fail_for_want_of_memory(bytes);
  if constexpr (passes_through) return system_allocate(bytes, bytes);
  const std::size_t index = class_of(bytes);
  Local* mine = own();
  if (mine != nullptr && index < local_classes && mine->free[index] != nullptr) {
    Block* block = mine->free[index];
    mine->free[index] = block->next;
    --mine->count[index];
    return block;
  }
  if (void* block = take_shared(index, mine != nullptr && stays(mine->category) ? 0 : larger_classes)) return block;
  return system_allocate(size_of_class(index), bytes);
}

}  // namespace

namespace detail {

void* pool_allocate(std::size_t bytes) {
  void* block = allocate(bytes);
  if (fills_memory) [[unlikely]]
    std::memset(block, 0xff, bytes);
  return block;
}

void pool_release(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return;
  if constexpr (passes_through) {
    system_free(block, bytes);
    return;
  }
  const std::size_t index = class_of(bytes);
  auto* freed = ::new (block) Block;
  if (Local* mine = own(); mine != nullptr && index < local_classes) {
    freed->next = mine->free[index];
    mine->free[index] = freed;
    if (++mine->count[index] * size_of_class(index) > local_bytes) mine->flush(index);
    return;
  }
  give_shared(index, freed);
}

void count_bytes(MemoryCategory category, std::int64_t bytes) noexcept {
  const auto slot = static_cast<std::size_t>(category);
  Local* mine = own();
  if (mine == nullptr) {
    central().count(slot, bytes);
    central().count(total_slot, bytes);
    return;
  }
  std::int64_t& pending = mine->pending[slot];
  pending += bytes;
  if (pending > report_every || pending < -report_every) mine->report();
}

MemoryCategory current_category() {
  const Local* mine = own();
  return mine != nullptr ? mine->category : MemoryCategory::activations;
}

}  // namespace detail

const char* name_of(MemoryCategory category) {
  switch (category) {
    case MemoryCategory::activations: return "activations";
    case MemoryCategory::parameters: return "parameters";
    case MemoryCategory::gradients: return "gradients";
    case MemoryCategory::optimizer: return "optimizer";
    case MemoryCategory::scratch: return "scratch";
  }
  return "?";
}

MemoryCategoryGuard::MemoryCategoryGuard(MemoryCategory category) : previous_(detail::current_category()) {
  if (Local* mine = own()) mine->category = category;
}
MemoryCategoryGuard::~MemoryCategoryGuard() {
  if (Local* mine = own()) mine->category = previous_;
}

MemoryStatistics memory_statistics() {
  report_own();
  MemoryStatistics result;
  const auto read = [](std::size_t slot) {
    const std::int64_t now = central().current[slot].load(std::memory_order_relaxed);
    return MemoryUse{now, std::max(now, central().peak[slot].load(std::memory_order_relaxed))};
  };
  for (std::size_t i = 0; i < memory_categories; ++i) result.by_category[i] = read(i);
  result.total = read(total_slot);
  result.pool_misses = central().misses;
  result.reserved = read(reserved_slot);
  return result;
}

void reset_peak_memory() {
  report_own();
  for (std::size_t i = 0; i <= reserved_slot; ++i) {
    central().peak[i] = central().current[i].load();
    central().count(i, 0);  // what another thread has added in between
  }
  detail::reset_module_peaks();
}

void trim_memory() {
  const std::lock_guard lock(central().trimming);
  trim_locked();
}

}  // namespace weft
