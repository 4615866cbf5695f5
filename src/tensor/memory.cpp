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
#include <unordered_map>
#include <utility>

#include "base/fail.hpp"
#include "tensor/huge_pages.hpp"
#include "tensor/malloc_allocator.hpp"
#include "tensor/slabs.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_POOL_PASSES_THROUGH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
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
constexpr std::size_t classes = 160;           // four to each power of two from 64 bytes
constexpr std::size_t local_limit = 64 << 10;  // blocks up to this size stay with their thread first
constexpr std::size_t local_bytes = 1 << 20;   // of each class
constexpr std::size_t larger_classes = 4;  // a block of up to so many classes above, twice the size, serves where none is kept
constexpr std::size_t total_slot = memory_categories, reserved_slot = total_slot + 1;
constexpr std::int64_t report_every = 256 << 10;  // a thread's count joins the others' when it has moved this far

// For tests: what is given out is NaN, so that what isn't written shows.
const bool fills_memory =
    std::string_view(std::getenv("WEFT_FILL_MEMORY") != nullptr ? std::getenv("WEFT_FILL_MEMORY") : "") == "1";

// 64, 128, 192, 256, 320, 384, 448, 512, 640, ...: class 4(p-1)+q holds (4+q) << (p+3), p >= 1; below 256 in steps of 64.
constexpr std::size_t class_of(std::size_t bytes) {
  const std::size_t units = (bytes + alignment - 1) / alignment;
  if (units <= 4) return units == 0 ? 0 : units - 1;
  const auto shift = static_cast<std::size_t>(std::bit_width(units - 1)) - 3;
  return 4 * shift + ((units - 1) >> shift);
}

std::size_t size_of_class(std::size_t index) {
  if (index < 4) return (index + 1) * alignment;
  const std::size_t shift = index / 4 - 1;
  return (index - 4 * shift + 1) * alignment << shift;
}

/// How many classes, the first ones, have their blocks cut from slabs.
constexpr std::size_t cut_classes = class_of(detail::Slabs::cut_below);

struct Block {
  Block* next;
};

/// What all threads share: one list of free blocks a class, and the slabs that the smaller ones are cut from.
struct Central {
  template <class Key, class Value>
  using Map =
      std::unordered_map<Key, Value, std::hash<Key>, std::equal_to<Key>, detail::MallocAllocator<std::pair<const Key, Value>>>;

  std::mutex mutex;
  detail::Slabs slabs;
  std::array<Block*, classes> free{};
  Map<void*, std::size_t> lent;  // blocks in use for a smaller class, with their own
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
      "the system has no memory for {} bytes of a tensor; tensors use {} bytes, of {} that the pool has; make batches or "
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
  return (bytes + unit - 1) / unit * unit;
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
  if (size_of_class(index) <= local_limit) return nullptr;
  for (std::size_t above = index + 1; above <= std::min(index + larger, classes - 1); ++above) {
    Block* block = pop(above);
    if (block == nullptr) continue;
    try {
      central().lent.emplace(block, above);
      return block;
    } catch (const std::bad_alloc&) {
      push(above, block);
      return nullptr;
    }
  }
  return nullptr;
}

void give_shared(std::size_t index, Block* block) noexcept {
  const std::lock_guard lock(central().mutex);
  if (const auto lent = central().lent.find(block); lent != central().lent.end()) {
    index = lent->second;
    central().lent.erase(lent);
  }
  push(index, block);
}

/// Where there is no memory: any larger block. A small one that a slab's block is given out for stays small until the slab goes
/// back.
void* take_larger(std::size_t index) noexcept {
  if (void* block = take_shared(index, classes)) return block;
  const std::lock_guard lock(central().mutex);
  for (std::size_t above = index + 1; above < cut_classes; ++above)
    if (void* block = pop(above)) return block;
  return nullptr;
}

void* system_allocate(std::size_t bytes) {
  if (void* block = try_allocate(bytes)) return block;
  trim_memory();  // what is kept for other sizes may be enough
  if (void* block = try_allocate(bytes)) return block;
  if (void* block = take_larger(class_of(bytes))) return block;
  fail_for_want_of_memory(bytes);
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
  Block* refused = nullptr;
  while (void* taken = take_shared(index, 0)) {
    if (system_free(taken, size_of_class(index))) continue;
    auto* block = static_cast<Block*>(taken);
    block->next = refused;
    refused = block;
  }
  while (refused != nullptr) give_shared(index, std::exchange(refused, refused->next));
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
  std::array<Block*, classes> free{};
  std::array<std::size_t, classes> count{};
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
    for (std::size_t i = 0; i < classes; ++i)
      if (free[i] != nullptr) flush(i);
  }
};

thread_local Local local;

/// Null at the very end of a thread.
Local* own() { return local_has_ended ? nullptr : &local; }

void report_own() noexcept {
  if (Local* mine = own()) mine->report();
}

void* allocate(std::size_t bytes) {
  if (bytes > std::size_t{1} << 46) fail_for_want_of_memory(bytes);  // the classes end there
  if constexpr (passes_through) return system_allocate(bytes == 0 ? 1 : bytes);
  const std::size_t index = class_of(bytes);
  if (Local* mine = own(); mine != nullptr && mine->free[index] != nullptr) {
    Block* block = mine->free[index];
    mine->free[index] = block->next;
    --mine->count[index];
    return block;
  }
  if (void* block = take_shared(index, larger_classes)) return block;
  central().misses.fetch_add(1, std::memory_order_relaxed);
  return system_allocate(size_of_class(index));
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
    system_free(block, bytes == 0 ? 1 : bytes);
    return;
  }
  const std::size_t index = class_of(bytes), size = size_of_class(index);
  auto* freed = ::new (block) Block{nullptr};
  if (Local* mine = own(); mine != nullptr && size <= local_limit) {
    freed->next = mine->free[index];
    mine->free[index] = freed;
    if (++mine->count[index] * size > local_bytes) mine->flush(index);
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
    return MemoryUse{central().current[slot].load(std::memory_order_relaxed),
                     central().peak[slot].load(std::memory_order_relaxed)};
  };
  for (std::size_t i = 0; i < memory_categories; ++i) result.by_category[i] = read(i);
  result.total = read(total_slot);
  result.pool_misses = central().misses;
  result.reserved = read(reserved_slot);
  return result;
}

void reset_peak_memory() {
  report_own();
  for (std::size_t i = 0; i <= reserved_slot; ++i) central().peak[i] = central().current[i].load();
}

void trim_memory() {
  Local* mine = own();
  for (std::size_t i = 0; i < classes; ++i) {
    if (mine != nullptr && mine->free[i] != nullptr) mine->flush(i);
    if (i >= cut_classes) trim_class(i);
  }
  trim_slabs();
}

}  // namespace weft
